//! Where a release comes from, and where it has been.

use pilotage_engine::gate::{Earlier, EarlierState};
use pilotage_engine::{Outcome, Plan};
use pilotage_spec::{EnvironmentName, ReleaseId, ServiceName, Workload};
use pilotage_views::{self as views, ServicePast};

use crate::ConductorError;
use crate::conductor::Inner;

/// So many of the last deployments are looked through for that of a release elsewhere.
const LOOKED_THROUGH: usize = 200;

/// Where the service has been deployed, and its ways back rehearsed.
pub(super) fn past(inner: &Inner, workload: &Workload) -> Result<ServicePast, ConductorError> {
    Ok(views::service_past(&inner.journal.reader(), &workload.service)?)
}

/// How the release is doing in the environments of the waves before.
pub(super) fn earlier(inner: &Inner, plan: &Plan) -> Result<Vec<Earlier>, ConductorError> {
    let request = &plan.request;
    let look = |environment: &EnvironmentName| {
        let workload =
            Workload { environment: environment.clone(), service: request.workload.service.clone() };
        let state = state(inner, &workload, &request.candidate.id)?;
        Ok(Earlier { environment: environment.clone(), state })
    };
    request.policy.after.iter().map(look).collect()
}

fn state(inner: &Inner, workload: &Workload, release: &ReleaseId) -> Result<EarlierState, ConductorError> {
    let serves = inner.record(workload)?.current().is_some_and(|served| served.release.id == *release);
    if serves && inner.moving(workload)?.is_none() {
        return Ok(EarlierState::Serves);
    }
    let reader = inner.journal.reader();
    for id in views::deployments(&reader)?.into_iter().rev().take(LOOKED_THROUGH) {
        let deployment = views::load(&reader, id)?.deployment;
        let planned = &deployment.plan.request;
        if planned.workload == *workload && planned.candidate.id == *release {
            return Ok(match deployment.end {
                // It did serve, and does not any more, or never came to it.
                Some((Outcome::Succeeded | Outcome::RolledBack | Outcome::Failed | Outcome::Refused, ..)) => {
                    EarlierState::TakenBack
                }
                Some((Outcome::Concluded, ..)) | None => EarlierState::NotYet,
            });
        }
    }
    Ok(EarlierState::NotYet)
}

/// Who brought a release in first; `None` if it is new.
pub(super) fn author(
    inner: &Inner,
    service: &ServiceName,
    release: &ReleaseId,
) -> Result<Option<String>, ConductorError> {
    Ok(views::release_author(&inner.journal.reader(), service, release)?)
}
