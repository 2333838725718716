//! Who may begin to move something: everybody, until everything is being stopped.

use std::sync::Arc;

use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

use crate::api::DownDone;
use crate::error::{ErrorBody, ErrorKind};

/// What came of stopping everything.
pub(crate) type Stopped = Result<DownDone, ErrorBody>;

/// Read by whoever begins to move something, written by whoever stops everything: neither can slip in beside the other.
/// Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Admission(Arc<RwLock<Option<Stopped>>>);

impl Admission {
    /// Lets somebody begin to move something; nothing is stopped for as long as the answer is kept. Does not wait: once
    /// somebody wants to stop everything, nothing more begins.
    pub(crate) fn admit(&self) -> Result<OwnedRwLockReadGuard<Option<Stopped>>, ErrorBody> {
        let admitted = Arc::clone(&self.0).try_read_owned().ok().filter(|stopped| stopped.is_none());
        admitted.ok_or_else(|| {
            ErrorBody::new(
                ErrorKind::Refused,
                "everything is being stopped (`pilotage down`): nothing new begins",
            )
            .help("`pilotage up` brings back what was deployed; then try again")
        })
    }

    /// Waits until whatever is just beginning has begun, and lets nothing more begin for as long as the answer is kept,
    /// or for ever if something is written to it.
    pub(crate) async fn close(&self) -> OwnedRwLockWriteGuard<Option<Stopped>> {
        Arc::clone(&self.0).write_owned().await
    }

    /// Waits until nobody is busy stopping everything.
    pub(crate) async fn settled(&self) {
        drop(self.0.read().await);
    }
}
