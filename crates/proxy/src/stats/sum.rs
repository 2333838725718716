//! What two edges have counted, as one.
//!
//! Everything is taken apart field by field, so that a counter which is added and forgotten here does not compile.

use std::collections::BTreeMap;

use super::{MirrorStats, VersionStats};
use crate::{AccessLogStats, ConnectionStats, EdgeStats, RouteStats};

impl EdgeStats {
    /// Adds what another edge has counted: one before this one, or one beside it. Start, epoch and certificates stay as they
    /// are.
    pub fn merge(&mut self, other: &Self) {
        let Self { started_micros: _, epoch: _, routes, connections, access_log, certificates: _ } = other;
        each(&mut self.routes, routes, add_route);
        let ConnectionStats { open, accepted, failed_handshakes, refused_requests } = connections;
        self.connections.open += open;
        self.connections.accepted += accepted;
        self.connections.failed_handshakes += failed_handshakes;
        self.connections.refused_requests += refused_requests;
        let AccessLogStats { written, dropped } = access_log;
        self.access_log.written += written;
        self.access_log.dropped += dropped;
    }

    /// Nothing goes on any more where this was counted.
    pub fn settle(&mut self) {
        self.connections.open = 0;
        for route in self.routes.values_mut() {
            route.waiting = 0;
            route.versions.values_mut().for_each(|version| version.in_flight = 0);
        }
    }
}

fn each<T: Default>(own: &mut BTreeMap<String, T>, before: &BTreeMap<String, T>, add: fn(&mut T, &T)) {
    for (name, counted) in before {
        add(own.entry(name.clone()).or_default(), counted);
    }
}

fn add_route(own: &mut RouteStats, before: &RouteStats) {
    let RouteStats { versions, unserved, refused, waiting } = before;
    each(&mut own.versions, versions, add_version);
    own.unserved += unserved;
    own.refused += refused;
    own.waiting += waiting;
}

fn add_version(own: &mut VersionStats, before: &VersionStats) {
    let VersionStats {
        requests,
        errors,
        broken,
        failed_clients,
        retries,
        in_flight,
        last_request_micros,
        bytes_in,
        bytes_out,
        ejections,
        latency,
        latency_sum_micros,
        mirror,
    } = before;
    own.requests += requests;
    own.errors += errors;
    own.broken += broken;
    own.failed_clients += failed_clients;
    own.retries += retries;
    own.in_flight += in_flight;
    own.last_request_micros = own.last_request_micros.max(*last_request_micros);
    own.bytes_in += bytes_in;
    own.bytes_out += bytes_out;
    own.ejections += ejections;
    own.latency.merge(latency);
    own.latency_sum_micros += latency_sum_micros;
    add_mirror(&mut own.mirror, mirror);
}

fn add_mirror(own: &mut MirrorStats, before: &MirrorStats) {
    let MirrorStats {
        requests,
        errors,
        broken,
        dropped,
        compared,
        differing_status,
        differing_body,
        uncompared,
        examples,
        bytes,
        latency,
        latency_sum_micros,
    } = before;
    own.requests += requests;
    own.errors += errors;
    own.broken += broken;
    own.dropped += dropped;
    own.compared += compared;
    own.differing_status += differing_status;
    own.differing_body += differing_body;
    own.uncompared += uncompared;
    examples.iter().for_each(|example| example.clone().keep_in(&mut own.examples));
    own.bytes += bytes;
    own.latency.merge(latency);
    own.latency_sum_micros += latency_sum_micros;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Histogram;

    fn counted(requests: u64, in_flight: u64, last_request_micros: i64) -> EdgeStats {
        let mut latency = Histogram::default();
        (0..requests).for_each(|_| latency.record(100));
        let version =
            VersionStats { requests, in_flight, last_request_micros, latency, ..VersionStats::default() };
        let route = RouteStats {
            versions: BTreeMap::from([("1.0.0".to_owned(), version)]),
            waiting: in_flight,
            ..RouteStats::default()
        };
        EdgeStats {
            started_micros: 1,
            epoch: 2,
            routes: BTreeMap::from([("dev/api".to_owned(), route)]),
            connections: ConnectionStats { open: in_flight, accepted: requests, ..Default::default() },
            ..EdgeStats::default()
        }
    }

    #[test]
    fn counters_and_histograms_add_up_and_the_last_request_is_the_latest() {
        let mut own = counted(3, 1, 50);
        own.merge(&EdgeStats { epoch: 9, ..counted(4, 2, 40) });
        assert_eq!((own.started_micros, own.epoch), (1, 2));
        assert_eq!((own.connections.open, own.connections.accepted), (3, 7));
        let route = &own.routes["dev/api"];
        let version = &route.versions["1.0.0"];
        assert_eq!((version.requests, version.in_flight, route.waiting), (7, 3, 3));
        assert_eq!((version.last_request_micros, version.latency.count()), (50, 7));
    }

    #[test]
    fn what_a_finished_edge_counted_stays_and_what_went_on_there_does_not() {
        let mut gone = counted(4, 2, 40);
        gone.settle();
        let mut own = EdgeStats::default();
        own.merge(&gone);
        let route = &own.routes["dev/api"];
        assert_eq!((own.connections.open, route.waiting, route.versions["1.0.0"].in_flight), (0, 0, 0));
        assert_eq!(route.versions["1.0.0"].requests, 4);
    }
}
