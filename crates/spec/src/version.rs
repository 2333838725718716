//! Semantic versions, with an optional leading `v` that is dropped.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A semantic version (semver 2.0), as written in a release. A leading `v` is accepted and dropped.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version(semver::Version);

/// A text that is not a semantic version.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not a semantic version: {reason}; write it as MAJOR.MINOR.PATCH, for example 1.4.0")]
pub struct VersionError {
    text: String,
    reason: String,
}

const LIMIT: usize = 64;

impl Version {
    /// The same version with one more part at the end of its build metadata: `1.0.0` and `x` make `1.0.0+x`.
    ///
    /// # Errors
    /// Fails if the result is longer than a version may be, or `part` is not made of letters, digits and hyphens.
    pub fn with_build(&self, part: &str) -> Result<Self, VersionError> {
        let mark = if self.0.build.is_empty() { '+' } else { '.' };
        format!("{self}{mark}{part}").parse()
    }
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let error = |reason: String| VersionError {
            text: text.chars().take(LIMIT).flat_map(char::escape_debug).collect(),
            reason,
        };
        let bare = text.strip_prefix('v').unwrap_or(text);
        if bare.len() > LIMIT {
            return Err(error(format!("it is longer than {LIMIT} characters")));
        }
        semver::Version::parse(bare).map(Self).map_err(|e| error(e.to_string()))
    }
}

impl TryFrom<String> for Version {
    type Error = VersionError;

    fn try_from(text: String) -> Result<Self, VersionError> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> String {
        version.0.to_string()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.to_string())
    }
}
