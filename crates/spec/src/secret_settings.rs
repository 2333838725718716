//! How the sources of secrets are reached: `secrets` of `pilotage.yaml`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{SecretCommandName, SecretSource, VaultPath, duration_ms};

/// How the sources of secrets are reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretSettings {
    /// How often the secrets that services have as files are read anew. `None`: only when an instance starts.
    #[serde(
        default,
        with = "duration_ms::option",
        rename = "refresh_ms",
        skip_serializing_if = "Option::is_none"
    )]
    pub refresh: Option<Duration>,
    /// The Vault server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vault: Option<VaultSettings>,
    /// The cluster with the Secrets.
    #[serde(default)]
    pub kubernetes: KubernetesSecretSettings,
    /// The reference to the identities that decrypt age files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_identity: Option<SecretSource>,
    /// Programs that write a secret, with their arguments.
    #[serde(default)]
    pub commands: BTreeMap<SecretCommandName, Vec<String>>,
}

impl SecretSettings {
    /// Whether nothing is set.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A Vault server, or what speaks its protocol, as `OpenBao` does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VaultSettings {
    /// Its base URL, `http://…` or `https://…`.
    pub url: String,
    /// The namespace, for the servers that have some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<VaultPath>,
    /// A file with the certificates to trust instead of the machine's, in PEM; absolute or relative to the project's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<String>,
    /// How a token is come by.
    pub login: VaultLogin,
}

/// How a token of Vault is come by. The references are to places that need no Vault themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VaultLogin {
    /// It is there already.
    Token(SecretSource),
    /// By the `AppRole` method.
    AppRole {
        /// Where the method is mounted.
        mount: VaultPath,
        /// The role's id.
        role_id: SecretSource,
        /// Its secret id.
        secret_id: SecretSource,
    },
    /// By a signed token: the methods `kubernetes` and `jwt`.
    Jwt {
        /// Where the method is mounted.
        mount: VaultPath,
        /// The role.
        role: String,
        /// The signed token.
        token: SecretSource,
    },
}

/// Which cluster is asked, and as whom. Without any, the cluster in which the control plane itself runs, or else the usual
/// `kubeconfig` with its current context.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KubernetesSecretSettings {
    /// A `kubeconfig` file, absolute or relative to the project's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubeconfig: Option<String>,
    /// One of its contexts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
}
