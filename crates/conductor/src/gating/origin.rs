//! Where a release comes from, and where it has been.

use pilotage_spec::{ReleaseId, ServiceName, Workload};
use pilotage_views::{self as views, ServicePast};

use crate::ConductorError;
use crate::conductor::Inner;

/// Where the service has been deployed, and its ways back rehearsed.
pub(super) fn past(inner: &Inner, workload: &Workload) -> Result<ServicePast, ConductorError> {
    Ok(views::service_past(&inner.journal.reader(), &workload.service)?)
}

/// Who brought a release in first; `None` if it is new.
pub(super) fn author(
    inner: &Inner,
    service: &ServiceName,
    release: &ReleaseId,
) -> Result<Option<String>, ConductorError> {
    Ok(views::release_author(&inner.journal.reader(), service, release)?)
}
