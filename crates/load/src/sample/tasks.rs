//! What goes on after its request has been answered.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio::task::JoinSet;

/// Tasks that the service ends with: waited for at a stop, cut at a crash.
#[derive(Debug)]
pub(super) struct Tasks {
    running: Mutex<JoinSet<()>>,
    closing: watch::Receiver<bool>,
}

impl Tasks {
    /// `closing` says when the service stops.
    pub(super) fn new(closing: watch::Receiver<bool>) -> Self {
        Self { running: Mutex::default(), closing }
    }

    /// Ready when the service stops.
    pub(super) fn closing(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut closing = self.closing.clone();
        async move { drop(closing.wait_for(|closing| *closing).await) }
    }

    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut running = self.running();
        while running.try_join_next().is_some() {}
        running.spawn(task);
    }

    /// All of them, and none is left here.
    pub(super) fn take(&self) -> JoinSet<()> {
        std::mem::take(&mut *self.running())
    }

    fn running(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
