//! Names and paths. One rule each, checked when the value is made, so that nothing with `..`, white space or shell
//! characters gets further.

use thiserror::Error;

use crate::quote::shown;

/// Why a text is not a name or path of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NameError {
    /// Nothing was given.
    #[error("{kind} must not be empty")]
    Empty {
        /// What the text was to be.
        kind: &'static str,
    },
    /// More than the longest allowed text.
    #[error("{kind} is {length} characters long; at most {limit} are allowed")]
    TooLong {
        /// What the text was to be.
        kind: &'static str,
        /// Its length, in characters.
        length: usize,
        /// The greatest allowed length, in characters.
        limit: usize,
    },
    /// A character that is not allowed, or not there.
    #[error("{kind} `{text}` is not allowed: {rule}")]
    Malformed {
        /// What the text was to be.
        kind: &'static str,
        /// The text, with control characters escaped and cut if it is long.
        text: String,
        /// The rule it breaks, in words.
        rule: &'static str,
    },
}

impl NameError {
    pub(crate) fn malformed(kind: &'static str, text: &str, rule: &'static str) -> Self {
        Self::Malformed { kind, text: shown(text), rule }
    }
}

const LABEL_LIMIT: usize = 63;
const LABEL_RULE: &str =
    "use lower-case letters, digits and `-`, starting and ending with a letter or digit, 63 at most";

/// A DNS label (RFC 1123): what Kubernetes accepts for services and namespaces.
pub(crate) fn check_label(kind: &'static str, text: &str) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty { kind });
    }
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !text.chars().all(allowed) || text.starts_with('-') || text.ends_with('-') {
        return Err(NameError::malformed(kind, text, LABEL_RULE));
    }
    let length = text.len();
    if length > LABEL_LIMIT {
        return Err(NameError::TooLong { kind, length, limit: LABEL_LIMIT });
    }
    Ok(())
}

/// A text that is checked once, when the value is made.
macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// What such a text is called in messages.
            pub const KIND: &'static str = $kind;

            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                let check: fn(&'static str, &str) -> Result<(), NameError> = $check;
                check($kind, text)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

pub(crate) use text_type;

text_type!(
    /// The name of the project: a DNS label.
    ProjectName, "project name", check_label
);
text_type!(
    /// The name of a service: a DNS label.
    ServiceName, "service name", check_label
);
text_type!(
    /// The name of an environment: a DNS label.
    EnvironmentName, "environment name", check_label
);
text_type!(
    /// The name of a strategy: a DNS label.
    StrategyName, "strategy name", check_label
);
text_type!(
    /// The name of a role or a group of principals: a DNS label.
    RoleName, "name of a role or group", check_label
);
text_type!(
    /// The name of a set of windows in which deployments are allowed: a DNS label.
    WindowName, "name of a window", check_label
);
text_type!(
    /// The name of a ticket system: a DNS label.
    TicketSystemName, "name of a ticket system", check_label
);
text_type!(
    /// The name of a condition: a DNS label.
    ConditionName, "name of a condition", check_label
);
text_type!(
    /// The name of a source of alerts: a DNS label.
    HookName, "name of a hook", check_label
);
text_type!(
    /// The name of a list of waves.
    WavesName, "name of waves", check_label
);
text_type!(
    /// The name of a cluster, by which it is registered: a DNS label.
    ClusterName, "name of a cluster", check_label
);
text_type!(
    /// A namespace of a cluster: a DNS label.
    Namespace, "namespace", check_label
);
text_type!(
    /// The name of a command that writes a secret: a DNS label.
    SecretCommandName, "name of a command", check_label
);
text_type!(
    /// The name of an environment variable: `[A-Za-z_][A-Za-z0-9_]*`, 128 at most.
    VariableName, "variable name", check_variable
);
text_type!(
    /// The path of a URL: starts with `/`, visible ASCII only, no `..`, no fragment.
    HttpPath, "URL path", check_http_path
);
text_type!(
    /// A path below the project's folder: relative, no `..`, no control or shell characters.
    RelativePath, "path", check_relative_path
);

fn check_variable(kind: &'static str, text: &str) -> Result<(), NameError> {
    const LIMIT: usize = 128;
    let Some(first) = text.chars().next() else { return Err(NameError::Empty { kind }) };
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if first.is_ascii_digit() || !text.chars().all(word) {
        return Err(NameError::malformed(
            kind,
            text,
            "use letters, digits and `_`, not starting with a digit",
        ));
    }
    if text.len() > LIMIT {
        return Err(NameError::TooLong { kind, length: text.len(), limit: LIMIT });
    }
    Ok(())
}

fn check_http_path(kind: &'static str, text: &str) -> Result<(), NameError> {
    const LIMIT: usize = 1024;
    if text.is_empty() {
        return Err(NameError::Empty { kind });
    }
    if !text.starts_with('/') {
        return Err(NameError::malformed(kind, text, "it must start with `/`"));
    }
    let visible =
        |c: char| c.is_ascii_graphic() && !matches!(c, '#' | '"' | '<' | '>' | '\\' | '`' | '{' | '}');
    if !text.chars().all(visible) {
        return Err(NameError::malformed(
            kind,
            text,
            "use visible ASCII characters, percent-encoding all others",
        ));
    }
    if has_parent_segment(text.split('?').next().unwrap_or(text)) {
        return Err(NameError::malformed(kind, text, "`..` is not allowed"));
    }
    if text.len() > LIMIT {
        return Err(NameError::TooLong { kind, length: text.len(), limit: LIMIT });
    }
    Ok(())
}

fn check_relative_path(kind: &'static str, text: &str) -> Result<(), NameError> {
    const LIMIT: usize = 1024;
    if text.is_empty() {
        return Err(NameError::Empty { kind });
    }
    if text.starts_with('/') || text.starts_with('~') {
        return Err(NameError::malformed(kind, text, "it must be relative to the folder of pilotage.yaml"));
    }
    if has_parent_segment(text) {
        return Err(NameError::malformed(kind, text, "`..` is not allowed"));
    }
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | '+' | '@' | '=' | ',');
    if !text.chars().all(allowed) || text.starts_with('-') {
        return Err(NameError::malformed(
            kind,
            text,
            "use letters, digits and `/ . - _ + @ = ,` only, not starting with `-`",
        ));
    }
    if text.len() > LIMIT {
        return Err(NameError::TooLong { kind, length: text.len(), limit: LIMIT });
    }
    Ok(())
}

fn has_parent_segment(path: &str) -> bool {
    path.split('/').any(|segment| segment == "..")
}
