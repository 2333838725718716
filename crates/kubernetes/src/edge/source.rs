//! Where the instances of a version are, for the table.

use std::collections::BTreeMap;

use pilotage_spec::{Version, Workload};
use pilotage_targets::{EndpointSource, Serving};
use tokio::sync::watch;

use super::backends::Backends;
use crate::names::Owner;

/// The instances of one moment. Those of a version whose Service is not there are not known: somebody has deleted a Service, and
/// its pods go on.
pub(super) struct Snapshot<'a> {
    pub(super) owner: &'a Owner,
    pub(super) backends: &'a BTreeMap<String, Backends>,
}

impl EndpointSource for Snapshot<'_> {
    fn serving(&self, workload: &Workload, version: &Version) -> Option<Serving> {
        let service = self.owner.names(workload).of_version(version);
        self.backends.get(&service).map(|backends| Serving {
            endpoints: backends.endpoints.iter().cloned().collect(),
            protocol: backends.protocol,
        })
    }

    fn subscribe(&self) -> watch::Receiver<u64> {
        // One moment does not change.
        watch::channel(0).1
    }
}
