//! Changes how many tasks a service has.

use bollard::query_parameters::UpdateServiceOptions;
use pilotage_targets::TargetError;

use super::board::Deployed;
use super::service::mode;
use super::shared::Shared;
use crate::engine::Fault;

impl Shared {
    /// Asks Swarm for so many tasks. Somebody who changes the service at the same time is told from us by its version: then it
    /// is tried once more on what they left.
    pub async fn scale(&self, service: &Deployed, replicas: u32) -> Result<(), TargetError> {
        let mut service = service.clone();
        for attempt in 0.. {
            let spec = bollard::models::ServiceSpec { mode: Some(mode(replicas)), ..service.spec.clone() };
            let options = UpdateServiceOptions {
                version: i32::try_from(service.index).unwrap_or(i32::MAX),
                ..UpdateServiceOptions::default()
            };
            let credentials = self.login.credentials().await?;
            let updated = self.engine.docker().update_service(&service.id, spec, options, credentials).await;
            let fault = match updated {
                Ok(_) => return Ok(()),
                Err(error) => self.engine.fault(&error),
            };
            let is_outdated = fault.words().contains("update out of sequence");
            if attempt > 0 || !is_outdated || matches!(fault, Fault::Unreachable { .. }) {
                return Err(self
                    .engine
                    .refused(&format!("scale the service {}", service.marks.instance), fault));
            }
            let found = self.engine.docker().inspect_service(&service.id, None).await;
            let found = found.map_err(|error| self.engine.failed("look at a service", &error))?;
            match Deployed::read(&self.scope, found) {
                Some(found) => service = found,
                None => break,
            }
        }
        Err(TargetError::Failed {
            doing: format!("scale the service {}", service.marks.instance),
            reason: "somebody has taken its labels; deploy the version once more".to_owned(),
        })
    }
}
