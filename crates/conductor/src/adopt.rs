//! After a restart: whatever had not ended goes on.

use pilotage_engine::{DeploymentEvent, DeploymentId};
use pilotage_journal::{Holder, Lease};
use pilotage_views::RecordError;
use tracing::{info, warn};

use crate::log::{DeploymentLog, Right};
use crate::{Conductor, ConductorError, start};

/// Takes up every deployment that holds a lease and has not ended; gives back the leases of all others.
pub(crate) async fn unfinished(conductor: &Conductor) -> Result<(), ConductorError> {
    let inner = &conductor.inner;
    for lease in inner.journal.leases()? {
        match find(conductor, &lease)? {
            Some(log) => {
                let id = log.id();
                info!(%id, lease = %lease.name, "taking up an unfinished deployment");
                adopt(conductor, log, lease).await?;
            }
            None => inner.journal.release(lease.name, lease.token).await?,
        }
    }
    Ok(())
}

/// The unfinished deployment that holds a lease, if one does.
fn find(conductor: &Conductor, lease: &Lease) -> Result<Option<DeploymentLog>, ConductorError> {
    let Ok(id) = lease.holder.what.parse::<DeploymentId>() else { return Ok(None) };
    match DeploymentLog::load(&conductor.inner.journal, id) {
        Ok(log) if log.deployment().end.is_none() => Ok(Some(log)),
        Ok(_) => Ok(None),
        Err(ConductorError::Record(RecordError::Unknown(_))) => {
            warn!(%id, "a lease was taken for a deployment that never began");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

async fn adopt(conductor: &Conductor, mut log: DeploymentLog, lease: Lease) -> Result<(), ConductorError> {
    let inner = &conductor.inner;
    let holder = Holder { who: lease.holder.who, what: lease.holder.what };
    let lease = inner.journal.take_over(lease.name, holder).await?;
    let right = Right { lease: lease.name, token: lease.token };
    while !log.record(&[DeploymentEvent::Adopted], &right, Vec::new()).await? {}
    start::drive(inner, log, right);
    Ok(())
}
