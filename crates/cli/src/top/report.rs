//! The figures, as programs get them and as tables are made from.

use std::collections::BTreeMap;

use pilotage_proxy::{FULL_WEIGHT, Pool, Route, RouteStats, RoutingTable, VersionStats};
use pilotage_spec::Timestamp;
use serde::Serialize;

use super::window::Window;

/// A version of which more than this part fails is called failing.
const FAILING: f64 = 0.05;

/// What an edge carried within the last seconds.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub timestamp: String,
    /// How long the time is that rates and counts are about.
    pub seconds: f64,
    pub edge: Edge,
    /// By name.
    pub routes: Vec<RouteFigures>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Edge {
    pub version: String,
    pub pid: u32,
    pub up_seconds: u64,
    pub epoch: u64,
    pub connections: u64,
    pub connections_per_second: f64,
    pub requests_per_second: f64,
    /// From 0 to 1; none without a request.
    pub failed_ratio: Option<f64>,
    pub access_log_dropped: u64,
}

#[derive(Debug, Clone, Serialize)]
pub struct RouteFigures {
    pub route: String,
    pub requests_per_second: f64,
    pub unserved_per_second: f64,
    pub refused_per_second: f64,
    pub waiting: u64,
    /// In the order of the table, then those that are no longer in it.
    pub versions: Vec<VersionFigures>,
}

#[derive(Debug, Clone, Serialize)]
pub struct VersionFigures {
    pub version: String,
    pub state: State,
    /// Its share of the clients by the table, from 0 to 1; none if it is no longer there.
    pub weight: Option<f64>,
    /// Its share of the requests, from 0 to 1; none without a request.
    pub share: Option<f64>,
    pub instances: usize,
    pub requests_per_second: f64,
    /// From 0 to 1; none without a request.
    pub failed_ratio: Option<f64>,
    pub p50_micros: Option<u64>,
    pub p90_micros: Option<u64>,
    pub p95_micros: Option<u64>,
    pub p99_micros: Option<u64>,
    #[serde(rename = "p99_9_micros")]
    pub p999_micros: Option<u64>,
    pub in_flight: u64,
    pub bytes_in_per_second: f64,
    pub bytes_out_per_second: f64,
    pub retries: u64,
    pub ejections: u64,
    pub mirrored_per_second: f64,
    pub mirrored_failed: u64,
    pub mirrored_dropped: u64,
}

/// How a version does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It has clients and answers them.
    Serving,
    /// More than a twentieth of what it was sent failed.
    Failing,
    /// It has clients and no instance.
    NoInstances,
    /// It has no clients any more, and requests that it still works on.
    Draining,
    /// It gets copies only.
    Mirror,
    /// It has no clients.
    Standby,
}

impl State {
    /// As people read it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Serving => "serving",
            Self::Failing => "failing",
            Self::NoInstances => "no instances",
            Self::Draining => "draining",
            Self::Mirror => "mirror",
            Self::Standby => "standby",
        }
    }
}

/// Works out the figures of a window.
pub fn report(window: &Window, now: Timestamp) -> Report {
    let (last, change) = (window.last(), window.sum());
    let seconds = change.elapsed.as_secs_f64();
    let nothing = RouteStats::default();
    let routes: Vec<RouteFigures> = named(&last.table, &last.stats.routes)
        .into_iter()
        .map(|name| {
            Sources {
                route: last.table.routes.iter().find(|route| route.name == name),
                now: last.stats.routes.get(name).unwrap_or(&nothing),
                change: change.routes.get(name).unwrap_or(&nothing),
                seconds,
            }
            .figures(name)
        })
        .collect();
    let versions = || change.routes.values().flat_map(|route| route.versions.values());
    let sent = versions().map(sent).sum::<u64>();
    let up = now.as_micros().saturating_sub(last.stats.started_micros) / 1_000_000;
    Report {
        timestamp: pilotage_views::rfc3339(now),
        seconds,
        edge: Edge {
            version: last.identity.version.clone(),
            pid: last.identity.pid,
            up_seconds: u64::try_from(up).unwrap_or(0),
            epoch: last.stats.epoch,
            connections: last.stats.connections.open,
            connections_per_second: rate(change.accepted, seconds),
            requests_per_second: rate(sent, seconds),
            failed_ratio: ratio(versions().map(failed).sum(), sent),
            access_log_dropped: change.log_lines_dropped,
        },
        routes,
    }
}

