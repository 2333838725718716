//! Docker hosts.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::SecretSource;
use crate::quote::shown;

/// A Docker Engine, podman, or the manager of a Swarm, and how containers are run there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DockerSettings {
    /// Where the engine answers.
    pub host: EngineHost,
    /// Certificates for an engine that is reached over TCP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsFiles>,
    /// The network of the containers; without it, one is made for the environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// Whether services may write to their own file system.
    #[serde(default)]
    pub writable_root: bool,
    /// Linux capabilities that services keep, such as `NET_BIND_SERVICE`; all others are dropped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<String>,
    /// The user that services run as, `user` or `user:group`; without it, the image's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Who we are at the registry of the images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<RegistryLogin>,
    /// How many images of a service are kept beside those in use.
    pub keep_images: u32,
}

impl DockerSettings {
    /// The defaults at a host.
    pub fn at(host: EngineHost) -> Self {
        Self {
            host,
            tls: None,
            network: None,
            writable_root: false,
            capabilities: Vec::new(),
            user: None,
            registry: None,
            keep_images: 5,
        }
    }
}

/// Files in PEM, absolute or relative to the project's folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsFiles {
    /// Who has signed the engine's certificate.
    pub ca: String,
    /// Our certificate.
    pub cert: String,
    /// Its key.
    pub key: String,
}

/// Who we are at a registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistryLogin {
    /// The name.
    pub username: String,
    /// Where the password is read.
    pub password: SecretSource,
}

/// Where an engine answers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum EngineHost {
    /// A unix socket, by its absolute path.
    Unix(String),
    /// `user@host` or `user@host:port`, by the `ssh` program.
    Ssh(String),
    /// `host:port`.
    Tcp(String),
}

/// A text that is no such address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no address of an engine: write `unix:///path`, `ssh://user@host` or `tcp://host:port`")]
pub struct EngineHostError(String);

impl EngineHost {
    /// Where Docker listens unless it is told otherwise.
    pub const USUAL: &'static str = "unix:///var/run/docker.sock";

    /// Whether it is an engine of this machine, so that its containers' own addresses can be reached.
    pub fn is_local(&self) -> bool {
        matches!(self, Self::Unix(_))
    }
}

impl FromStr for EngineHost {
    type Err = EngineHostError;

    fn from_str(text: &str) -> Result<Self, EngineHostError> {
        let odd = || EngineHostError(shown(text));
        let (scheme, rest) = text.split_once("://").ok_or_else(odd)?;
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._@:[]".contains(c);
        let is_place = !rest.is_empty() && !rest.starts_with('-') && rest.chars().all(plain);
        match scheme {
            "unix" if rest.starts_with('/') && !rest.chars().any(char::is_control) => {
                Ok(Self::Unix(rest.to_owned()))
            }
            // A host that begins with `-` would be an option of `ssh`.
            "ssh" if is_place && !rest.contains("@-") => Ok(Self::Ssh(rest.to_owned())),
            "tcp" if is_place && rest.contains(':') && !rest.contains('@') => Ok(Self::Tcp(rest.to_owned())),
            _ => Err(odd()),
        }
    }
}

impl fmt::Display for EngineHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{path}"),
            Self::Ssh(place) => write!(f, "ssh://{place}"),
            Self::Tcp(place) => write!(f, "tcp://{place}"),
        }
    }
}

impl TryFrom<String> for EngineHost {
    type Error = EngineHostError;

    fn try_from(text: String) -> Result<Self, EngineHostError> {
        text.parse()
    }
}

impl From<EngineHost> for String {
    fn from(host: EngineHost) -> Self {
        host.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_written_alike() {
        for text in [
            "unix:///var/run/docker.sock",
            "ssh://deploy@host",
            "ssh://deploy@host:2222",
            "tcp://10.0.0.1:2376",
        ] {
            assert_eq!(text.parse::<EngineHost>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_could_be_an_option_or_a_command_is_refused() {
        for text in [
            "ssh://-oProxyCommand=x",
            "ssh://a@-b",
            "ssh://a b",
            "ssh://a;b",
            "unix://relative",
            "tcp://host",
            "http://host:1",
            "",
        ] {
            assert!(text.parse::<EngineHost>().is_err(), "{text}");
        }
    }
}
