//! Secrets that tasks have as files are secrets of Swarm, named after their content: they never change, and a version goes on
//! with those it began with.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bollard::models::{SecretSpec, TaskSpecContainerSpecFile, TaskSpecContainerSpecSecrets};
use bollard::query_parameters::ListSecretsOptionsBuilder;
use pilotage_secrets::Secret;
use pilotage_targets::TargetError;
use sha2::{Digest as _, Sha256};

use super::shared::Shared;
use crate::engine::Fault;
use crate::names::Scope;

/// Every process of the container may read it, and none may write it.
const FILE_MODE: u32 = 0o444;

impl Shared {
    /// Puts secrets where tasks can have them, and says how a service refers to them.
    pub async fn provide_secrets(
        &self,
        files: &BTreeMap<String, Secret>,
    ) -> Result<Vec<TaskSpecContainerSpecSecrets>, TargetError> {
        let mut references = Vec::new();
        for (variable, secret) in files {
            let name = name(&self.scope, variable, secret);
            let id = self.provide_secret(&name, secret).await?;
            references.push(TaskSpecContainerSpecSecrets {
                file: Some(TaskSpecContainerSpecFile {
                    name: Some(variable.clone()),
                    uid: Some("0".to_owned()),
                    gid: Some("0".to_owned()),
                    mode: Some(FILE_MODE),
                }),
                secret_id: Some(id),
                secret_name: Some(name),
            });
        }
        Ok(references)
    }

    async fn provide_secret(&self, name: &str, secret: &Secret) -> Result<String, TargetError> {
        let spec = SecretSpec {
            name: Some(name.to_owned()),
            labels: Some(self.scope.labels()),
            data: Some(STANDARD.encode(secret.expose())),
            ..SecretSpec::default()
        };
        match self.engine.docker().create_secret(spec).await {
            Ok(created) => Ok(created.id),
            Err(error) => match self.engine.fault(&error) {
                // It has the same content, or another name.
                Fault::Conflict { .. } => {
                    let found = self.engine.docker().inspect_secret(name).await;
                    let found = found.map_err(|error| self.engine.failed("look at a secret", &error))?;
                    found.id.ok_or_else(|| TargetError::Failed {
                        doing: format!("find the secret {name} of the swarm"),
                        reason: "it has no id".to_owned(),
                    })
                }
                fault => Err(self.engine.refused("create a secret", fault)),
            },
        }
    }

    /// Removes the environment's secrets that no service uses any more.
    pub async fn forget_secrets(&self) -> Result<(), TargetError> {
        let filter = self.scope.filter(None);
        let options = ListSecretsOptionsBuilder::default().filters(&filter).build();
        let listed = self.engine.docker().list_secrets(Some(options)).await;
        let listed = listed.map_err(|error| self.engine.failed("list secrets", &error))?;
        for id in listed.into_iter().filter_map(|secret| secret.id) {
            // Swarm refuses to remove one that is used.
            if let Err(error) = self.engine.docker().delete_secret(&id).await {
                tracing::debug!(%error, "a secret of the swarm stays");
            }
        }
        Ok(())
    }
}

/// Whoever may list secrets may also have them mounted, so that a digest tells nobody anything new.
fn name(scope: &Scope, variable: &str, secret: &Secret) -> String {
    let mut digest = Sha256::new();
    for part in [scope.project.as_str(), scope.environment.as_str(), variable] {
        digest.update(part.as_bytes());
        digest.update([0]);
    }
    digest.update(secret.expose());
    let hex: String = digest.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("pilotage-{hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_secret_changes_with_its_content_and_place() {
        let scope = |environment: &str| Scope {
            project: "shop".parse().unwrap(),
            environment: environment.parse().unwrap(),
        };
        let of =
            |environment, variable, value: &str| name(&scope(environment), variable, &Secret::new(value));
        let first = of("production", "KEY", "one");
        assert_eq!(first, of("production", "KEY", "one"));
        for other in
            [of("production", "KEY", "two"), of("staging", "KEY", "one"), of("production", "K", "one")]
        {
            assert_ne!(first, other);
        }
        assert!(first.len() <= 64 && first.starts_with("pilotage-"));
    }
}
