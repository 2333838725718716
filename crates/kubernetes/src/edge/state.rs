//! What a feeder has done, for whoever asks.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;

use pilotage_spec::Digest;
use serde::{Deserialize, Serialize};

/// What an edge pod has in force: the answer to `GET /applied`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Applied {
    /// The resource version of the ConfigMap that the table was made of; empty until one was read.
    pub(crate) resource_version: String,
    /// The epoch of the edge's table.
    pub(crate) epoch: u64,
    /// The digest of what stands under the key of each service that is served, as it was when the table was made.
    pub(crate) services: BTreeMap<String, Digest>,
    /// Keys that cannot be used, and why.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) faults: BTreeMap<String, String>,
}

/// What a feeder shares with its pages.
#[derive(Debug, Default)]
pub(super) struct State(Mutex<Inner>);

#[derive(Debug, Default, Clone)]
struct Inner {
    applied: Applied,
    /// Whether the edge has a table: one that was on its disk, or one of ours.
    has_table: bool,
    /// Whether the pod is about to end, and wants no new connections.
    leaving: bool,
}

impl State {
    /// A table is in force.
    pub(super) fn set(&self, applied: Applied) {
        let mut inner = self.lock();
        inner.applied = applied;
        inner.has_table = true;
    }

    /// The edge has begun with a table of its own.
    pub(super) fn restored(&self, epoch: u64) {
        let mut inner = self.lock();
        inner.applied.epoch = epoch;
        inner.has_table = true;
    }

    /// The pod is about to end.
    pub(super) fn leave(&self) {
        self.lock().leaving = true;
    }

    /// What is in force.
    pub(super) fn applied(&self) -> Applied {
        self.lock().applied.clone()
    }

    /// Why no new connections should come here.
    pub(super) fn not_ready(&self) -> Option<&'static str> {
        let inner = self.lock();
        match (inner.leaving, inner.has_table) {
            (true, _) => Some("this pod is about to end"),
            (false, false) => Some("what is to be served is not known yet"),
            (false, true) => None,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        // Whatever a panicking holder leaves behind was true.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
