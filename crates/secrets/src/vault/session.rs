//! Tokens: read anew for each use where they are given, kept and renewed where a login made them.

use std::time::Duration;

use pilotage_spec::{VaultLogin, VaultSettings};
use serde_json::json;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::VaultError;
use super::answer::Auth;
use super::client::Client;
use crate::{Secret, SecretFault, SecretReader};

/// The token of the last login.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<Option<Session>>);

struct Session {
    /// By what it was made; another setting makes another.
    settings: VaultSettings,
    token: Secret,
    renewable: bool,
    /// Two thirds of its time are over then: it is renewed, so that it never ends while it is used.
    renew_at: Option<Instant>,
}

impl Sessions {
    /// A token, and whether it is one that was kept from before.
    pub(super) async fn token(
        &self,
        reader: &SecretReader,
        client: &Client,
        settings: &VaultSettings,
    ) -> Result<(Secret, bool), SecretFault> {
        if let VaultLogin::Token(source) = &settings.login {
            return Ok((reader.fetch_local(source).await?, false));
        }
        let mut kept = self.0.lock().await;
        if let Some(session) = kept.take_if(|session| session.settings == *settings)
            && let Some(session) = session.fresh(client).await
        {
            let token = session.token.clone();
            *kept = Some(session);
            return Ok((token, true));
        }
        let auth = log_in(reader, client, &settings.login).await?;
        let session = Session::new(settings, &auth);
        let token = session.token.clone();
        *kept = Some(session);
        Ok((token, false))
    }

    /// The token counts no more.
    pub(super) async fn forget(&self) {
        *self.0.lock().await = None;
    }
}

impl Session {
    fn new(settings: &VaultSettings, auth: &Auth) -> Self {
        let lease = Duration::from_secs(auth.lease_duration);
        Self {
            settings: settings.clone(),
            token: Secret::new(auth.client_token.as_bytes()),
            renewable: auth.renewable,
            // A token without an end has a lease of 0.
            renew_at: (!lease.is_zero()).then(|| Instant::now() + lease * 2 / 3),
        }
    }

    /// The session as long as it counts, renewed if it is time for that; `None` if a new login is needed.
    async fn fresh(self, client: &Client) -> Option<Self> {
        if self.renew_at.is_none_or(|at| Instant::now() < at) {
            return Some(self);
        }
        if !self.renewable {
            return None;
        }
        let auth = client.renew(&self.token).await.ok()?;
        Some(Self::new(&self.settings, &auth))
    }
}

async fn log_in(reader: &SecretReader, client: &Client, login: &VaultLogin) -> Result<Auth, SecretFault> {
    let text = |secret: &Secret| secret.expose_text().map(str::to_owned).ok_or(SecretFault::NotText);
    Ok(match login {
        VaultLogin::Token(_) => return Err(VaultError::Token.into()),
        VaultLogin::AppRole { mount, role_id, secret_id } => {
            let role_id = text(&reader.fetch_local(role_id).await?)?;
            let secret_id = text(&reader.fetch_local(secret_id).await?)?;
            let credentials = json!({ "role_id": role_id, "secret_id": secret_id });
            client.log_in(mount.as_str(), credentials).await?
        }
        VaultLogin::Jwt { mount, role, token } => {
            let jwt = text(&reader.fetch_local(token).await?)?;
            client.log_in(mount.as_str(), json!({ "role": role, "jwt": jwt })).await?
        }
    })
}
