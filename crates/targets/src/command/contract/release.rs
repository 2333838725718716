//! What is to be run, as the program is told.

use std::collections::BTreeMap;
use std::fmt;

use pilotage_secrets::Secret;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

/// A release together with how one instance of it is run.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Release {
    /// The semantic version.
    pub version: String,
    /// The digest that `stage` answered: `sha256:` and 64 hexadecimal digits.
    pub digest: String,
    /// The image with its digest, if it is one: `registry/name@sha256:…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Program and arguments; empty with an image means the image's own. `$PORT` and `$NAME` for a variable of `env` are to be
    /// substituted by the program, without a shell. Variables that are secrets do not occur in it.
    pub run: Vec<String>,
    /// The port at which a container is to listen, and which it finds in `PORT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_port: Option<u16>,
    /// Environment variables of every instance.
    pub env: BTreeMap<String, Variable>,
    /// The paths that are to be probed.
    pub health: Health,
    /// What one instance may use.
    pub resources: Resources,
    /// How long an instance has from SIGTERM to SIGKILL.
    pub stop_grace_ms: u64,
    /// How long an instance may take to become ready.
    pub start_timeout_ms: u64,
    /// `http1` or `http2`.
    pub protocol: String,
}

/// The value of an environment variable.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Variable {
    /// The value. A secret has one only if `describe` asked for `values`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Confidential>,
    /// Where the secret is, as the file says it, for instance `vault:kv/shop#password`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// The variable is to hold the path of a file with the secret, not the secret itself.
    #[serde(default, skip_serializing_if = "is_false")]
    pub file: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands references to this")]
fn is_false(value: &bool) -> bool {
    !*value
}

/// A text that is handed to the program and shown to nobody else.
#[derive(Clone)]
pub struct Confidential(Secret);

impl Confidential {
    /// The text of a secret, or nothing if it is no text.
    pub fn of(secret: Secret) -> Option<Self> {
        secret.expose_text().is_some().then_some(Self(secret))
    }
}

impl From<&str> for Confidential {
    fn from(text: &str) -> Self {
        Self(Secret::from(text.to_owned()))
    }
}

impl Serialize for Confidential {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // It has been found to be a text when it was made.
        serializer.serialize_str(self.0.expose_text().unwrap_or_default())
    }
}

impl fmt::Debug for Confidential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[masked]")
    }
}

impl JsonSchema for Confidential {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Text".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string" })
    }
}

/// The paths that are probed over HTTP, each answered with a status from 200 to 399 when all is well.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Health {
    /// Whether it works at all; an instance that fails it is to be replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub live: Option<String>,
    /// Whether it can take traffic. Without one, an accepted connection counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready: Option<String>,
    /// The time between two probes.
    pub interval_ms: u64,
    /// How long one may take.
    pub timeout_ms: u64,
}

/// What one instance may use; what is not given is not limited by Pilotage.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Resources {
    /// Thousandths of a processor core.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_millis: Option<u32>,
    /// Bytes of memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
}
