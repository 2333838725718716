//! Who we are at the registry.

use bollard::auth::DockerCredentials;
use pilotage_secrets::SecretReader;
use pilotage_spec::RegistryLogin;
use pilotage_targets::TargetError;

use crate::instance::environment::unreadable;

/// Reads the password each time it is needed, so that one that was changed counts at once.
#[derive(Clone)]
pub(crate) struct Login {
    settings: Option<RegistryLogin>,
    secrets: SecretReader,
}

impl Login {
    pub fn new(settings: Option<RegistryLogin>, secrets: SecretReader) -> Self {
        Self { settings, secrets }
    }

    /// What the engine is to say to the registry, if anything.
    pub async fn credentials(&self) -> Result<Option<DockerCredentials>, TargetError> {
        let Some(RegistryLogin { username, password, .. }) = &self.settings else { return Ok(None) };
        let password = self.secrets.read_variable(password).await.map_err(unreadable)?;
        Ok(Some(DockerCredentials {
            username: Some(username.clone()),
            password: password.expose_text().map(str::to_owned),
            ..DockerCredentials::default()
        }))
    }
}