/// The names of all routes, in order.
fn named<'a>(table: &'a RoutingTable, counted: &'a BTreeMap<String, RouteStats>) -> Vec<&'a str> {
    let in_table = table.routes.iter().map(|route| route.name.as_str());
    let mut names: Vec<&str> = in_table.chain(counted.keys().map(String::as_str)).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// What the figures of a route are made from.
struct Sources<'a> {
    /// None if the table no longer has it.
    route: Option<&'a Route>,
    now: &'a RouteStats,
    change: &'a RouteStats,
    seconds: f64,
}

impl Sources<'_> {
    fn figures(&self, name: &str) -> RouteFigures {
        let sent = self.change.versions.values().map(sent).sum();
        let pools = self.route.map(|route| route.pools.as_slice()).unwrap_or_default();
        let others = self.now.versions.keys().filter(|name| pools.iter().all(|pool| pool.version != **name));
        let versions = pools
            .iter()
            .map(|pool| self.version(&pool.version, Some(pool), sent))
            .chain(others.map(|name| self.version(name, None, sent)))
            // Of those that are gone only what still happens is of interest.
            .filter(|version| {
                version.weight.is_some()
                    || version.in_flight > 0
                    || version.share.is_some_and(|share| share > 0.0)
            });
        RouteFigures {
            route: name.to_owned(),
            requests_per_second: rate(sent, self.seconds),
            unserved_per_second: rate(self.change.unserved, self.seconds),
            refused_per_second: rate(self.change.refused, self.seconds),
            waiting: self.now.waiting,
            versions: versions.collect(),
        }
    }

    fn version(&self, name: &str, pool: Option<&Pool>, sent_to_all: u64) -> VersionFigures {
        let nothing = VersionStats::default();
        let change = self.change.versions.get(name).unwrap_or(&nothing);
        let in_flight = self.now.versions.get(name).map_or(0, |now| now.in_flight);
        let quantile = |q| change.latency.quantile(q);
        VersionFigures {
            version: name.to_owned(),
            state: self.state(name, pool, change, in_flight),
            weight: pool.map(|pool| f64::from(pool.weight) / f64::from(FULL_WEIGHT)),
            share: ratio(sent(change), sent_to_all),
            instances: pool.map_or(0, |pool| pool.endpoints.len()),
            requests_per_second: rate(sent(change), self.seconds),
            failed_ratio: ratio(failed(change), sent(change)),
            p50_micros: quantile(0.50),
            p90_micros: quantile(0.90),
            p95_micros: quantile(0.95),
            p99_micros: quantile(0.99),
            p999_micros: quantile(0.999),
            in_flight,
            bytes_in_per_second: rate(change.bytes_in, self.seconds),
            bytes_out_per_second: rate(change.bytes_out, self.seconds),
            retries: change.retries,
            ejections: change.ejections,
            mirrored_per_second: rate(change.mirror.requests + change.mirror.broken, self.seconds),
            mirrored_failed: change.mirror.errors + change.mirror.broken,
            mirrored_dropped: change.mirror.dropped,
        }
    }

    fn state(&self, name: &str, pool: Option<&Pool>, change: &VersionStats, in_flight: u64) -> State {
        let weight = pool.map_or(0, |pool| pool.weight);
        let mirror = self.route.and_then(|route| route.mirror.as_ref());
        let has_cohort =
            self.route.is_some_and(|route| route.cohorts.iter().any(|cohort| cohort.version == name));
        let has_clients = weight > 0 || has_cohort;
        if has_clients && pool.is_some_and(|pool| pool.endpoints.is_empty()) {
            State::NoInstances
        } else if ratio(failed(change), sent(change)).is_some_and(|failed| failed > FAILING) {
            State::Failing
        } else if has_clients {
            State::Serving
        } else if in_flight > 0 {
            State::Draining
        } else if mirror.is_some_and(|mirror| mirror.version == name) {
            State::Mirror
        } else {
            State::Standby
        }
    }
}

/// Requests that came to an end, as the judge counts them.
fn sent(version: &VersionStats) -> u64 {
    version.requests + version.broken
}

fn failed(version: &VersionStats) -> u64 {
    version.errors + version.broken
}

