//! After a restart: whatever had not ended goes on.

use std::sync::Arc;

use pilotage_engine::{DeploymentEvent, DeploymentId};
use pilotage_journal::{Holder, Lease};
use pilotage_views::RecordError;
use tracing::{error, info, warn};

use crate::conductor::{Inner, lease_name};
use crate::log::{DeploymentLog, Right};
use crate::{Conductor, ConductorError, gating, start};

/// Takes up every deployment that holds a lease and has not ended; gives back the leases of all others.
pub(crate) async fn unfinished(conductor: &Conductor) -> Result<(), ConductorError> {
    let inner = &conductor.inner;
    for lease in inner.journal.leases()? {
        match find(conductor, &lease) {
            Ok(Some(log)) if gating::is_waiting_lease(&lease.name) => {
                let right = take_over(inner, lease).await?;
                gating::wait(inner, log, right);
            }
            Ok(Some(log)) => {
                info!(id = %log.id(), lease = %lease.name, "taking up an unfinished deployment");
                adopt(inner, log, lease).await?;
            }
            Ok(None) => inner.journal.release(lease.name, lease.token).await?,
            // It keeps its lease, so that nothing else moves what it has moved; all others go on.
            Err(error) => error!(lease = %lease.name, %error, "an unfinished deployment cannot be taken up"),
        }
    }
    Ok(())
}

/// Takes up one deployment after its driver was lost within this process.
pub(crate) async fn again(inner: &Arc<Inner>, id: DeploymentId) -> Result<(), ConductorError> {
    let log = DeploymentLog::load(&inner.journal, id)?;
    let name = lease_name(&log.deployment().plan.request.workload)?;
    let lease = inner.journal.leases()?.into_iter().find(|lease| lease.name == name);
    match lease.filter(|lease| lease.holder.what == id.to_string() && log.deployment().end.is_none()) {
        Some(lease) => adopt(inner, log, lease).await,
        None => Ok(()),
    }
}

/// The unfinished deployment that holds a lease, if one does.
fn find(conductor: &Conductor, lease: &Lease) -> Result<Option<DeploymentLog>, ConductorError> {
    let Ok(id) = lease.holder.what.parse::<DeploymentId>() else { return Ok(None) };
    match DeploymentLog::load(&conductor.inner.journal, id) {
        // One whose gates have not passed yet moves nothing, and one whose gates have passed waits for nothing: the crash
        // was between the two leases.
        Ok(log) if log.deployment().end.is_none() => {
            let waits = gating::is_waiting_lease(&lease.name);
            Ok((log.deployment().is_waiting() == waits).then_some(log))
        }
        Ok(_) => Ok(None),
        Err(ConductorError::Record(RecordError::Unknown(_))) => {
            warn!(%id, "a lease was taken for a deployment that never began");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

async fn adopt(inner: &Arc<Inner>, mut log: DeploymentLog, lease: Lease) -> Result<(), ConductorError> {
    let right = take_over(inner, lease).await?;
    while !log.record(&[DeploymentEvent::Adopted], &right, Vec::new()).await? {}
    start::drive(inner, log, right);
    Ok(())
}

async fn take_over(inner: &Arc<Inner>, lease: Lease) -> Result<Right, ConductorError> {
    let holder = Holder { who: lease.holder.who, what: lease.holder.what };
    let lease = inner.journal.take_over(lease.name, holder).await?;
    Ok(Right { lease: lease.name, token: lease.token })
}
