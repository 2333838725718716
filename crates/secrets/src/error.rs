//! Why a secret is not there: what, where, and what to do; never a value.

use pilotage_spec::SecretSource;
use thiserror::Error;

use crate::{AgeError, CommandError, FileError, KubernetesError, LIMIT_BYTES, VaultError};

/// Why a secret cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("secret {reference}: {fault}")]
pub struct SecretError {
    /// The reference as written in the file.
    pub reference: String,
    /// Why.
    pub fault: SecretFault,
}

impl SecretError {
    pub(crate) fn new(source: &SecretSource, fault: impl Into<SecretFault>) -> Self {
        Self { reference: source.to_string(), fault: fault.into() }
    }
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SecretFault {
    /// A variable of the control plane.
    #[error(
        "the variable {variable} is not set where Pilotage's server runs; set it there and restart the server"
    )]
    NotSet {
        /// Its name.
        variable: String,
    },
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// Vault.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// Kubernetes.
    #[error(transparent)]
    Kubernetes(#[from] KubernetesError),
    /// An age file.
    #[error(transparent)]
    Age(#[from] AgeError),
    /// A command.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// `pilotage.yaml` does not say how the place is reached.
    #[error("`secrets.{key}` of pilotage.yaml is missing, which says how it is reached; add it")]
    NoSettings {
        /// The missing key.
        key: &'static str,
    },
    /// Another secret is needed to read it, which itself is needed for others.
    #[error("it is needed before other secrets can be read; refer to it by `env:`, `file:` or `command:`")]
    NotLocal,
    /// Nothing is there, which is surely a mistake.
    #[error("it is empty; store a value there")]
    Empty,
    /// More than a secret may have.
    #[error("it is longer than {} KiB, so it is hardly what was meant; refer to something shorter", LIMIT_BYTES >> 10)]
    TooLong,
    /// It is to be a text and is none.
    #[error(
        "it is not UTF-8 text without a zero byte, which no variable can hold; write `as: file` beside `secret`"
    )]
    NotText,
    /// It is to be sent in a header, which cannot hold it.
    #[error("it holds characters that a header cannot carry; look for a line break where it is stored")]
    NotSendable,
    /// It took longer than any secret may.
    #[error("it was not read within {seconds} s; look at what it is read from")]
    TookTooLong {
        /// The limit.
        seconds: u64,
    },
}
