//! Gives running instances the secrets that they have as files anew, where these have changed.

use std::collections::BTreeMap;
use std::path::Path;

use pilotage_secrets::Secret;
use pilotage_spec::{SecretSource, Value, Workload};

use super::files::write_private;
use super::held::Held;
use super::shared::Shared;
use super::shim::{ShimClient, ShimRequest};
use crate::{RefreshedSecrets, TargetError};

/// What a new value is called until the shim has put it in the place of the old one.
pub const NEXT: &str = "next";

impl Shared {
    /// See [`crate::Target::refresh_secrets`].
    pub async fn refresh_secrets(&self, workload: &Workload) -> Result<Vec<RefreshedSecrets>, TargetError> {
        // Several instances have the same secret; all of them get the same value.
        let mut values: BTreeMap<SecretSource, Option<Secret>> = BTreeMap::new();
        let mut refreshed = Vec::new();
        for held in self.registry.of(workload) {
            // Without its supervisor nothing can be told to an instance; it is replaced sooner or later.
            if held.orphan().is_some() || held.draining().is_some() {
                continue;
            }
            for value in held.record.release.instance.env.values() {
                if let Value::SecretFile(source) = value
                    && !values.contains_key(source)
                {
                    values.insert(source.clone(), self.current(source).await);
                }
            }
            refreshed.extend(self.refresh_one(&held, &values).await?);
        }
        Ok(refreshed)
    }

    /// The value as it is now. What cannot be read now stays as it was.
    async fn current(&self, source: &SecretSource) -> Option<Secret> {
        let read = self.config.secrets.read(source).await;
        read.inspect_err(|error| tracing::warn!(%error, "a secret could not be read anew")).ok()
    }

    async fn refresh_one(
        &self,
        held: &Held,
        values: &BTreeMap<SecretSource, Option<Secret>>,
    ) -> Result<Option<RefreshedSecrets>, TargetError> {
        let name = &held.record.name;
        let failed =
            |reason: String| TargetError::Failed { doing: format!("give {name} its secrets"), reason };
        let folder = self.config.secrets_folder(name);
        let mut references = Vec::new();
        for (variable, value) in &held.record.release.instance.env {
            let Value::SecretFile(source) = value else { continue };
            let Some(Some(secret)) = values.get(source) else { continue };
            let path = folder.join(variable.as_str());
            if is_as(&path, secret) {
                continue;
            }
            write_private(&path.with_extension(NEXT), secret.expose())
                .map_err(|error| failed(error.to_string()))?;
            references.push(source.to_string());
        }
        if references.is_empty() {
            return Ok(None);
        }
        let answer = async { ShimClient::ask(&held.socket, ShimRequest::Refresh).await?.next().await };
        match answer.await {
            Ok(Some(_)) => Ok(Some(RefreshedSecrets { instance: name.clone(), references })),
            Ok(None) => {
                Err(failed("its supervisor is of an older version; deploy the service once more".to_owned()))
            }
            Err(error) => Err(failed(error.to_string())),
        }
    }
}

fn is_as(path: &Path, secret: &Secret) -> bool {
    std::fs::read(path).is_ok_and(|bytes| Secret::new(bytes) == *secret)
}
