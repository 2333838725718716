//! Why Vault did not say a secret.

use thiserror::Error;

/// Why Vault did not say a secret. Messages name the server and the path, never a token or value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum VaultError {
    /// The server's certificates cannot be checked.
    #[error("{reason}; see `secrets.vault.authority`")]
    Trust {
        /// What is wrong.
        reason: String,
    },
    /// The address cannot be asked for.
    #[error("`secrets.vault.url` cannot be used: {reason}")]
    Url {
        /// What is wrong.
        reason: String,
    },
    /// A token that no header can carry.
    #[error(
        "the token of Vault holds characters that a header cannot carry; look for a line break where it is stored"
    )]
    Token,
    /// No connection, or no whole answer.
    #[error("Vault at {url} cannot be reached: {reason}")]
    Unreachable {
        /// The server.
        url: String,
        /// Why.
        reason: String,
    },
    /// It waits to be unsealed.
    #[error("Vault at {url} is sealed; unseal it with `vault operator unseal`")]
    Sealed {
        /// The server.
        url: String,
    },
    /// It cannot answer now.
    #[error(
        "Vault at {url} is not active (status {status}: a standby, or not initialized); ask the active server"
    )]
    NotActive {
        /// The server.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// The login is refused.
    #[error(
        "Vault at {url} refuses the login at `auth/{mount}` ({reason}); check the role and its credentials"
    )]
    Login {
        /// The server.
        url: String,
        /// Where the method is mounted.
        mount: String,
        /// In Vault's words.
        reason: String,
    },
    /// The token may not read this, or counts no more.
    #[error(
        "Vault at {url} refuses {path} ({reason}): the token has expired, or its policy does not have `read` for that path"
    )]
    Forbidden {
        /// The server.
        url: String,
        /// The path that was asked for.
        path: String,
        /// In Vault's words.
        reason: String,
    },
    /// There is nothing.
    #[error(
        "Vault at {url} has nothing at {path}; check the path, and that the store is one of version 2 (`vault secrets list \
         -detailed`)"
    )]
    Missing {
        /// The server.
        url: String,
        /// The path that was asked for.
        path: String,
    },
    /// There was something.
    #[error(
        "the current version of {path} was {how}; write a new one, or bring it back with `vault kv undelete`"
    )]
    Deleted {
        /// The path that was asked for.
        path: String,
        /// Deleted or destroyed, and when.
        how: String,
    },
    /// The secret has no such field.
    #[error("{path} has no field `{field}`; it has {fields}")]
    NoField {
        /// The path that was asked for.
        path: String,
        /// The field.
        field: String,
        /// Those that it has.
        fields: String,
    },
    /// The field is no text.
    #[error("the field `{field}` of {path} is {found}; store a text")]
    NotText {
        /// The path that was asked for.
        path: String,
        /// The field.
        field: String,
        /// What it is.
        found: &'static str,
    },
    /// Another status.
    #[error("Vault at {url} answered {status} ({reason})")]
    Status {
        /// The server.
        url: String,
        /// The HTTP status.
        status: u16,
        /// In Vault's words.
        reason: String,
    },
    /// Something else listens there.
    #[error("what answers at {url} is not Vault: {reason}; check `secrets.vault.url`")]
    NotVault {
        /// The server.
        url: String,
        /// What was found.
        reason: String,
    },
}
