//! What Vault answers, as its API is documented.

use std::fmt;

use serde::Deserialize;
use serde_json::{Map, Value};

/// The envelope of a failure.
#[derive(Deserialize)]
pub(super) struct Failure {
    /// In Vault's words; empty where there is nothing at a path.
    pub(super) errors: Vec<String>,
}

/// The answer to a login, or to a renewal.
#[derive(Deserialize)]
pub(super) struct LoginAnswer {
    pub(super) auth: Auth,
}

/// A token.
#[derive(Deserialize)]
pub(super) struct Auth {
    pub(super) client_token: String,
    pub(super) lease_duration: u64,
    pub(super) renewable: bool,
}

/// The answer to reading a secret.
#[derive(Deserialize)]
pub(super) struct SecretAnswer {
    pub(super) data: Versioned,
}

/// One version of a secret.
#[derive(Deserialize)]
pub(super) struct Versioned {
    /// `None` once it was deleted.
    pub(super) data: Option<Map<String, Value>>,
    pub(super) metadata: Metadata,
}

/// What is known of that version.
#[derive(Deserialize)]
pub(super) struct Metadata {
    pub(super) version: u64,
    /// Empty as long as it was not deleted.
    pub(super) deletion_time: String,
    pub(super) destroyed: bool,
}

impl fmt::Display for Metadata {
    /// How it has ended.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.destroyed {
            true => write!(f, "destroyed (version {})", self.version),
            false => write!(f, "deleted (version {}, at {})", self.version, self.deletion_time),
        }
    }
}
