//! The environment of the program, and that of instances as it is told.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pilotage_secrets::{Secret, SecretError, SecretReader};
use pilotage_spec::{InstanceSpec, SecretSource, Value, VariableName, variables};
use tokio::process::Command;
use tokio::sync::Mutex;

use super::contract::{Confidential, SecretsAs, Variable};
use crate::TargetError;

/// What the program inherits: where programs are found, and where people keep what those need.
const INHERITED: [&str; 2] = ["PATH", "HOME"];
/// The program is run every few seconds; whoever keeps its secrets is not to be asked as often.
const FRESH_FOR: Duration = Duration::from_secs(60);

/// Variables by their names. Values are shown to nobody but the program.
#[derive(Clone, Default)]
pub struct Environment(Arc<BTreeMap<String, Secret>>);

impl Environment {
    /// Gives the variables to a program that is about to be started.
    pub fn give_to(&self, command: &mut Command) {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        let inherited = INHERITED.iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
        command.envs(inherited);
        for (name, value) in self.0.iter() {
            command.env(name, OsStr::from_bytes(value.expose()));
        }
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// The environment that the file gives to the program.
#[derive(Debug)]
pub struct ProgramEnvironment {
    env: BTreeMap<VariableName, Value>,
    secrets: SecretReader,
    read: Mutex<Option<(Instant, Environment)>>,
}

impl ProgramEnvironment {
    /// What the file says of it.
    pub fn new(env: BTreeMap<VariableName, Value>, secrets: SecretReader) -> Self {
        Self { env, secrets, read: Mutex::default() }
    }

    /// The variables, with secrets that were read a minute ago at most.
    pub async fn get(&self) -> Result<Environment, TargetError> {
        let mut read = self.read.lock().await;
        if let Some((at, environment)) = read.as_ref().filter(|(at, _)| at.elapsed() < FRESH_FOR) {
            let _ = at;
            return Ok(environment.clone());
        }
        let mut all = BTreeMap::new();
        for (name, value) in &self.env {
            let value = match value {
                Value::Plain(text) => Secret::from(text.clone()),
                Value::Secret(source) => self.secrets.read_variable(source).await.map_err(unreadable)?,
                Value::SecretFile(source) => return Err(no_file(source)),
            };
            all.insert(name.to_string(), value);
        }
        let environment = Environment(Arc::new(all));
        *read = Some((Instant::now(), environment.clone()));
        Ok(environment)
    }
}

/// The environment of an instance, as the program is told.
pub async fn of_instance(
    instance: &InstanceSpec,
    secrets_as: SecretsAs,
    reader: &SecretReader,
) -> Result<BTreeMap<String, Variable>, TargetError> {
    let mut env = BTreeMap::new();
    for (name, value) in &instance.env {
        let variable = match value {
            Value::Plain(text) => {
                Variable { value: Some(Confidential::from(text.as_str())), secret: None, file: false }
            }
            Value::Secret(source) => secret(instance, name, source, false, secrets_as, reader).await?,
            Value::SecretFile(source) => secret(instance, name, source, true, secrets_as, reader).await?,
        };
        env.insert(name.to_string(), variable);
    }
    Ok(env)
}

async fn secret(
    instance: &InstanceSpec,
    name: &VariableName,
    source: &SecretSource,
    file: bool,
    secrets_as: SecretsAs,
    reader: &SecretReader,
) -> Result<Variable, TargetError> {
    if !file {
        refuse_in_arguments(instance, name, source)?;
    }
    let value = match secrets_as {
        SecretsAs::References => None,
        SecretsAs::Values => {
            // A file may hold any bytes, but JSON holds none that are no text.
            Confidential::of(reader.read_variable(source).await.map_err(unreadable)?)
        }
    };
    Ok(Variable { value, secret: Some(source.to_string()), file })
}

/// Every user of a machine can read the arguments of every process.
fn refuse_in_arguments(
    instance: &InstanceSpec,
    name: &VariableName,
    source: &SecretSource,
) -> Result<(), TargetError> {
    let names_it = |argument: &String| {
        variables(argument).is_ok_and(|names| names.iter().any(|used| *used == name.as_str()))
    };
    if !instance.run.iter().any(names_it) {
        return Ok(());
    }
    let reason = format!(
        "`run` would show it among the arguments of a process; let the service read the variable {name} instead"
    );
    Err(TargetError::Secret { reference: source.to_string(), reason })
}

fn unreadable(error: SecretError) -> TargetError {
    TargetError::Secret { reason: error.fault.to_string(), reference: error.reference }
}

fn no_file(source: &SecretSource) -> TargetError {
    let reason =
        "a program that drives an engine is given secrets as variables; leave out `as: file`".to_owned();
    TargetError::Secret { reference: source.to_string(), reason }
}
