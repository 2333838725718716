//! The releases that were ensured by this process: how they are run is not in the cluster.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use pilotage_spec::{Release, Workload};

/// Older releases of a workload are forgotten.
const REMEMBERED: usize = 4;

/// What was ensured last, by workload.
#[derive(Default)]
pub(crate) struct Ensured {
    releases: Mutex<BTreeMap<Workload, Vec<Release>>>,
}

impl Ensured {
    /// Remembers a release.
    pub fn remember(&self, workload: &Workload, release: &Release) {
        let mut releases = self.releases.lock().unwrap_or_else(PoisonError::into_inner);
        let of = releases.entry(workload.clone()).or_default();
        of.retain(|known| known.id.version != release.id.version);
        of.push(release.clone());
        let surplus = of.len().saturating_sub(REMEMBERED);
        of.drain(..surplus);
    }

    /// The releases of a workload.
    pub fn of(&self, workload: &Workload) -> Vec<Release> {
        let releases = self.releases.lock().unwrap_or_else(PoisonError::into_inner);
        releases.get(workload).cloned().unwrap_or_default()
    }
}
