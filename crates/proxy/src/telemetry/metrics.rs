//! The edge's counters as metrics of Prometheus. Names follow
//! <https://prometheus.io/docs/practices/naming/>; `docs/observing-the-edge.md` has them all.

use std::collections::BTreeMap;

use super::exposition::{Exposition, Kind, seconds};
use crate::{
    CertificateStatus, EdgeStats, FULL_WEIGHT, MirrorStats, Pool, RouteStats, RoutingTable, VersionStats,
};

/// A metric with one value for each version of each route.
struct Of<T> {
    name: &'static str,
    kind: Kind,
    help: &'static str,
    value: fn(&T) -> u64,
}

const OF_VERSIONS: [Of<VersionStats>; 7] = [
    Of {
        name: "pilotage_edge_requests_total",
        kind: Kind::Counter,
        help: "Requests answered by the version, whatever the status.",
        value: |version| version.requests,
    },
    Of {
        name: "pilotage_edge_errors_total",
        kind: Kind::Counter,
        help: "Answers with status 500 and above.",
        value: |version| version.errors,
    },
    Of {
        name: "pilotage_edge_broken_total",
        kind: Kind::Counter,
        help: "Requests that failed on the way after they had been sent.",
        value: |version| version.broken,
    },
    Of {
        name: "pilotage_edge_failed_clients_total",
        kind: Kind::Counter,
        help: "Failed requests, a client that fails over and over counted once.",
        value: |version| version.failed_clients,
    },
    Of {
        name: "pilotage_edge_retries_total",
        kind: Kind::Counter,
        help: "Requests sent again to another instance or version.",
        value: |version| version.retries,
    },
    Of {
        name: "pilotage_edge_ejections_total",
        kind: Kind::Counter,
        help: "How often an instance was left out for failing.",
        value: |version| version.ejections,
    },
    Of {
        name: "pilotage_edge_in_flight",
        kind: Kind::Gauge,
        help: "Requests on their way now.",
        value: |version| version.in_flight,
    },
];

const OF_MIRRORS: [Of<MirrorStats>; 9] = [
    Of {
        name: "pilotage_edge_mirrored_requests_total",
        kind: Kind::Counter,
        help: "Copies of requests that the version answered, whatever the status.",
        value: |mirror| mirror.requests,
    },
    Of {
        name: "pilotage_edge_mirrored_errors_total",
        kind: Kind::Counter,
        help: "Copies answered with status 500 and above.",
        value: |mirror| mirror.errors,
    },
    Of {
        name: "pilotage_edge_mirrored_broken_total",
        kind: Kind::Counter,
        help: "Copies that failed on the way, or were not answered in time.",
        value: |mirror| mirror.broken,
    },
    Of {
        name: "pilotage_edge_mirrored_dropped_total",
        kind: Kind::Counter,
        help: "Requests that should have been copied and were not, for want of room.",
        value: |mirror| mirror.dropped,
    },
    Of {
        name: "pilotage_edge_mirrored_compared_total",
        kind: Kind::Counter,
        help: "Copies whose answer was compared with the one that the user got.",
        value: |mirror| mirror.compared,
    },
    Of {
        name: "pilotage_edge_mirrored_differing_status_total",
        kind: Kind::Counter,
        help: "Copies that were answered with another status than the user.",
        value: |mirror| mirror.differing_status,
    },
    Of {
        name: "pilotage_edge_mirrored_differing_body_total",
        kind: Kind::Counter,
        help: "Copies that were answered with the same status and another body.",
        value: |mirror| mirror.differing_body,
    },
    Of {
        name: "pilotage_edge_mirrored_uncompared_total",
        kind: Kind::Counter,
        help: "Copies whose answer was to be compared and could not be.",
        value: |mirror| mirror.uncompared,
    },
    Of {
        name: "pilotage_edge_mirrored_bytes_total",
        kind: Kind::Counter,
        help: "Bytes of copies, heads and bodies.",
        value: |mirror| mirror.bytes,
    },
];

