//! Brings tasks up.

use std::sync::Arc;

use pilotage_spec::{Release, Workload};
use pilotage_targets::{Fence, InstanceState, TargetError};

use super::board::Deployed;
use super::service::{Wanted, specification};
use super::shared::Shared;
use crate::engine::Fault;
use crate::instance::Marks;
use crate::instance::environment::resolve;
use crate::network::{WantedNetwork, provide};

/// So many failed tasks of a service are left beside those that replace them.
const FAILED_KEPT: u32 = 3;

impl Shared {
    /// See [`pilotage_targets::Target::ensure`].
    pub async fn ensure(
        self: &Arc<Self>,
        workload: &Workload,
        release: &Release,
        replicas: u32,
        fence: Fence,
    ) -> Result<(), TargetError> {
        let _claim = self.config.claims.claim(workload, fence).await?;
        self.look().await?;
        let name = self.scope.version_name(workload, &release.id.version);
        let own = self.board.services(workload).into_iter().find(|service| service.marks.instance == name);
        match own {
            None => self.create(workload, release, name, replicas).await?,
            Some(service) if service.marks.release.id != release.id => {
                return Err(TargetError::Failed {
                    doing: format!("start {name}"),
                    reason: "a service of that version runs another image; deploy a new version".to_owned(),
                });
            }
            Some(service) => self.add_missing(&service, release, replicas, fence).await?,
        }
        self.look().await
    }

    async fn add_missing(
        self: &Arc<Self>,
        service: &Deployed,
        release: &Release,
        replicas: u32,
        fence: Fence,
    ) -> Result<(), TargetError> {
        // A new holder keeps what the holder before wanted to stop and has not stopped yet.
        if self.board.draining(&service.marks.instance).is_some_and(|by| by < fence) {
            self.board.drain(&service.marks.instance, None);
        }
        let instances = self.board.instances_of(service);
        let has_failed = |state: &InstanceState| matches!(state, InstanceState::Failed { .. });
        let failed = instances.iter().filter(|instance| has_failed(&instance.state)).count();
        let failed = u32::try_from(failed).unwrap_or(u32::MAX);
        let kept_up = service.replicas().saturating_sub(failed);
        if kept_up >= replicas {
            return Ok(());
        }
        if kept_up == 0 && failed > 0 {
            // Swarm cannot be told to forget a failed task; nothing of the service works, so that it is made anew.
            self.delete(service).await?;
            let name = service.marks.instance.clone();
            return self.create(&service.marks.workload, release, name, replicas).await;
        }
        let wanted = (service.replicas() + replicas - kept_up).min(replicas.saturating_add(FAILED_KEPT));
        self.scale(service, wanted).await
    }

    async fn create(
        self: &Arc<Self>,
        workload: &Workload,
        release: &Release,
        name: String,
        replicas: u32,
    ) -> Result<(), TargetError> {
        let image = self.images.of_release(release).await?;
        let marks = Marks { instance: name, number: 0, workload: workload.clone(), release: release.clone() };
        let environment = resolve(&marks, &self.config.secrets).await?;
        let network = self.config.settings.network.as_deref();
        if let Some(name) = network {
            let wanted = WantedNetwork { scope: &self.scope, name, is_ours: false, driver: "overlay" };
            provide(&self.engine, &wanted).await?;
        }
        let labels = marks.labels(&self.scope).map_err(|error| TargetError::Failed {
            doing: format!("describe {}", marks.instance),
            reason: error.to_string(),
        })?;
        let secrets = self.provide_secrets(&environment.files).await?;
        let spec = specification(&Wanted {
            marks: &marks,
            labels,
            image,
            environment: &environment,
            secrets,
            network,
            hardening: &self.hardening,
            replicas,
        });
        let credentials = self.login.credentials().await?;
        match self.engine.docker().create_service(spec, credentials).await {
            Ok(created) => {
                for warning in created.warnings.into_iter().flatten() {
                    tracing::warn!(service = marks.instance, warning, "the swarm warns of a service");
                }
                Ok(())
            }
            Err(error) => Err(match self.engine.fault(&error) {
                Fault::Conflict { message } => TargetError::Failed {
                    doing: format!("create the service {}", marks.instance),
                    reason: format!(
                        "{message}; that service is not of this environment: remove it, then try again"
                    ),
                },
                fault => self.engine.refused(&format!("create the service {}", marks.instance), fault),
            }),
        }
    }
}