/// To a thousandth: what lies below says nothing.
fn rate(count: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { (count as f64 / seconds * 1e3).round() / 1e3 } else { 0.0 }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| (part as f64 / whole as f64 * 1e6).round() / 1e6)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::time::Duration;

    use pilotage_proxy::{Address, Endpoint, Protocol};

    use super::super::window::tests::reading;
    use super::*;

    /// A table that shares `dev/api` among versions, given with weight and number of instances.
    fn table(pools: &[(&str, u32, usize)]) -> RoutingTable {
        let address = SocketAddr::from(([127, 0, 0, 1], 80));
        let mut route = Route::new("dev/api", address);
        let endpoint = Endpoint { instance: "i".to_owned(), address: Address::Tcp(address) };
        let pool = |(version, weight, instances): &(&str, u32, usize)| Pool {
            version: (*version).to_owned(),
            weight: *weight,
            protocol: Protocol::Http1,
            endpoints: vec![endpoint.clone(); *instances],
        };
        route.pools = pools.iter().map(pool).collect();
        RoutingTable { epoch: 3, routes: vec![route], ..RoutingTable::empty() }
    }

    /// What `dev/api` did within ten seconds, in which 1.0.0 answered 90 requests and 2.0.0 failed 10.
    fn figures(pools: &[(&str, u32, usize)], others: impl FnOnce(&mut RouteStats)) -> Report {
        let mut now = reading(1, 10, 190);
        now.table = table(pools);
        let route = now.stats.routes.get_mut("dev/api").unwrap();
        let failing = VersionStats { requests: 4, errors: 4, broken: 6, ..VersionStats::default() };
        route.versions.insert("2.0.0".to_owned(), failing);
        others(route);
        let mut window = Window::new(reading(1, 0, 100), Duration::from_secs(10));
        window.push(now);
        report(&window, Timestamp::from_micros(60_000_001))
    }

    fn states(report: &Report) -> Vec<(&str, State)> {
        let versions = report.routes[0].versions.iter();
        versions.map(|version| (version.version.as_str(), version.state)).collect()
    }

    #[test]
    fn shares_and_rates_are_those_of_the_window() {
        let report = figures(&[("2.0.0", 500, 1), ("1.0.0", 9_500, 2)], |route| route.unserved = 5);
        let [new, old] = report.routes[0].versions.as_slice() else { unreachable!("two versions") };
        assert_eq!((new.weight, new.share, new.failed_ratio), (Some(0.05), Some(0.1), Some(1.0)));
        assert_eq!((old.weight, old.share, old.failed_ratio), (Some(0.95), Some(0.9), Some(0.0)));
        assert_eq!((old.requests_per_second, old.instances), (9.0, 2));
        assert!(old.p999_micros.is_some_and(|p999| (2_000..2_070).contains(&p999)));
        assert_eq!((report.routes[0].unserved_per_second, report.edge.requests_per_second), (0.5, 10.0));
        assert_eq!((report.edge.failed_ratio, report.edge.up_seconds), (Some(0.1), 60));
    }

    #[test]
    fn each_version_is_in_the_state_that_matters_most() {
        let all = [("2.0.0", 5_000, 1), ("3.0.0", 5_000, 0), ("1.0.0", 0, 1), ("0.9.0", 0, 1)];
        let report = figures(&all, |route| route.versions.get_mut("1.0.0").unwrap().in_flight = 2);
        let expected = [
            ("2.0.0", State::Failing),
            ("3.0.0", State::NoInstances),
            ("1.0.0", State::Draining),
            ("0.9.0", State::Standby),
        ];
        assert_eq!(states(&report), expected);
    }

    #[test]
    fn versions_that_are_gone_show_only_while_they_still_do_something() {
        let report = figures(&[("1.0.0", 10_000, 1)], |route| {
            let done = VersionStats { last_request_micros: 1, ..VersionStats::default() };
            route.versions.insert("0.1.0".to_owned(), done);
            let busy = VersionStats { in_flight: 1, ..VersionStats::default() };
            route.versions.insert("0.2.0".to_owned(), busy);
        });
        let expected = [("1.0.0", State::Serving), ("0.2.0", State::Draining), ("2.0.0", State::Failing)];
        assert_eq!(states(&report), expected);
    }
}