const OF_ROUTES: [Of<RouteStats>; 3] = [
    Of {
        name: "pilotage_edge_unserved_total",
        kind: Kind::Counter,
        help: "Requests that no version could take, answered by the edge with 503.",
        value: |route| route.unserved,
    },
    Of {
        name: "pilotage_edge_refused_total",
        kind: Kind::Counter,
        help: "Requests that the edge refused because a limit of the route was reached.",
        value: |route| route.refused,
    },
    Of {
        name: "pilotage_edge_waiting",
        kind: Kind::Gauge,
        help: "Requests that wait now, for an instance to come or to have room.",
        value: |route| route.waiting,
    },
];

const OF_THE_EDGE: [Of<EdgeStats>; 7] = [
    Of {
        name: "pilotage_edge_connections",
        kind: Kind::Gauge,
        help: "Client connections that are open now.",
        value: |edge| edge.connections.open,
    },
    Of {
        name: "pilotage_edge_connections_accepted_total",
        kind: Kind::Counter,
        help: "Client connections accepted.",
        value: |edge| edge.connections.accepted,
    },
    Of {
        name: "pilotage_edge_failed_handshakes_total",
        kind: Kind::Counter,
        help: "TLS handshakes that failed.",
        value: |edge| edge.connections.failed_handshakes,
    },
    Of {
        name: "pilotage_edge_rejected_requests_total",
        kind: Kind::Counter,
        help: "Requests that could not be read, or in two ways, or belong to no route.",
        value: |edge| edge.connections.refused_requests,
    },
    Of {
        name: "pilotage_edge_access_log_written_total",
        kind: Kind::Counter,
        help: "Lines of the access log that were written.",
        value: |edge| edge.access_log.written,
    },
    Of {
        name: "pilotage_edge_access_log_dropped_total",
        kind: Kind::Counter,
        help: "Lines of the access log that were dropped because it could not keep up.",
        value: |edge| edge.access_log.dropped,
    },
    Of {
        name: "pilotage_edge_table_epoch",
        kind: Kind::Gauge,
        help: "The epoch of the routing table in use.",
        value: |edge| edge.epoch,
    },
];

/// All metrics of an edge of this version, as text.
pub(crate) fn metrics(stats: &EdgeStats, table: &RoutingTable, version: &str) -> String {
    let mut text = Exposition::default();
    of_the_edge(&mut text, stats, version);
    of_routes(&mut text, &stats.routes);
    of_versions(&mut text, &stats.routes);
    of_mirrors(&mut text, &stats.routes, table);
    of_table(&mut text, table);
    of_certificates(&mut text, &stats.certificates);
    text.into_text()
}

fn of_the_edge(text: &mut Exposition, stats: &EdgeStats, version: &str) {
    text.family("pilotage_edge_info", Kind::Gauge, "The version of the edge's binary.");
    text.sample("pilotage_edge_info", &[("version", version)], 1);
    let started = "pilotage_edge_start_time_seconds";
    text.family(started, Kind::Gauge, "When the edge started, in seconds since the epoch.");
    text.sample(started, &[], seconds(u64::try_from(stats.started_micros).unwrap_or_default()));
    for metric in &OF_THE_EDGE {
        text.family(metric.name, metric.kind, metric.help);
        text.sample(metric.name, &[], (metric.value)(stats));
    }
}

fn of_routes(text: &mut Exposition, routes: &BTreeMap<String, RouteStats>) {
    for metric in &OF_ROUTES {
        text.family(metric.name, metric.kind, metric.help);
        for (route, stats) in routes {
            text.sample(metric.name, &[("route", route)], (metric.value)(stats));
        }
    }
}

fn of_versions(text: &mut Exposition, routes: &BTreeMap<String, RouteStats>) {
    for metric in &OF_VERSIONS {
        text.family(metric.name, metric.kind, metric.help);
        for (route, version, stats) in versions(routes) {
            text.sample(metric.name, &[("route", route), ("version", version)], (metric.value)(stats));
        }
    }
    let bytes = "pilotage_edge_bytes_total";
    text.family(bytes, Kind::Counter, "Bytes of bodies passed on: in from clients, out to them.");
    for (route, version, stats) in versions(routes) {
        for (direction, value) in [("in", stats.bytes_in), ("out", stats.bytes_out)] {
            text.sample(bytes, &[("route", route), ("version", version), ("direction", direction)], value);
        }
    }
    let duration = "pilotage_edge_request_duration_seconds";
    text.family(duration, Kind::Histogram, "Time from request head to response head.");
    for (route, version, stats) in versions(routes) {
        let labels = [("route", route), ("version", version)];
        text.histogram(duration, &labels, &stats.latency, stats.latency_sum_micros);
    }
}

