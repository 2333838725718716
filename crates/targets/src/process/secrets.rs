//! The environment of a service. The values of secrets are read when an instance starts, and only handed on.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use pilotage_spec::{InstanceSpec, SecretSource, Value, variables};

use crate::TargetError;

/// A secret longer than this is taken for a mistake, in bytes.
const MAX_SECRET_BYTES: u64 = 64 * 1024;
/// What a service inherits of the control plane's environment.
const INHERITED: [&str; 4] = ["PATH", "HOME", "LANG", "TZ"];

/// The environment of a service, and which of its variables are secrets.
pub struct ServiceEnvironment {
    /// All variables.
    pub env: BTreeMap<String, String>,
    /// The names of those whose values must not appear anywhere.
    pub secrets: Vec<String>,
}

/// Puts the environment together: what is inherited, and what is declared.
pub fn resolve(instance: &InstanceSpec, project_folder: &Path) -> Result<ServiceEnvironment, TargetError> {
    let mut env: BTreeMap<String, String> =
        INHERITED.iter().filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?))).collect();
    let mut secrets = Vec::new();
    for (name, value) in &instance.env {
        let value = match value {
            Value::Plain(value) => value.clone(),
            Value::Secret(source) => {
                refuse_in_arguments(name.as_str(), source, &instance.run)?;
                secrets.push(name.to_string());
                read(source, project_folder)
                    .map_err(|reason| TargetError::Secret { reference: source.to_string(), reason })?
            }
        };
        env.insert(name.to_string(), value);
    }
    Ok(ServiceEnvironment { env, secrets })
}

/// Every user of the machine can read the arguments of every process.
fn refuse_in_arguments(name: &str, source: &SecretSource, run: &[String]) -> Result<(), TargetError> {
    let used = run.iter().any(|argument| variables(argument).is_ok_and(|names| names.contains(&name)));
    if !used {
        return Ok(());
    }
    let reason = format!(
        "`run` would show it to every user of the machine as an argument; let the service read the variable {name} instead"
    );
    Err(TargetError::Secret { reference: source.to_string(), reason })
}

fn read(source: &SecretSource, project_folder: &Path) -> Result<String, String> {
    let value = match source {
        SecretSource::Env(name) => std::env::var(name.as_str()).map_err(|_| {
            format!("the variable {name} is not set where Pilotage's server runs; set it there and restart the server")
        })?,
        SecretSource::File(path) => read_file(&project_folder.join(path))?,
    };
    if value.contains('\0') {
        return Err("it holds a zero byte, which no environment variable can; store it as text".to_owned());
    }
    Ok(value)
}

fn read_file(path: &Path) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("{} cannot be read: {error}", path.display());
    let metadata = fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() || metadata.len() > MAX_SECRET_BYTES {
        return Err(format!("{} is not a file of at most {} KiB", path.display(), MAX_SECRET_BYTES >> 10));
    }
    let mut text = fs::read_to_string(path).map_err(failed)?;
    // One trailing line break is the editor's, not the secret's.
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}
