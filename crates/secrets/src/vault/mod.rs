//! Secrets in Vault's key-value store of version 2, over its HTTP API.
//!
//! Documented at <https://developer.hashicorp.com/vault/api-docs>: `secret/kv/kv-v2` (reading), `auth/approle`, `auth/kubernetes`
//! and `auth/jwt` (login), `auth/token` (renewal).

mod answer;
mod client;
mod error;
mod session;

pub use error::VaultError;
pub(crate) use session::Sessions;

use pilotage_spec::{VaultSecret, VaultSettings};

use crate::{Secret, SecretFault, SecretReader};

/// Reads a field of a secret. A token that Vault does not take any more is replaced once by a new login.
pub(crate) async fn read(
    reader: &SecretReader,
    sessions: &Sessions,
    settings: &VaultSettings,
    wanted: &VaultSecret,
) -> Result<Secret, SecretFault> {
    let client = client::Client::new(reader, settings).await?;
    let (token, is_kept) = sessions.token(reader, &client, settings).await?;
    match client.secret(&token, wanted).await {
        Err(VaultError::Forbidden { .. }) if is_kept => {
            sessions.forget().await;
            let (token, _) = sessions.token(reader, &client, settings).await?;
            Ok(client.secret(&token, wanted).await?)
        }
        read => Ok(read?),
    }
}
