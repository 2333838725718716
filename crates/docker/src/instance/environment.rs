//! The variables and arguments of a container. The values of secrets are read when an instance is created, and only handed
//! on.

use std::collections::BTreeMap;

use pilotage_secrets::{Secret, SecretError, SecretReader};
use pilotage_spec::{InstanceSpec, ListenOn, SecretSource, Value, Workload, substitute, variables};
use pilotage_targets::TargetError;

use super::marks::Marks;

/// Where a container has the secrets that it is given as files.
pub(crate) const SECRETS_FOLDER: &str = "/run/secrets";
/// What tells a service where to listen.
const PORT: &str = "PORT";
/// Where a container listens unless the file says otherwise.
const USUAL_PORT: u16 = 8080;

/// What a container is told.
pub(crate) struct Environment {
    /// All variables.
    pub env: BTreeMap<String, String>,
    /// Program and arguments; empty if the image's own are used.
    pub run: Vec<String>,
    /// Secrets that are given as files, by the variable that holds the path.
    pub files: BTreeMap<String, Secret>,
}

/// The port at which the service listens in its container.
pub(crate) fn container_port(instance: &InstanceSpec) -> u16 {
    instance.container_port.unwrap_or(USUAL_PORT)
}

/// Reads what an instance needs to be told.
pub(crate) async fn resolve(marks: &Marks, reader: &SecretReader) -> Result<Environment, TargetError> {
    let instance = &marks.release.instance;
    if instance.listen != ListenOn::Port {
        return Err(TargetError::Unsupported {
            what: "a container that listens at a unix socket".to_owned(),
            mend: "leave out `listen`: a container is reached at `container_port`".to_owned(),
        });
    }
    let mut env = BTreeMap::new();
    let mut files = BTreeMap::new();
    for (name, value) in &instance.env {
        let name = name.to_string();
        match value {
            Value::Plain(value) => drop(env.insert(name, value.clone())),
            Value::Secret(source) => {
                refuse_in_arguments(&name, source, &instance.run)?;
                let secret = reader.read_variable(source).await.map_err(unreadable)?;
                // It has just been found to be a text.
                env.insert(name, secret.expose_text().unwrap_or_default().to_owned());
            }
            Value::SecretFile(source) => {
                let secret = reader.read(source).await.map_err(unreadable)?;
                env.insert(name.clone(), format!("{SECRETS_FOLDER}/{name}"));
                files.insert(name, secret);
            }
        }
    }
    env.extend(own_variables(&marks.workload, marks));
    let run = fill_in(instance, &env)?;
    Ok(Environment { env, run, files })
}

/// Who the instance is, and where it listens. The file cannot say otherwise.
fn own_variables(workload: &Workload, marks: &Marks) -> [(String, String); 5] {
    let release = &marks.release;
    [
        (PORT, container_port(&release.instance).to_string()),
        ("PILOTAGE_SERVICE", workload.service.to_string()),
        ("PILOTAGE_ENVIRONMENT", workload.environment.to_string()),
        ("PILOTAGE_VERSION", release.id.version.to_string()),
        ("PILOTAGE_INSTANCE", marks.instance.clone()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
}

/// `$PORT` and the names of the file's variables are replaced in the arguments, nothing else.
fn fill_in(instance: &InstanceSpec, env: &BTreeMap<String, String>) -> Result<Vec<String>, TargetError> {
    let declared = |name: &str| name == PORT || instance.env.keys().any(|other| other.as_str() == name);
    let known = |name: &str| env.get(name).filter(|_| declared(name)).cloned();
    let filled = instance.run.iter().map(|argument| {
        substitute(argument, known).map_err(|error| TargetError::Failed {
            doing: format!("fill in the argument `{argument}` of `run`"),
            reason: error.to_string(),
        })
    });
    filled.collect()
}

/// The target's error for a secret that is not there.
pub(crate) fn unreadable(error: SecretError) -> TargetError {
    TargetError::Secret { reason: error.fault.to_string(), reference: error.reference }
}

/// Whoever may ask the engine can read the arguments of every container.
fn refuse_in_arguments(name: &str, source: &SecretSource, run: &[String]) -> Result<(), TargetError> {
    let used = run.iter().any(|argument| variables(argument).is_ok_and(|names| names.contains(&name)));
    if !used {
        return Ok(());
    }
    let reason = format!(
        "`run` would show it as an argument; let the service read the variable {name} instead, or write `as: file` beside \
         `secret`"
    );
    Err(TargetError::Secret { reference: source.to_string(), reason })
}

#[cfg(test)]
mod tests {
    use pilotage_secrets::Known;
    use pilotage_spec::SecretSettings;

    use super::*;
    use crate::instance::marks::example;

    fn reader(folder: &tempfile::TempDir) -> SecretReader {
        SecretReader::new(folder.path(), SecretSettings::default(), Known::default())
    }

    fn marks(run: &[&str], env: &[(&str, Value)]) -> Marks {
        let mut marks = example();
        marks.release.instance.run = run.iter().map(|word| (*word).to_owned()).collect();
        marks.release.instance.env =
            env.iter().map(|(name, value)| (name.parse().unwrap(), value.clone())).collect();
        marks
    }

    #[tokio::test]
    async fn a_container_is_told_its_port_and_who_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let level = ("LEVEL", Value::Plain("debug".into()));
        let marks = marks(&["/api", "--port=$PORT", "--log", "$LEVEL", "$$HOME"], &[level]);
        let told = resolve(&marks, &reader(&folder)).await.unwrap();
        assert_eq!(told.run, ["/api", "--port=8080", "--log", "debug", "$HOME"]);
        assert_eq!((told.env["PORT"].as_str(), told.env["PILOTAGE_VERSION"].as_str()), ("8080", "1.2.0"));
        assert!(!told.env.contains_key("PATH"), "the machine's own variables are no business of a container");
    }

    #[tokio::test]
    async fn a_secret_is_a_file_or_a_variable_but_never_an_argument() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("key"), "hunter22\n").unwrap();
        let source: SecretSource = "file:key".parse().unwrap();
        let file = [("KEY", Value::SecretFile(source.clone()))];
        let told = resolve(&marks(&["/api", "--key", "$KEY"], &file), &reader(&folder)).await.unwrap();
        assert_eq!(told.run[2], "/run/secrets/KEY");
        assert_eq!(told.files["KEY"].expose(), b"hunter22");
        let variable = [("KEY", Value::Secret(source))];
        let refused = resolve(&marks(&["/api", "--key", "$KEY"], &variable), &reader(&folder)).await;
        let words = refused.err().unwrap().to_string();
        assert!(words.contains("as an argument") && !words.contains("hunter22"), "{words}");
        let told = resolve(&marks(&[], &variable), &reader(&folder)).await.unwrap();
        assert_eq!((told.env["KEY"].as_str(), told.run.len()), ("hunter22", 0));
    }
}
