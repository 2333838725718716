//! Where a secret is, and how that is written.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::name::text_type;
use crate::{NameError, Namespace, RelativePath, SecretCommandName, VariableName};

/// Where a secret is read from. It is recorded, and says nothing of the secret's value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretSource {
    /// A variable in the environment of the control plane.
    Env(VariableName),
    /// A file, absolute or relative to the folder of `pilotage.yaml`; one trailing line break is dropped.
    File(String),
    /// A field of a secret in Vault's key-value store, version 2.
    Vault(VaultSecret),
    /// A key of a Secret of Kubernetes.
    Kubernetes(KubernetesSecret),
    /// A file that was encrypted with age, or a field of it.
    Age(AgeFile),
    /// What a command of `secrets.commands` writes; one trailing line break is dropped.
    Command(SecretCommandName),
}

/// A text that does not say where a secret is.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SecretSourceError {
    /// None of the known words in front. The text is not repeated: it may be the secret itself.
    #[error(
        "this does not say where the secret is: write `env:NAME`, `file:path`, `vault:MOUNT/PATH#FIELD`, \
         `kubernetes:NAMESPACE/NAME#KEY`, `age:path` or `command:NAME`"
    )]
    NoSource,
    /// A part that is needed is not there.
    #[error("a part of the reference is missing: write `{form}`")]
    Incomplete {
        /// How such a reference is written.
        form: &'static str,
    },
    /// What follows is not a name or path.
    #[error(transparent)]
    Name(#[from] NameError),
}

impl FromStr for SecretSource {
    type Err = SecretSourceError;

    /// Reads a reference; paths of files may be absolute.
    fn from_str(text: &str) -> Result<Self, SecretSourceError> {
        let (kind, rest) = text.split_once(':').ok_or(SecretSourceError::NoSource)?;
        Ok(match kind {
            "env" => Self::Env(rest.parse()?),
            "file" => Self::File(file_path(rest)?),
            "vault" => Self::Vault(rest.parse()?),
            "kubernetes" => Self::Kubernetes(rest.parse()?),
            "age" => Self::Age(rest.parse()?),
            "command" => Self::Command(rest.parse()?),
            _ => return Err(SecretSourceError::NoSource),
        })
    }
}

impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{path}"),
            Self::Vault(secret) => write!(f, "vault:{secret}"),
            Self::Kubernetes(secret) => write!(f, "kubernetes:{secret}"),
            Self::Age(file) => write!(f, "age:{file}"),
            Self::Command(name) => write!(f, "command:{name}"),
        }
    }
}

/// Implements what a reference of several parts needs beside [`FromStr`] and [`fmt::Display`] to be recorded as a text.
macro_rules! recorded_as_text {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = SecretSourceError;

            fn try_from(text: String) -> Result<Self, SecretSourceError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(reference: $name) -> String {
                reference.to_string()
            }
        }
    };
}

/// `MOUNT/PATH#FIELD`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VaultSecret {
    /// Where the key-value store is mounted: the first part of the path.
    pub mount: VaultPath,
    /// The rest of the path.
    pub path: VaultPath,
    /// The field of the secret.
    pub field: SecretKey,
}

recorded_as_text!(VaultSecret);

impl FromStr for VaultSecret {
    type Err = SecretSourceError;

    fn from_str(text: &str) -> Result<Self, SecretSourceError> {
        let incomplete = SecretSourceError::Incomplete { form: "vault:MOUNT/PATH#FIELD" };
        let (place, field) = text.split_once('#').ok_or(incomplete.clone())?;
        let (mount, path) = place.split_once('/').ok_or(incomplete)?;
        Ok(Self { mount: mount.parse()?, path: path.parse()?, field: field.parse()? })
    }
}

impl fmt::Display for VaultSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}#{}", self.mount, self.path, self.field)
    }
}

