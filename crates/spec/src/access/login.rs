//! How a principal is recognised.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{ClaimValue, SignInName};
use crate::{NameError, PrincipalName};

/// How a principal is recognised, beside tokens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Login {
    /// By the user of the process at the other end of the unix socket: `unix:NAME`; `unix:uid:NUMBER` for one without a name.
    Unix(PrincipalName),
    /// By an id token of a place where people sign in: `oidc:SIGN_IN#VALUE`.
    Oidc {
        /// The place.
        sign_in: SignInName,
        /// What its claim must say, exactly.
        value: ClaimValue,
    },
}

/// A text that does not say how somebody is recognised.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LoginError {
    /// It begins with no known word.
    #[error("a login is `unix:USER`, or `oidc:SIGN_IN#VALUE` with a name under `sign_in`")]
    Form,
    /// What follows is not a name.
    #[error(transparent)]
    Name(#[from] NameError),
}

impl FromStr for Login {
    type Err = LoginError;

    fn from_str(text: &str) -> Result<Self, LoginError> {
        if let Some(user) = text.strip_prefix("unix:") {
            return Ok(Self::Unix(user.parse()?));
        }
        let rest = text.strip_prefix("oidc:").ok_or(LoginError::Form)?;
        let (sign_in, value) = rest.split_once('#').ok_or(LoginError::Form)?;
        Ok(Self::Oidc { sign_in: sign_in.parse()?, value: value.parse()? })
    }
}

impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(user) => write!(f, "unix:{user}"),
            Self::Oidc { sign_in, value } => write!(f, "oidc:{sign_in}#{value}"),
        }
    }
}

impl TryFrom<String> for Login {
    type Error = LoginError;

    fn try_from(text: String) -> Result<Self, LoginError> {
        text.parse()
    }
}

impl From<Login> for String {
    fn from(login: Login) -> Self {
        login.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_written_as_they_are_read() {
        for text in ["unix:anna", "unix:uid:1000", "oidc:company#anna@shop.example", "oidc:company#00u1#b"] {
            assert_eq!(text.parse::<Login>().unwrap().to_string(), text);
        }
        for text in ["", "anna", "unix:", "unix:а", "oidc:company", "oidc:#x", "oidc:company#", "ldap:anna"]
        {
            assert!(text.parse::<Login>().is_err(), "{text:?}");
        }
    }
}
