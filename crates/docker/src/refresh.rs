//! Gives running containers the secrets that they have as files anew, where these have changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use bollard::query_parameters::KillContainerOptionsBuilder;
use pilotage_secrets::Secret;
use pilotage_spec::{ReloadSignal, SecretSource, Value, Workload};
use pilotage_targets::{RefreshedSecrets, TargetError};

use crate::instance::Phase;
use crate::instance::secret_files::{self, SecretPlace, write};
use crate::shared::Shared;
use crate::watch::Held;

impl Shared {
    /// See [`pilotage_targets::Target::refresh_secrets`].
    pub async fn refresh_secrets(
        self: &Arc<Self>,
        workload: &Workload,
    ) -> Result<Vec<RefreshedSecrets>, TargetError> {
        // Several instances have the same secret; all of them get the same value.
        let mut values: BTreeMap<SecretSource, Option<Secret>> = BTreeMap::new();
        let mut refreshed = Vec::new();
        for held in self.registry.of(workload) {
            let container = held.container();
            if container.phase != Phase::Running || container.is_retired() {
                continue;
            }
            let mut files = BTreeMap::new();
            for (variable, value) in &container.marks.release.instance.env {
                let Value::SecretFile(source) = value else { continue };
                if !values.contains_key(source) {
                    values.insert(source.clone(), self.current(source).await);
                }
                if let Some(Some(secret)) = values.get(source) {
                    files.insert(variable.to_string(), (source.clone(), secret.clone()));
                }
            }
            refreshed.extend(self.refresh_one(&held, files).await?);
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
        files: BTreeMap<String, (SecretSource, Secret)>,
    ) -> Result<Option<RefreshedSecrets>, TargetError> {
        let marks = held.container().marks;
        let secrets: BTreeMap<String, Secret> =
            files.iter().map(|(name, (_, secret))| (name.clone(), secret.clone())).collect();
        let changed = match self.secret_place(self.engine.facts().await?.reach, &marks.instance) {
            SecretPlace::Folder(folder) => write(&folder, &secrets).map_err(|error| TargetError::Failed {
                doing: format!("give {} its secrets", marks.instance),
                reason: error.to_string(),
            })?,
            SecretPlace::Volume => self.upload_changed(held, &secrets).await?,
        };
        if changed.is_empty() {
            return Ok(None);
        }
        if let Some(signal) = marks.release.instance.reload {
            let options = KillContainerOptionsBuilder::default().signal(word(signal)).build();
            let sent = self.engine.docker().kill_container(&held.id, Some(options)).await;
            sent.map_err(|error| self.engine.failed("tell a container of its secrets", &error))?;
        }
        let references =
            changed.iter().filter_map(|name| files.get(name)).map(|(source, _)| source.to_string());
        Ok(Some(RefreshedSecrets { instance: marks.instance, references: references.collect() }))
    }

    /// The engine does not tell what is in a volume without handing out all of it; what was handed over last is remembered by
    /// its digest for as long as we run, and handed over once more when we come back.
    async fn upload_changed(
        &self,
        held: &Held,
        secrets: &BTreeMap<String, Secret>,
    ) -> Result<Vec<String>, TargetError> {
        let changed: BTreeMap<String, Secret> = secrets
            .iter()
            .filter(|(name, secret)| held.hands_over(name, secret))
            .map(|(name, secret)| (name.clone(), secret.clone()))
            .collect();
        if changed.is_empty() {
            return Ok(Vec::new());
        }
        secret_files::upload(&self.engine, &held.id, &changed).await?;
        Ok(changed.into_keys().collect())
    }
}

/// A signal by its name.
fn word(signal: ReloadSignal) -> &'static str {
    ReloadSignal::WORDS.iter().find(|(_, other)| *other == signal).map_or("SIGHUP", |(word, _)| *word)
}
