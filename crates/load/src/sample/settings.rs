//! The settings of the sample service: from flags, or from a JSON file of the same names.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};
use thiserror::Error;

/// How the sample service behaves. Every setting has a default that is well behaved.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SampleSettings {
    /// The version it says it is.
    pub version: String,
    /// The name of this instance.
    pub instance: String,
    /// The address at which the port is: this machine only, unless in a container.
    pub host: IpAddr,
    /// The port.
    pub port: Option<u16>,
    /// The unix socket to listen on instead.
    pub socket: Option<PathBuf>,
    /// Which requests fail and how long each takes follows from this number.
    pub seed: u64,
    /// The share of requests that fail with 500, from 0 to 1.
    pub error_rate: f64,
    /// They fail only from so long after the start on, in milliseconds.
    pub errors_after_ms: u64,
    /// How long each request takes, in milliseconds.
    pub latency_ms: u64,
    /// Up to so many milliseconds more, evenly spread.
    pub latency_jitter_ms: u64,
    /// `/ready` answers 503 for so long after the start, in milliseconds.
    pub ready_after_ms: u64,
    /// The process ends with an error so long after the start, in milliseconds, whatever it is doing.
    pub crash_after_ms: Option<u64>,
    /// SIGTERM changes nothing.
    pub ignore_sigterm: bool,
    /// So many lines a second are written to standard output.
    pub log_flood: u64,
}

impl Default for SampleSettings {
    fn default() -> Self {
        Self {
            version: "0.0.0".to_owned(),
            instance: format!("sample-{}", std::process::id()),
            host: Ipv4Addr::LOCALHOST.into(),
            port: None,
            socket: None,
            seed: 1,
            error_rate: 0.0,
            errors_after_ms: 0,
            latency_ms: 0,
            latency_jitter_ms: 0,
            ready_after_ms: 0,
            crash_after_ms: None,
            ignore_sigterm: false,
            log_flood: 0,
        }
    }
}

/// Settings that cannot be used.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// A word that is not `--name value` or `--name=value`.
    #[error("`{word}` is not a setting; write --name value, for example --error-rate 0.1")]
    NotAFlag {
        /// The word.
        word: String,
    },
    /// A flag without its value.
    #[error("--{name} needs a value")]
    NoValue {
        /// The flag's name.
        name: String,
    },
    /// The file cannot be read.
    #[error("settings file {path}: {source}")]
    Unreadable {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A name or value that is not known.
    #[error("{origin}: {source}")]
    Unknown {
        /// Where it was found.
        origin: String,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// A share that is not one.
    #[error("error_rate is {found}; it must be from 0 to 1")]
    ErrorRate {
        /// The number found.
        found: f64,
    },
}

impl SampleSettings {
    /// Reads `--name value` and `--name=value`, with `-` for `_` in names. `--settings FILE` reads a JSON file first;
    /// flags win over it. `--ignore-sigterm` may stand alone.
    pub fn from_arguments(arguments: &[String]) -> Result<Self, SettingsError> {
        let mut flags = Map::new();
        let mut file = None;
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let flag = word.strip_prefix("--").filter(|flag| !flag.is_empty());
            let flag = flag.ok_or_else(|| SettingsError::NotAFlag { word: word.clone() })?;
            let (name, inline) = match flag.split_once('=') {
                Some((name, value)) => (name.replace('-', "_"), Some(value.to_owned())),
                None => (flag.replace('-', "_"), None),
            };
            if name == "ignore_sigterm" && inline.is_none() {
                flags.insert(name, Value::Bool(true));
                continue;
            }
            let no_value = || SettingsError::NoValue { name: name.replace('_', "-") };
            let value = inline.or_else(|| words.next().cloned()).ok_or_else(no_value)?;
            match name.as_str() {
                "settings" => file = Some(PathBuf::from(value)),
                "version" | "instance" | "socket" => drop(flags.insert(name, Value::String(value))),
                _ => drop(flags.insert(name, plain_value(value))),
            }
        }
        let (mut fields, origin) = match &file {
            Some(path) => (read_object(path)?, format!("flags or {}", path.display())),
            None => (Map::new(), "flags".to_owned()),
        };
        fields.extend(flags);
        let settings: Self = serde_json::from_value(Value::Object(fields))
            .map_err(|source| SettingsError::Unknown { origin, source })?;
        settings.checked()
    }

    fn checked(self) -> Result<Self, SettingsError> {
        if (0.0..=1.0).contains(&self.error_rate) {
            Ok(self)
        } else {
            Err(SettingsError::ErrorRate { found: self.error_rate })
        }
    }
}

/// A number or truth value if the text is one, else the text.
fn plain_value(text: String) -> Value {
    match serde_json::from_str(&text) {
        Ok(value @ (Value::Number(_) | Value::Bool(_))) => value,
        _ => Value::String(text),
    }
}

fn read_object(path: &Path) -> Result<Map<String, Value>, SettingsError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| SettingsError::Unreadable { path: path.to_owned(), source })?;
    serde_json::from_str(&text)
        .map_err(|source| SettingsError::Unknown { origin: path.display().to_string(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(words: &[&str]) -> Result<SampleSettings, SettingsError> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        SampleSettings::from_arguments(&words)
    }

    #[test]
    fn flags_are_read_in_both_forms() {
        let read =
            settings(&["--version", "1.0", "--error-rate=0.1", "--ignore-sigterm", "--latency-ms", "5"]);
        let read = read.unwrap();
        assert_eq!((read.version.as_str(), read.error_rate, read.latency_ms), ("1.0", 0.1, 5));
        assert!(read.ignore_sigterm);
        assert!(read.host.is_loopback(), "not for others unless told");
        assert!(settings(&["--host", "0.0.0.0"]).unwrap().host.is_unspecified());
    }

    #[test]
    fn flags_win_over_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.json");
        std::fs::write(&path, r#"{"version": "2.0.0", "latency_ms": 40}"#).unwrap();
        let read = settings(&["--settings", path.to_str().unwrap(), "--latency-ms", "1"]).unwrap();
        assert_eq!((read.version.as_str(), read.latency_ms), ("2.0.0", 1));
    }

    #[test]
    fn mistakes_are_named() {
        let message = |words: &[&str]| settings(words).unwrap_err().to_string();
        assert!(message(&["--eror-rate", "1"]).contains("unknown field `eror_rate`"));
        assert!(message(&["--error-rate", "7"]).contains("from 0 to 1"));
        assert!(message(&["--latency-ms"]).contains("--latency-ms needs a value"));
        assert!(message(&["fast"]).contains("`fast` is not a setting"));
        assert!(message(&["--settings", "/nowhere.json"]).contains("/nowhere.json"));
    }
}
