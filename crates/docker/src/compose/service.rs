//! One service of a Compose file.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Remarks;
use super::fields::{duration, health_path, known_text, memory, port, text, words};
use super::interpolate::{Filled, fill_in};

/// The value of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Variable {
    Plain(String),
    /// A reference to a variable of the control plane, since the file did not hold the value either.
    Secret(String),
}

/// What is understood of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Service {
    pub image: Option<String>,
    pub run: Vec<String>,
    pub port: Option<u16>,
    pub container_port: Option<u16>,
    pub health: Option<String>,
    pub interval: Option<String>,
    pub timeout: Option<String>,
    pub replicas: Option<u64>,
    pub cpu: Option<String>,
    pub memory: Option<String>,
    pub env: BTreeMap<String, Variable>,
    pub needs: Vec<String>,
    pub stop_grace: Option<String>,
    pub capabilities: Vec<String>,
    /// Whether it may write to its own file system, as it may in Compose unless it is said otherwise.
    pub is_read_only: bool,
}

/// Keys that mean what happens here in any case.
const SILENT: [&str; 12] = [
    "restart",
    "read_only",
    "tty",
    "stdin_open",
    "init",
    "hostname",
    "container_name",
    "platform",
    "pull_policy",
    "stop_signal",
    "logging",
    "labels",
];

impl Service {
    /// Reads it; what is not understood is said.
    pub fn read(name: &str, written: &Value, remarks: &mut Remarks) -> Self {
        let mut service = Self { is_read_only: written["read_only"] == true, ..Self::default() };
        for (key, value) in written.as_object().into_iter().flatten() {
            let place = format!("services.{name}.{key}");
            if let Err(reason) = service.take(key, value, written, &place, remarks) {
                remarks.add(&place, format!("left out: {reason}"));
            }
        }
        if service.image.is_none() {
            remarks.add(
                &format!("services.{name}"),
                "it names no image; build one, push it, and name it in `image`",
            );
        }
        service
    }

    fn take(
        &mut self,
        key: &str,
        value: &Value,
        written: &Value,
        place: &str,
        remarks: &mut Remarks,
    ) -> Result<(), String> {
        match key {
            "image" => self.image = Some(image(value, place, remarks)?),
            "entrypoint" => {
                self.run = words(value)?;
                self.run.extend(written.get("command").map(words).transpose()?.unwrap_or_default());
            }
            "command" if written.get("entrypoint").is_some() => {}
            "command" => {
                return Err(
                    "`run` replaces the image's entrypoint: write the program and its arguments".into()
                );
            }
            "ports" => self.ports(value, place, remarks)?,
            "expose" if written.get("ports").is_none() => {
                self.container_port =
                    value.as_array().and_then(|all| all.first()).map(port).transpose()?.map(|it| it.1);
            }
            "expose" => {}
            "environment" => self.environment(value, place, remarks)?,
            "healthcheck" => self.health(value)?,
            "depends_on" => self.needs = names(value).iter().map(|name| label(name)).collect(),
            "stop_grace_period" => self.stop_grace = Some(duration(value)?),
            "cpus" => self.cpu = Some(known_text(value)?),
            "mem_limit" => self.memory = Some(memory(value)?),
            "scale" => self.replicas = value.as_u64(),
            "deploy" => self.deploy(value, place, remarks)?,
            "cap_add" => self.capabilities = names(value),
            other if SILENT.contains(&other) || other.starts_with("x-") => {}
            other => return Err(hint(other).to_owned()),
        }
        Ok(())
    }

    /// The first port is served; more than one is not.
    fn ports(&mut self, value: &Value, place: &str, remarks: &mut Remarks) -> Result<(), String> {
        let all = value.as_array().ok_or("it is not a list")?;
        for (index, written) in all.iter().enumerate() {
            match port(written) {
                Ok((published, target)) if self.container_port.is_none() => {
                    (self.port, self.container_port) = (published, Some(target));
                }
                Ok(_) => {
                    remarks.add(&format!("{place}[{index}]"), "left out: a service is served at one port")
                }
                Err(reason) => remarks.add(&format!("{place}[{index}]"), format!("left out: {reason}")),
            }
        }
        Ok(())
    }