/// Only of versions that get copies, or got some: they are few.
fn of_mirrors(text: &mut Exposition, routes: &BTreeMap<String, RouteStats>, table: &RoutingTable) {
    let targets: BTreeMap<&str, &str> = table
        .routes
        .iter()
        .filter_map(|route| Some((route.name.as_str(), route.mirror.as_ref()?.version.as_str())))
        .collect();
    let nothing = MirrorStats::default();
    let mirrors: Vec<_> = versions(routes)
        .filter(|(route, version, stats)| stats.mirror != nothing || targets.get(route) == Some(version))
        .collect();
    for metric in &OF_MIRRORS {
        text.family(metric.name, metric.kind, metric.help);
        for (route, version, stats) in &mirrors {
            let labels = [("route", *route), ("version", *version)];
            text.sample(metric.name, &labels, (metric.value)(&stats.mirror));
        }
    }
    let duration = "pilotage_edge_mirrored_request_duration_seconds";
    text.family(duration, Kind::Histogram, "Time from the head of a copy to the head of its answer.");
    for (route, version, stats) in &mirrors {
        let labels = [("route", *route), ("version", *version)];
        text.histogram(duration, &labels, &stats.mirror.latency, stats.mirror.latency_sum_micros);
    }
}

fn of_table(text: &mut Exposition, table: &RoutingTable) {
    let pools: Vec<(&str, &Pool)> = table
        .routes
        .iter()
        .flat_map(|route| route.pools.iter().map(|pool| (route.name.as_str(), pool)))
        .collect();
    let weight = "pilotage_edge_weight_ratio";
    text.family(weight, Kind::Gauge, "The version's share of the clients by the table, from 0 to 1.");
    for (route, pool) in &pools {
        let share = f64::from(pool.weight) / f64::from(FULL_WEIGHT);
        text.sample(weight, &[("route", route), ("version", &pool.version)], share);
    }
    let instances = "pilotage_edge_instances";
    text.family(instances, Kind::Gauge, "Instances of the version in the table.");
    for (route, pool) in &pools {
        text.sample(instances, &[("route", route), ("version", &pool.version)], pool.endpoints.len());
    }
}

fn of_certificates(text: &mut Exposition, certificates: &[CertificateStatus]) {
    let expiry = "pilotage_edge_certificate_expiry_seconds";
    text.family(
        expiry,
        Kind::Gauge,
        "The last second at which the certificate in use is valid, since the epoch.",
    );
    for certificate in certificates {
        let chain = certificate.chain.to_string_lossy();
        if let Some(at) = certificate.not_after_secs {
            text.sample(expiry, &[("chain", &chain)], at);
        }
    }
    let broken = "pilotage_edge_certificate_broken";
    text.family(broken, Kind::Gauge, "1 if the certificate's files, as they are now, cannot be used.");
    for certificate in certificates {
        let chain = certificate.chain.to_string_lossy();
        text.sample(broken, &[("chain", &chain)], u8::from(certificate.problem.is_some()));
    }
}

