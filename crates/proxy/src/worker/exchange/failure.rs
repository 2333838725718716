//! Counting a request that has failed: for its version, and once for its client.

use std::time::Instant;

use super::Exchange;
use crate::routing::{ClientId, VersionCounters};
use crate::worker::asked::AskedRequest;
use crate::worker::client::ClientEnd;
use crate::worker::flight::Flight;
use crate::worker::view::RouteView;

impl<C: ClientEnd> Exchange<'_, C> {
    /// The version has answered, or said at the end of its answer that it has failed.
    pub(super) fn count_answer(
        &mut self,
        failed: bool,
        latency_micros: u64,
        flight: &Flight,
        route: &RouteView,
    ) {
        flight.shard().answered(failed, latency_micros);
        if failed {
            self.note_failure(&flight.counters, route);
        }
    }

    /// The version had the request, and broke off or did not answer.
    pub(super) fn broke(&mut self, version: &VersionCounters, route: &RouteView) {
        version.shard(self.worker.index).broken.add(1);
        self.note_failure(version, route);
    }

    /// Whose request it was is asked here, so that requests that do not fail pay nothing for it.
    fn note_failure(&mut self, version: &VersionCounters, route: &RouteView) {
        // An answer with an error status may break off too.
        if std::mem::replace(&mut self.failure_noted, true) {
            return;
        }
        let asked = AskedRequest { head: self.request, origin: &self.forwarding.origin };
        let client = route.route.known_client(&asked, &self.worker.cookies);
        version.failed(client.as_ref().map(ClientId::as_bytes), Instant::now());
    }
}
