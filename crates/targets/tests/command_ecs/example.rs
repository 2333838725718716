//! The example as it is published, in a folder of its own, with the server in the place of AWS.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use pilotage_secrets::{Known, SecretReader};
use pilotage_spec::{
    CommandSettings, ImageReference, Release, SecretSettings, TargetSettings, Value, VariableName, Version,
    Workload,
};
use pilotage_targets::{
    Artifact, Claims, CommandConfig, CommandTarget, Fence, InstanceState, Observation, Source, Target,
    TargetError, Traffic,
};
use pilotage_testing::{Part, need};
use tempfile::TempDir;

use crate::aws::{Aws, KEY_ID, SECRET_KEY, SESSION_TOKEN};
use crate::support;

pub const REPOSITORY: &str = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/api";

pub struct Example {
    _folder: TempDir,
    pub aws: Aws,
    pub target: CommandTarget,
}

impl Example {
    /// `None` if there is no Python here.
    pub fn new() -> Option<Self> {
        Self::with(|_| {})
    }

    /// The same, with other variables.
    pub fn with(change: impl FnOnce(&mut BTreeMap<VariableName, Value>)) -> Option<Self> {
        let python = need("ECS example", Part::Python)?;
        let aws = Aws::start();
        let folder = tempfile::tempdir().unwrap();
        let variables = [
            ("AWS_ACCESS_KEY_ID", KEY_ID.to_owned()),
            ("AWS_SESSION_TOKEN", SESSION_TOKEN.to_owned()),
            ("AWS_ENDPOINT_URL", format!("http://{}/", aws.address)),
        ];
        let variable = |(name, value): (&str, String)| (name.parse().unwrap(), Value::Plain(value));
        let mut env: BTreeMap<VariableName, Value> = variables.map(variable).into();
        std::fs::write(folder.path().join("secret-key"), SECRET_KEY).unwrap();
        let secret_key = folder.path().join("secret-key");
        let secret_key = format!("file:{}", secret_key.display()).parse().unwrap();
        env.insert("AWS_SECRET_ACCESS_KEY".parse().unwrap(), Value::Secret(secret_key));
        change(&mut env);
        // Without compiled files beside the sources, and without looking for packages that it does not use.
        let run =
            [support::interpreter(&python).as_str(), "-B", "-S", "deployer"].map(str::to_owned).to_vec();
        let settings = CommandSettings { run, env, timeout: Duration::from_secs(60) };
        let project = published();
        let secrets = SecretReader::new(&project, SecretSettings::default(), Known::default());
        let state = folder.path().join("state");
        let claims = Claims::new(folder.path());
        let mut config =
            CommandConfig::new("shop".parse().unwrap(), &settings, project, state, claims, secrets);
        config.interval = Duration::from_millis(300);
        let target = CommandTarget::open(config).unwrap();
        Some(Self { _folder: folder, aws, target })
    }

    pub fn workload(&self) -> Workload {
        Workload { environment: "production".parse().unwrap(), service: "api".parse().unwrap() }
    }

    pub async fn stage(&self, image: &str, version: &str) -> Result<Release, TargetError> {
        let image: ImageReference = image.parse().unwrap();
        let source = Source::new(Artifact::Image(image.clone()), version.parse().unwrap());
        let staged = self.target.stage(&self.workload(), &source).await?;
        let mut release = support::release(version, staged.digest, Vec::new());
        release.instance.image = Some(image);
        release.instance.container_port = Some(8080);
        Ok(release)
    }

    /// A release of the repository's image with the version as its tag.
    pub async fn release(&self, version: &str) -> Release {
        self.stage(&format!("{REPOSITORY}:{version}"), version).await.unwrap()
    }

    pub async fn ensure(&self, release: &Release, replicas: u32) -> Result<(), TargetError> {
        self.target.ensure(&self.workload(), release, replicas, Fence(3)).await
    }

    /// Checks the traffic, and switches to it.
    pub async fn route(&self, shares: &[(&str, u32)]) -> Result<(), TargetError> {
        let traffic = traffic(shares);
        self.target.check_route(&self.workload(), &traffic).await?;
        self.target.route(&self.workload(), &traffic, Fence(3)).await.map(drop)
    }

    pub async fn observe(&self) -> Observation {
        self.target.observe(&self.workload()).await.unwrap()
    }

    /// Waits until an observation is as wanted.
    pub async fn until(&self, what: &str, wanted: impl Fn(&Observation) -> bool) -> Observation {
        let mut last = None;
        let waiting = async {
            loop {
                let seen = self.observe().await;
                if wanted(&seen) {
                    return seen;
                }
                last = Some(seen);
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        match tokio::time::timeout(support::PATIENCE, waiting).await {
            Ok(seen) => seen,
            Err(_) => panic!("waited in vain until {what}; last seen: {last:#?}"),
        }
    }

    pub async fn ready(&self, version: &str, count: usize) -> Observation {
        let what = format!("{count} of {version} are ready");
        self.until(&what, |seen| support::ready(seen, version).len() == count).await
    }

    /// Waits until an instance of a version that has trouble tells of it, and returns its words.
    pub async fn trouble(&self, wanted: impl Fn(&InstanceState) -> Option<String>) -> String {
        let seen = self
            .until("it tells of its trouble", |seen| {
                seen.instances.iter().any(|one| wanted(&one.state).is_some())
            })
            .await;
        seen.instances.iter().find_map(|instance| wanted(&instance.state)).unwrap()
    }
}

/// The example's folder.
pub fn published() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/command-target-ecs").canonicalize().unwrap()
}

pub fn traffic(shares: &[(&str, u32)]) -> Traffic {
    Traffic { listen: "10.0.0.1:443".parse().unwrap(), ..support::traffic(shares) }
}

pub fn version(text: &str) -> Version {
    text.parse().unwrap()
}

#[test]
fn the_published_file_names_the_deployer() {
    let text = std::fs::read_to_string(published().join("pilotage.yaml")).unwrap();
    let project = pilotage_spec::read("pilotage.yaml", &text).unwrap();
    let environment = &project.environments[&"production".parse().unwrap()];
    let TargetSettings::Command(settings) = &environment.target else { panic!("{environment:?}") };
    assert_eq!(settings.run, ["python3", "deployer"]);
    assert!(settings.env.values().all(|value| matches!(value, Value::Secret(_))), "credentials are secrets");
}

/// AWS publishes what a signature must come to.
#[test]
fn requests_are_signed_as_the_published_vectors_say() {
    let Some(python) = need("ECS example", Part::Python) else { return };
    let output = Command::new(python)
        .args(["-B", "-m", "unittest", "discover", "-s", "tests"])
        .current_dir(published())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("Ran 7 tests"), "{said}");
}