fn versions(
    routes: &BTreeMap<String, RouteStats>,
) -> impl Iterator<Item = (&str, &str, &VersionStats)> + Clone {
    routes.iter().flat_map(|(route, stats)| {
        stats.versions.iter().map(move |(version, stats)| (route.as_str(), version.as_str(), stats))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{ConnectionStats, Mirror, Route};

    fn edge() -> (EdgeStats, RoutingTable) {
        let mut version = VersionStats {
            requests: 7,
            errors: 2,
            failed_clients: 1,
            bytes_out: 900,
            ..VersionStats::default()
        };
        version.latency.record(1_500);
        version.latency_sum_micros = 1_500;
        let shadow = VersionStats {
            mirror: MirrorStats { requests: 3, dropped: 1, ..MirrorStats::default() },
            ..VersionStats::default()
        };
        let versions = BTreeMap::from([("1.0.0".to_owned(), version), ("2.0.0".to_owned(), shadow)]);
        let route = RouteStats { versions, unserved: 4, ..RouteStats::default() };
        let stats = EdgeStats {
            started_micros: 1_700_000_000_250_000,
            epoch: 12,
            routes: BTreeMap::from([("dev/api".to_owned(), route)]),
            connections: ConnectionStats { open: 5, ..ConnectionStats::default() },
            certificates: vec![CertificateStatus {
                chain: "/etc/edge/shop.pem".into(),
                names: vec!["shop.example.com".to_owned()],
                not_after_secs: Some(1_900_000_000),
                problem: Some("expired".to_owned()),
            }],
            ..EdgeStats::default()
        };
        let mut route = Route::new("dev/api", std::net::SocketAddr::from(([127, 0, 0, 1], 80)));
        let pool = |version: &str, weight| Pool {
            version: version.to_owned(),
            weight,
            protocol: crate::Protocol::Http1,
            endpoints: Vec::new(),
        };
        route.pools = vec![pool("1.0.0", 7_500), pool("3.0.0", 2_500)];
        let table = RoutingTable { epoch: 12, routes: vec![route], ..RoutingTable::empty() };
        (stats, table)
    }

    #[test]
    fn every_counter_has_its_metric() {
        let (stats, table) = edge();
        let text = metrics(&stats, &table, "9.8.7");
        for line in [
            "pilotage_edge_info{version=\"9.8.7\"} 1",
            "pilotage_edge_start_time_seconds 1700000000.25",
            "pilotage_edge_table_epoch 12",
            "pilotage_edge_connections 5",
            "pilotage_edge_unserved_total{route=\"dev/api\"} 4",
            "pilotage_edge_requests_total{route=\"dev/api\",version=\"1.0.0\"} 7",
            "pilotage_edge_errors_total{route=\"dev/api\",version=\"1.0.0\"} 2",
            "pilotage_edge_failed_clients_total{route=\"dev/api\",version=\"1.0.0\"} 1",
            "pilotage_edge_bytes_total{route=\"dev/api\",version=\"1.0.0\",direction=\"out\"} 900",
            "pilotage_edge_request_duration_seconds_sum{route=\"dev/api\",version=\"1.0.0\"} 0.0015",
            "pilotage_edge_mirrored_requests_total{route=\"dev/api\",version=\"2.0.0\"} 3",
            "pilotage_edge_mirrored_dropped_total{route=\"dev/api\",version=\"2.0.0\"} 1",
            "pilotage_edge_weight_ratio{route=\"dev/api\",version=\"1.0.0\"} 0.75",
            "pilotage_edge_certificate_expiry_seconds{chain=\"/etc/edge/shop.pem\"} 1900000000",
            "pilotage_edge_certificate_broken{chain=\"/etc/edge/shop.pem\"} 1",
            "pilotage_edge_instances{route=\"dev/api\",version=\"3.0.0\"} 0",
        ] {
            assert!(text.lines().any(|other| other == line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("mirrored_requests_total{route=\"dev/api\",version=\"1.0.0\"}"), "{text}");
    }

    #[test]
    fn a_version_that_gets_copies_shows_from_the_first_moment() {
        let (mut stats, mut table) = edge();
        stats.routes.get_mut("dev/api").unwrap().versions.insert("3.0.0".into(), VersionStats::default());
        let mirror = "{\"version\":\"3.0.0\",\"share\":100}";
        table.routes[0].mirror = Some(serde_json::from_str::<Mirror>(mirror).unwrap());
        let text = metrics(&stats, &table, "1");
        assert!(text.contains("mirrored_requests_total{route=\"dev/api\",version=\"3.0.0\"} 0\n"), "{text}");
    }

    #[test]
    fn every_metric_is_in_the_documentation() {
        let page = include_str!("../../../../docs/observing-the-edge.md");
        let (stats, table) = edge();
        let text = metrics(&stats, &table, "1");
        let names: BTreeSet<&str> =
            text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
        for name in names {
            assert!(page.contains(&format!("`{name}`")), "{name} is not explained");
        }
    }
}
