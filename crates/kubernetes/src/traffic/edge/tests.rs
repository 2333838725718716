//! What needs no cluster. The rest is proven against a real one, in the tests of the command line.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use pilotage_proxy::{EdgeStats, RouteStats, VersionStats};
use pilotage_spec::{EdgeSettings, Preview, ServiceName};
use pilotage_targets::Traffic;

use super::counted::Counted;
use super::ports;
use crate::edge::{Entry, FORMAT};

fn service(name: &str) -> ServiceName {
    name.parse().unwrap()
}

fn traffic() -> Traffic {
    Traffic::new("10.96.0.7:80".parse().unwrap())
}

fn entry(port: u16, preview_port: Option<u16>, traffic: Traffic) -> Entry {
    Entry { format: FORMAT, port, preview_port, traffic }
}

#[test]
fn a_port_is_chosen_once_and_stays() {
    let mut all = BTreeMap::new();
    assert_eq!(ports::choose(&service("api"), &traffic(), &all), Some((10_000, None)));
    all.insert(service("api"), entry(10_000, None, traffic()));
    assert_eq!(ports::choose(&service("web"), &traffic(), &all), Some((10_001, None)));
    all.insert(service("web"), entry(10_001, None, traffic()));
    all.remove(&service("api"));
    assert_eq!(ports::choose(&service("web"), &traffic(), &all), Some((10_001, None)));
    assert_eq!(ports::choose(&service("new"), &traffic(), &all), Some((10_000, None)));
}

#[test]
fn a_preview_has_a_port_of_its_own_and_keeps_it() {
    let preview = Preview { version: "1.1.0".parse().unwrap(), listen: "127.0.0.1:9000".parse().unwrap() };
    let with = Traffic { preview: Some(preview), ..traffic() };
    let mut all = BTreeMap::from([(service("web"), entry(10_000, Some(10_002), traffic()))]);
    assert_eq!(ports::choose(&service("api"), &with, &all), Some((10_001, Some(10_003))));
    all.insert(service("api"), entry(10_001, Some(10_003), with.clone()));
    assert_eq!(ports::choose(&service("api"), &traffic(), &all), Some((10_001, Some(10_003))));
    assert_eq!(ports::choose(&service("api"), &with, &all), Some((10_001, Some(10_003))));
}

#[test]
fn workloads_of_one_address_share_a_port_and_one_that_leaves_it_gets_another() {
    let shared = |listen: &str| {
        let listen: SocketAddr = listen.parse().unwrap();
        Traffic { edge: Some(EdgeSettings::plain(listen)), ..Traffic::new(listen) }
    };
    let mut all = BTreeMap::from([(service("api"), entry(10_000, None, shared("0.0.0.0:80")))]);
    assert_eq!(ports::choose(&service("web"), &shared("0.0.0.0:80"), &all), Some((10_000, None)));
    assert_eq!(ports::choose(&service("web"), &shared("0.0.0.0:81"), &all), Some((10_001, None)));
    all.insert(service("web"), entry(10_000, None, shared("0.0.0.0:80")));
    assert_eq!(ports::choose(&service("web"), &traffic(), &all), Some((10_001, None)));
}

fn stats(started_micros: i64, requests: u64, in_flight: u64) -> EdgeStats {
    let version = VersionStats { requests, in_flight, ..VersionStats::default() };
    let versions = BTreeMap::from([("1.0.0".to_owned(), version)]);
    let route = RouteStats { versions, ..RouteStats::default() };
    EdgeStats {
        started_micros,
        epoch: 3,
        routes: BTreeMap::from([("production/api".to_owned(), route)]),
        ..EdgeStats::default()
    }
}

fn counts(stats: &EdgeStats) -> (u64, u64) {
    let version = &stats.routes["production/api"].versions["1.0.0"];
    (version.requests, version.in_flight)
}

#[test]
fn pods_are_counted_together_and_one_that_goes_away_stays_counted() {
    let mut counted = Counted::default();
    let both = BTreeSet::from(["a", "b"]);
    let reading = vec![("a".to_owned(), stats(10, 100, 2)), ("b".to_owned(), stats(20, 50, 1))];
    let sum = counted.take(reading, &both);
    assert_eq!((counts(&sum), sum.started_micros, sum.epoch), ((150, 3), 10, 3));
    // `a` cannot be read for once, then it is gone.
    assert_eq!(counts(&counted.take(vec![("b".to_owned(), stats(20, 60, 0))], &both)), (160, 2));
    let sum = counted.take(vec![("b".to_owned(), stats(20, 70, 0))], &BTreeSet::from(["b"]));
    assert_eq!((counts(&sum), sum.started_micros), ((170, 0), 10));
}

#[test]
fn a_container_that_is_started_again_counts_on() {
    let mut counted = Counted::default();
    let present = BTreeSet::from(["a"]);
    counted.take(vec![("a".to_owned(), stats(10, 100, 5))], &present);
    let sum = counted.take(vec![("a".to_owned(), stats(30, 7, 1))], &present);
    assert_eq!((counts(&sum), sum.started_micros), ((107, 1), 10));
}

#[test]
fn no_sum_falls_however_many_pods_come_and_go() {
    let mut counted = Counted::default();
    let mut before = 0;
    for index in 0..300_i64 {
        let uid = format!("pod-{index}");
        let sum = counted.take(vec![(uid.clone(), stats(index, 10, 1))], &BTreeSet::from([uid.as_str()]));
        let (requests, in_flight) = counts(&sum);
        assert!(requests > before, "{requests} after {before}");
        assert_eq!(in_flight, 1);
        before = requests;
    }
    assert_eq!(before, 3_000);
}
