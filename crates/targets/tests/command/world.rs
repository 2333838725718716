//! A world with one command target whose program is a script of the test.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use pilotage_secrets::{Known, SecretReader};
use pilotage_spec::{CommandSettings, Release, SecretSettings, Value, Version, Workload};
use pilotage_targets::{Artifact, Claims, CommandConfig, CommandTarget, Source};
use serde_json::Value as Json;
use tempfile::TempDir;

use crate::support;

/// Answers of a program, as a test writes them.
pub const DONE: &str = r#"{"contract": 1}"#;
pub const NOTHING_THERE: &str = r#"{"contract": 1, "observation": {"instances": []}}"#;
pub const DESCRIBED: &str = r#"{"contract": 1, "description": {"weights": "exact"}}"#;
pub const DIGEST: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000001";

pub struct World {
    pub folder: TempDir,
    pub config: CommandConfig,
    pub target: CommandTarget,
}

impl World {
    /// A program with this shell text. `$request` holds the request and `$verb` its verb; `$count` says how often the verb was
    /// asked before. The request is kept for [`World::requests`].
    pub fn new(script: &str) -> Self {
        Self::with(script, |_| {})
    }

    /// The same, with other settings.
    pub fn with(script: &str, settings: impl FnOnce(&mut CommandConfig)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir(path("project")).unwrap();
        let prelude = r#"
            request=$(cat)
            verb=${request#*\"verb\":\"}; verb=${verb%%\"*}
            count=0; while ! mkdir "asked-$verb-$count" 2>/dev/null; do count=$((count + 1)); done
            printf '%s\n' "$request" >> requests
        "#;
        std::fs::write(path("project/deployer.sh"), format!("{prelude}\n{script}\n")).unwrap();
        let run = ["/bin/sh", "deployer.sh"].map(str::to_owned).to_vec();
        let mut config = config(run, path("project"), path("state"));
        // Tests wait for what they expect.
        config.interval = Duration::from_millis(50);
        settings(&mut config);
        let target = CommandTarget::open(config.clone()).unwrap();
        Self { folder, config, target }
    }

    /// A program that answers each of these verbs with this text.
    pub fn answering(answers: &[(&str, &str)]) -> Self {
        Self::new(&case(answers))
    }

    /// The control plane ends, as if by SIGKILL, and another takes its place.
    pub fn reopened(self) -> Self {
        let Self { folder, config, target } = self;
        drop(target);
        let target = CommandTarget::open(config.clone()).unwrap();
        Self { folder, config, target }
    }

    pub fn workload(&self) -> Workload {
        Workload { environment: "test".parse().unwrap(), service: "api".parse().unwrap() }
    }

    pub fn project(&self, name: &str) -> PathBuf {
        self.config.project_folder.join(name)
    }

    /// A file of the project, there as a whole or not at all: the program may read it at any time.
    pub fn write(&self, name: &str, text: &str) {
        let part = self.project(&format!("{name}.part"));
        std::fs::write(&part, text).unwrap();
        std::fs::rename(part, self.project(name)).unwrap();
    }

    /// All requests with this verb, in order.
    pub fn requests(&self, verb: &str) -> Vec<Json> {
        let text = std::fs::read_to_string(self.project("requests")).unwrap_or_default();
        let all = text.lines().map(|line| serde_json::from_str(line).unwrap());
        all.filter(|request: &Json| request["verb"] == verb).collect()
    }
}

/// A target with this program, in this project's folder.
pub fn config(run: Vec<String>, project: PathBuf, state: PathBuf) -> CommandConfig {
    let settings = CommandSettings { run, env: BTreeMap::new(), timeout: Duration::from_secs(60) };
    let secrets = SecretReader::new(&project, SecretSettings::default(), Known::default());
    std::fs::create_dir_all(&state).unwrap();
    let claims = Claims::new(&state);
    CommandConfig::new("shop".parse().unwrap(), &settings, project, state, claims, secrets)
}

/// A shell text that answers each of these verbs.
pub fn case(answers: &[(&str, &str)]) -> String {
    let arms = answers.iter().map(|(verb, answer)| format!("{verb}) cat <<'END'\n{answer}\nEND\n;;\n"));
    format!("case $verb in\n{}*) echo '{DONE}' ;;\nesac", arms.collect::<String>())
}

pub fn version(text: &str) -> Version {
    text.parse().unwrap()
}

/// A release of this world's programs.
pub fn release() -> Release {
    support::release("1.0.0", DIGEST.parse().unwrap(), vec!["./api".to_owned()])
}

pub fn source(path: &str) -> Source {
    Source::new(Artifact::Path(path.into()), version("1.0.0"))
}

/// A reference to a secret in a file of the project.
pub fn secret_file(name: &str) -> Value {
    Value::Secret(format!("file:{name}").parse().unwrap())
}
