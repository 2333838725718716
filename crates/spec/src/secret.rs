//! How a reference to a secret is written.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::{NameError, RelativePath, SecretSource};

/// A text that does not say where a secret is.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SecretSourceError {
    /// Neither `env:` nor `file:` in front. The text is not repeated: it may be the secret itself.
    #[error("this does not say where the secret is: write `env:NAME` or `file:path`")]
    NoSource,
    /// What follows is not a name or path.
    #[error(transparent)]
    Name(#[from] NameError),
}

impl FromStr for SecretSource {
    type Err = SecretSourceError;

    /// Reads `env:NAME` or `file:path`; the path may be absolute.
    fn from_str(text: &str) -> Result<Self, SecretSourceError> {
        if let Some(name) = text.strip_prefix("env:") {
            return Ok(Self::Env(name.parse()?));
        }
        let path = text.strip_prefix("file:").ok_or(SecretSourceError::NoSource)?;
        path.strip_prefix('/').unwrap_or(path).parse::<RelativePath>()?;
        Ok(Self::File(path.to_owned()))
    }
}

impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{path}"),
        }
    }
}
