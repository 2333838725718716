//! After a deployment has ended, its target removes the images that nothing needs any more.
//!
//! What is needed is read from the journal. If any of it cannot be read, nothing is removed.

use std::collections::BTreeSet;

use pilotage_engine::DeploymentId;
use pilotage_journal::Journal;
use pilotage_spec::{Digest, EnvironmentName};
use pilotage_views::{self as views, RecordError};
use tracing::{info, warn};

use crate::ConductorError;
use crate::conductor::Inner;

/// Has the target of an environment remove what is not needed. That it cannot is no more than said: the next deployment tries
/// again.
pub(crate) async fn images(inner: &Inner, environment: &EnvironmentName) {
    let keep = match needed(&inner.journal) {
        Ok(keep) => keep,
        Err(error) => {
            warn!(%environment, %error, "what is still needed is not known, so no image is removed");
            return;
        }
    };
    match inner.target.prune_images(environment, &keep).await {
        Ok(removed) if removed.is_empty() => {}
        Ok(removed) => {
            let removed: Vec<String> = removed.iter().map(Digest::to_string).collect();
            info!(%environment, ?removed, "images that nothing needs were removed");
        }
        Err(error) => warn!(%environment, %error, "images that nothing needs are still there"),
    }
}

/// The releases that must stay at hand: what serves each workload, what a rollback would bring back, and what the deployments
/// that have not ended are about. Those of all environments, since several may share an engine.
fn needed(journal: &Journal) -> Result<Vec<Digest>, ConductorError> {
    let reader = journal.reader();
    let mut needed = BTreeSet::new();
    for workload in views::workloads(&reader)? {
        let record = views::workload_record(&reader, &workload)?;
        let served = [record.current(), record.previous()].into_iter().flatten();
        needed.extend(served.map(|served| served.release.id.digest.clone()));
    }
    for lease in journal.leases()? {
        // The keeper's leases are about what serves.
        let Ok(id) = lease.holder.what.parse::<DeploymentId>() else { continue };
        match views::load(&reader, id) {
            Ok(record) => {
                let releases = record.deployment.plan.releases();
                needed.extend(releases.map(|release| release.id.digest.clone()));
            }
            // It has only just taken its lease, and will ask for its image.
            Err(RecordError::Unknown(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(needed.into_iter().collect())
}

#[cfg(test)]
mod tests;
