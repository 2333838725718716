//! One service of a Compose file.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Remarks;
use super::fields::{duration, health_path, known_text, memory, port, text, words};
use super::hint::{hint, is_so_anyway};
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
    /// What it is called in the Compose file.
    pub name: String,
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

impl Service {
    /// Reads it; what is not understood is said.
    pub fn read(name: &str, written: &Value, remarks: &mut Remarks) -> Self {
        let is_read_only = written["read_only"] == true;
        let mut service = Self { name: name.to_owned(), is_read_only, ..Self::default() };
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

    /// Where a key of it stands in the Compose file.
    pub fn place(&self, key: &str) -> String {
        format!("services.{}.{key}", self.name)
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
                let mut run = words(value)?;
                run.extend(written.get("command").map(words).transpose()?.unwrap_or_default());
                self.run = run;
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
            "healthcheck" => self.health(value, place, remarks)?,
            "depends_on" => self.needs = names(value).iter().map(|name| label(name)).collect(),
            "stop_grace_period" => self.stop_grace = Some(duration(value)?),
            "cpus" => self.cpu = Some(known_text(value)?),
            "mem_limit" => self.memory = Some(memory(value)?),
            "scale" => {
                let count = known_text(value)?.parse::<u64>();
                self.replicas = Some(count.map_err(|_| "it is not a whole number")?);
            }
            "deploy" => self.deploy(value, place, remarks)?,
            "cap_add" => self.capabilities = capabilities(value)?,
            other if is_so_anyway(other, value) => {}
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

    fn health(&mut self, value: &Value, place: &str, remarks: &mut Remarks) -> Result<(), String> {
        if value["disable"] == true {
            return Ok(());
        }
        self.health = Some(health_path(&value["test"])?);
        for (key, written) in value.as_object().into_iter().flatten() {
            let reason = match key.as_str() {
                "test" | "disable" => continue,
                "interval" => duration(written).map(|time| self.interval = Some(time)).err(),
                "timeout" => duration(written).map(|time| self.timeout = Some(time)).err(),
                "retries" => Some("three probes that fail in a row count".to_owned()),
                "start_period" | "start_interval" => {
                    Some("`start_timeout` says how long an instance may take to become ready".to_owned())
                }
                _ => Some("it is not known here".to_owned()),
            };
            if let Some(reason) = reason {
                remarks.add(&format!("{place}.{key}"), format!("left out: {reason}"));
            }
        }
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
        if !value["resources"]["reservations"].is_null() {
            let words = "left out: only limits are known; a container gets what it needs up to them";
            remarks.add(&format!("{place}.resources.reservations"), words);
        }
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
    let raw = text(value).ok_or("it is not a single value")?;
    if let Some((name, tag)) = raw.rsplit_once(":$").filter(|(_, tag)| !tag.contains(['/', '@'])) {
        // Whatever it stands for, it is the version's place.
        remarks
            .add(place, format!("the tag `${tag}` is left out: a version that is deployed is its own tag"));
        return image(&Value::String(name.to_owned()), place, remarks);
    }
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

/// Single capabilities as capabilities(7) calls them, without `CAP_`.
fn capabilities(value: &Value) -> Result<Vec<String>, String> {
    let single = |name: String| {
        let plain = name.to_ascii_uppercase().trim_start_matches("CAP_").to_owned();
        match plain.chars().all(|c| c.is_ascii_uppercase() || c == '_') && plain != "ALL" {
            true => Ok(plain),
            false => Err(format!("`{name}` is not a single capability")),
        }
    };
    names(value).into_iter().map(single).collect()
}

/// A text as a name that the file accepts: what is not allowed becomes `-`.
pub(super) fn label(text: &str) -> String {
    const LIMIT: usize = 40;
    let allowed = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = text.chars().take(LIMIT).map(allowed).collect();
    let name = name.trim_matches('-');
    if name.is_empty() { "app".to_owned() } else { name.to_owned() }
}