/// `NAMESPACE/NAME#KEY`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KubernetesSecret {
    /// The namespace.
    pub namespace: Namespace,
    /// The name of the Secret.
    pub name: KubernetesName,
    /// The key in its `data`.
    pub key: SecretKey,
}

recorded_as_text!(KubernetesSecret);

impl FromStr for KubernetesSecret {
    type Err = SecretSourceError;

    fn from_str(text: &str) -> Result<Self, SecretSourceError> {
        let incomplete = SecretSourceError::Incomplete { form: "kubernetes:NAMESPACE/NAME#KEY" };
        let (place, key) = text.split_once('#').ok_or(incomplete.clone())?;
        let (namespace, name) = place.split_once('/').ok_or(incomplete)?;
        Ok(Self { namespace: namespace.parse()?, name: name.parse()?, key: key.parse()? })
    }
}

impl fmt::Display for KubernetesSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}#{}", self.namespace, self.name, self.key)
    }
}

/// `FILE`, whose whole text is the secret, or `FILE#FIELD`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AgeFile {
    /// The encrypted file, absolute or relative to the folder of `pilotage.yaml`.
    pub file: String,
    /// The field of the decrypted JSON object, or of its `KEY=value` lines.
    pub field: Option<SecretKey>,
}

recorded_as_text!(AgeFile);

impl FromStr for AgeFile {
    type Err = SecretSourceError;

    fn from_str(text: &str) -> Result<Self, SecretSourceError> {
        let (file, field) = match text.split_once('#') {
            Some((file, field)) => (file, Some(field.parse()?)),
            None => (text, None),
        };
        Ok(Self { file: file_path(file)?, field })
    }
}

impl fmt::Display for AgeFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        self.field.as_ref().map_or(Ok(()), |field| write!(f, "#{field}"))
    }
}

fn file_path(text: &str) -> Result<String, NameError> {
    text.strip_prefix('/').unwrap_or(text).parse::<RelativePath>()?;
    Ok(text.to_owned())
}

text_type!(
    /// A path in Vault: parts of letters, digits, `.`, `_` and `-` with `/` between them, 512 at most.
    VaultPath, "path in Vault", check_vault_path
);
text_type!(
    /// The name of an object of Kubernetes: a DNS subdomain (RFC 1123), 253 at most.
    KubernetesName, "name of a Kubernetes Secret", check_subdomain
);
text_type!(
    /// A field of a secret: letters, digits, `.`, `_` and `-`, 253 at most, as Kubernetes allows for keys.
    SecretKey, "field of a secret", check_key
);

fn check_vault_path(kind: &'static str, text: &str) -> Result<(), NameError> {
    let part = |part: &str| !part.is_empty() && !matches!(part, "." | "..") && part.chars().all(is_key);
    let rule = "use letters, digits, `.`, `_`, `-` and `/` between the parts, and no part that is empty, `.` or `..`";
    check(kind, text, 512, rule, |text| text.split('/').all(part))
}

fn check_subdomain(kind: &'static str, text: &str) -> Result<(), NameError> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let label = |label: &str| {
        !label.is_empty() && label.chars().all(allowed) && !label.starts_with('-') && !label.ends_with('-')
    };
    let rule =
        "use lower-case letters, digits, `-` and `.`, each part starting and ending with a letter or digit";
    check(kind, text, 253, rule, |text| text.split('.').all(label))
}

fn check_key(kind: &'static str, text: &str) -> Result<(), NameError> {
    let rule = "use letters, digits, `.`, `_` and `-`";
    check(kind, text, 253, rule, |text| text.chars().all(is_key))
}

fn is_key(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

fn check(
    kind: &'static str,
    text: &str,
    limit: usize,
    rule: &'static str,
    keeps: impl Fn(&str) -> bool,
) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty { kind });
    }
    if text.len() > limit {
        return Err(NameError::TooLong { kind, length: text.chars().count(), limit });
    }
    if keeps(text) { Ok(()) } else { Err(NameError::malformed(kind, text, rule)) }
}