    fn environment(&mut self, value: &Value, place: &str, remarks: &mut Remarks) -> Result<(), String> {
        let pairs: Vec<(String, Option<String>)> = match value {
            Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
            Value::Array(items) => items
                .iter()
                .filter_map(Value::as_str)
                .map(|pair| match pair.split_once('=') {
                    Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                    None => (pair.to_owned(), None),
                })
                .collect(),
            _ => return Err("it is neither a mapping nor a list".to_owned()),
        };
        for (name, value) in pairs {
            let place = format!("{place}.{name}");
            let secret = |variable: String| Variable::Secret(format!("env:{variable}"));
            let variable = match value.map(|value| fill_in(&value)) {
                Some(Filled::Text(text)) => Variable::Plain(text),
                Some(Filled::Variable(variable)) => secret(variable),
                // Compose hands on the variable of the same name.
                None => secret(name.clone()),
                Some(Filled::Open(reason)) => {
                    remarks.add(&place, format!("left out: {reason}"));
                    continue;
                }
            };
            self.env.insert(name, variable);
        }
        Ok(())
    }

    fn health(&mut self, value: &Value) -> Result<(), String> {
        if value["disable"] == true {
            return Ok(());
        }
        self.health = Some(health_path(&value["test"])?);
        self.interval = value.get("interval").map(duration).transpose()?;
        self.timeout = value.get("timeout").map(duration).transpose()?;
        Ok(())
    }

    fn deploy(&mut self, value: &Value, place: &str, remarks: &mut Remarks) -> Result<(), String> {
        if let Some(replicas) = value.get("replicas") {
            let replicas = known_text(replicas)?.parse().ok().filter(|count| (1..=100).contains(count));
            self.replicas = Some(replicas.ok_or("`replicas` is not a number from 1 to 100")?);
        }
        let limits = &value["resources"]["limits"];
        self.cpu = limits.get("cpus").map(known_text).transpose()?.or(self.cpu.take());
        self.memory = limits.get("memory").map(memory).transpose()?.or(self.memory.take());
        for key in value.as_object().into_iter().flatten().map(|(key, _)| key) {
            let reason = match key.as_str() {
                "replicas" | "resources" | "restart_policy" => continue,
                "update_config" | "rollback_config" => {
                    "a strategy says how versions are replaced and taken back"
                }
                "placement" => "where tasks run is left to the swarm",
                _ => "it is not known here",
            };
            remarks.add(&format!("{place}.{key}"), format!("left out: {reason}"));
        }
        Ok(())
    }
}

/// The image without its tag: the tag is the version that is deployed.
fn image(value: &Value, place: &str, remarks: &mut Remarks) -> Result<String, String> {
    let written = known_text(value)?;
    let image: pilotage_spec::ImageReference = written.parse().map_err(|error| format!("{error}"))?;
    if image.digest().is_some() {
        return Ok(written);
    }
    if let Some(tag) = image.tag() {
        remarks.add(place, format!("the tag `{tag}` is left out: a version that is deployed is its own tag"));
    }
    Ok(image.name().to_owned())
}

/// A list of names, or the keys of a mapping.
fn names(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Value::Object(fields) => fields.keys().cloned().collect(),
        _ => Vec::new(),
    }
}

fn hint(key: &str) -> &'static str {
    match key {
        "build" => "images are built and pushed before they are deployed",
        "volumes" => {
            "a service keeps nothing on disk here; `/tmp` is memory, and `writable_root` lets it write elsewhere"
        }
        "env_file" => "write its variables into `env`, secrets as `{ secret: \"file:…\" }`",
        "secrets" => "give it the secret in `env`: `{ secret: \"file:…\", as: file }`",
        "networks" | "network_mode" | "links" | "extra_hosts" | "dns" => {
            "all services of an environment share one network; `target.docker.network` names another"
        }
        "user" => "`target.docker.user` says it for all services of an environment",
        "privileged" | "devices" | "security_opt" | "sysctls" | "pid" | "ipc" => {
            "services run without rights over their host; `capabilities` keeps single ones"
        }
        "profiles" => "each environment has the services that are deployed to it",
        "extends" => "write the values out",
        _ => "it is not known here",
    }
}

/// A text as a name that the file accepts: what is not allowed becomes `-`.
pub(super) fn label(text: &str) -> String {
    const LIMIT: usize = 40;
    let allowed = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = text.chars().take(LIMIT).map(allowed).collect();
    let name = name.trim_matches('-');
    if name.is_empty() { "app".to_owned() } else { name.to_owned() }
}
