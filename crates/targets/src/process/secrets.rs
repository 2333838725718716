//! The environment of a service. The values of secrets are read when an instance starts, and only handed on.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use pilotage_secrets::{Secret, SecretError, SecretReader};
use pilotage_spec::{InstanceSpec, SecretSource, Value, variables};

use super::files::{private_folder, write_private};
use crate::TargetError;

/// What a service inherits of the control plane's environment.
const INHERITED: [&str; 4] = ["PATH", "HOME", "LANG", "TZ"];

/// The environment of a service, and which of its variables are secrets.
pub struct ServiceEnvironment {
    /// All variables but those that hold the path of a file.
    pub env: BTreeMap<String, String>,
    /// The names of those whose values must not appear anywhere.
    pub secrets: Vec<String>,
    /// Secrets that are given as files, by the variable that holds the path.
    pub files: BTreeMap<String, Secret>,
}

/// Puts the environment together: what is inherited, and what is declared.
pub async fn resolve(
    instance: &InstanceSpec,
    reader: &SecretReader,
) -> Result<ServiceEnvironment, TargetError> {
    let env = INHERITED.iter().filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?)));
    let mut environment =
        ServiceEnvironment { env: env.collect(), secrets: Vec::new(), files: BTreeMap::new() };
    for (name, value) in &instance.env {
        let name = name.to_string();
        match value {
            Value::Plain(value) => drop(environment.env.insert(name, value.clone())),
            Value::Secret(source) => {
                refuse_in_arguments(&name, source, &instance.run)?;
                let secret = reader.read_variable(source).await.map_err(unreadable)?;
                // It has just been found to be a text.
                let text = secret.expose_text().unwrap_or_default().to_owned();
                environment.secrets.push(name.clone());
                environment.env.insert(name, text);
            }
            Value::SecretFile(source) => {
                let secret = reader.read(source).await.map_err(unreadable)?;
                environment.files.insert(name, secret);
            }
        }
    }
    Ok(environment)
}

/// The target's error for a secret that is not there.
pub fn unreadable(error: SecretError) -> TargetError {
    TargetError::Secret { reason: error.fault.to_string(), reference: error.reference }
}

/// Every user of the machine can read the arguments of every process.
fn refuse_in_arguments(name: &str, source: &SecretSource, run: &[String]) -> Result<(), TargetError> {
    let used = run.iter().any(|argument| variables(argument).is_ok_and(|names| names.contains(&name)));
    if !used {
        return Ok(());
    }
    let reason = format!(
        "`run` would show it to every user of the machine as an argument; let the service read the variable {name} instead, \
         or write `as: file` beside `secret`"
    );
    Err(TargetError::Secret { reference: source.to_string(), reason })
}

/// Writes the secrets that an instance has as files into a folder of its own, each for its user alone.
pub fn write_files(folder: &Path, files: &BTreeMap<String, Secret>) -> io::Result<()> {
    if files.is_empty() {
        return Ok(());
    }
    private_folder(folder)?;
    files.iter().try_for_each(|(name, secret)| write_private(&folder.join(name), secret.expose()))
}

/// Removes them.
pub fn remove_files(folder: &Path) {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(folder = %folder.display(), %error, "secrets of an instance that has ended could not be removed");
        }
        _ => {}
    }
}
