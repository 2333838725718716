use std::net::SocketAddr;
use std::path::PathBuf;

use super::{ListenerFault, RouteFault, TableError};
use crate::table::{
    Certificate, ClientKey, Cohort, Condition, Ejection, FULL_WEIGHT, Listener, Mirror, MirrorComparison,
    Pool, Protocol, Retries, Route, RouteLimits, RoutingTable, Source, Test, Timeouts,
};

fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn pool(version: &str, weight: u32) -> Pool {
    Pool { version: version.to_owned(), weight, protocol: Protocol::Http1, endpoints: Vec::new() }
}

fn route(name: &str, port: u16, pools: Vec<Pool>) -> Route {
    Route { pools, ..Route::new(name, address(port)) }
}

/// A route with two versions, of which the second serves everybody.
fn sound() -> Route {
    route("a", 1, vec![pool("2", 0), pool("1", FULL_WEIGHT)])
}

fn verdict(routes: Vec<Route>) -> Result<(), TableError> {
    RoutingTable { routes, ..RoutingTable::empty() }.validate()
}

fn fault(faulty: Route) -> RouteFault {
    match verdict(vec![faulty]) {
        Err(TableError::Route { route, fault }) => {
            assert_eq!(route, "a");
            fault
        }
        other => panic!("not a fault of the route: {other:?}"),
    }
}

fn cohort(name: &str) -> Cohort {
    Cohort {
        name: name.to_owned(),
        when: vec![Condition { source: Source::Header("x-beta".to_owned()), test: Test::Present(true) }],
        version: "2".to_owned(),
        share: FULL_WEIGHT,
    }
}

fn mirror() -> Mirror {
    Mirror {
        version: "2".to_owned(),
        share: 100,
        bytes_per_second: 1,
        max_body_bytes: 1,
        unsafe_methods: false,
        timeout_ms: 1,
        compare: None,
    }
}

#[test]
fn sound_tables_pass() {
    assert_eq!(verdict(vec![]), Ok(()));
    assert_eq!(
        verdict(vec![route("a", 1, vec![]), route("b", 2, vec![pool("1", 1), pool("2", 9_999)])]),
        Ok(())
    );
    let shaped = Route {
        hosts: vec!["shop.test".to_owned(), "*.shop.test".to_owned()],
        path: "/cart".to_owned(),
        client_keys: vec![ClientKey::Cookie, ClientKey::Header("X-User".to_owned()), ClientKey::Address],
        cohorts: vec![cohort("a"), cohort("b")],
        mirror: Some(mirror()),
        ..sound()
    };
    assert_eq!(verdict(vec![shaped, Route { name: "b".to_owned(), ..sound() }]), Ok(()));
}

#[test]
fn the_table_as_a_whole_is_checked() {
    let newer = RoutingTable { format: 3, ..RoutingTable::empty() }.validate();
    assert_eq!(newer, Err(TableError::Format { found: 3, known: 2 }));
    let on = |hosts: &[&str]| Route {
        hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
        ..route(&hosts.join(" "), 1, vec![])
    };
    for (routes, expected) in [
        (vec![route("a", 1, vec![]), route("a", 2, vec![])], "route"),
        (vec![route("a", 1, vec![]), route("b", 1, vec![])], "address"),
        (vec![on(&["a.test", "b.test"]), on(&["b.test"])], "address"),
        (vec![on(&["a.test", "a.test"])], "address"),
    ] {
        assert!(matches!(verdict(routes), Err(TableError::Duplicate { what, .. }) if what == expected));
    }
}

#[test]
fn faults_of_versions_and_weights_are_named() {
    assert_eq!(fault(route("a", 0, vec![])), RouteFault::Port);
    assert_eq!(
        fault(route("a", 1, vec![pool("1\n", FULL_WEIGHT)])),
        RouteFault::Version { version: "1\n".to_owned() }
    );
    assert_eq!(
        fault(route("a", 1, vec![pool("1", u32::MAX), pool("2", u32::MAX)])),
        RouteFault::Weights { sum: 8_589_934_590 }
    );
    let twice = fault(route("a", 1, vec![pool("1", 0), pool("1", FULL_WEIGHT)]));
    assert_eq!(twice, RouteFault::Duplicate { what: "version", name: "1".to_owned() });
}

#[test]
fn faults_of_hosts_and_paths_are_named() {
    let host = Route { hosts: vec!["Shop.test".to_owned()], ..sound() };
    assert!(matches!(fault(host), RouteFault::Host { host, .. } if host == "Shop.test"));
    let path = Route { path: "/shop/".to_owned(), ..sound() };
    let message = verdict(vec![path]).unwrap_err().to_string();
    assert_eq!(
        message,
        "route `a`: path `/shop/` ends with a slash; leave it out, the path takes everything below it"
    );
}

#[test]
fn faults_of_cohorts_are_named() {
    let with = |cohort| fault(Route { cohorts: vec![cohort], ..sound() });
    assert!(matches!(
        with(Cohort { version: "9".to_owned(), ..cohort("beta") }),
        RouteFault::UnknownVersion { by, version } if by == "cohort `beta`" && version == "9"
    ));
    assert!(matches!(
        with(Cohort { share: 10_001, ..cohort("beta") }),
        RouteFault::Share { share: 10_001, .. }
    ));
    assert!(matches!(with(Cohort { when: vec![], ..cohort("beta") }), RouteFault::NoCondition { .. }));
    for source in
        [Source::Header(String::new()), Source::Cookie("a b".to_owned()), Source::Query(String::new())]
    {
        let when = vec![Condition { source, test: Test::Present(true) }];
        assert!(matches!(with(Cohort { when, ..cohort("beta") }), RouteFault::Name { .. }));
    }
    let twice = fault(Route { cohorts: vec![cohort("a"), cohort("a")], ..sound() });
    assert_eq!(twice, RouteFault::Duplicate { what: "cohort", name: "a".to_owned() });
}

#[test]
fn faults_of_mirrors_and_keys_are_named() {
    let with = |mirror| fault(Route { mirror: Some(mirror), ..sound() });
    assert!(matches!(
        with(Mirror { version: "9".to_owned(), ..mirror() }),
        RouteFault::UnknownVersion { by, .. } if by == "the mirror"
    ));
    assert!(matches!(with(Mirror { share: 10_001, ..mirror() }), RouteFault::Share { .. }));
    assert!(matches!(with(Mirror { version: "1".to_owned(), ..mirror() }), RouteFault::MirrorsItself { .. }));
    assert!(matches!(
        with(Mirror { timeout_ms: 0, ..mirror() }),
        RouteFault::Zero { setting: "mirror.timeout_ms", .. }
    ));
    let ignoring = |pointer: &str| {
        let ignore = vec!["/time".to_owned(), pointer.to_owned()];
        with(Mirror {
            compare: Some(MirrorComparison { bodies: true, ignore, max_body_bytes: 1 }),
            ..mirror()
        })
    };
    for pointer in ["", "time", "/a~2", "/a~"] {
        assert_eq!(ignoring(pointer), RouteFault::Pointer { pointer: pointer.to_owned() });
    }
    let keys = |client_keys| fault(Route { client_keys, ..sound() });
    assert!(matches!(keys(vec![ClientKey::Header("a b".to_owned())]), RouteFault::Name { .. }));
    assert_eq!(keys(vec![ClientKey::Address, ClientKey::Cookie]), RouteFault::KeyAfterAddress);
}

#[test]
fn faults_of_limits_are_named() {
    let timeouts = |timeouts| fault(Route { timeouts, ..sound() });
    let default = Timeouts::default();
    for (faulty, name) in [
        (Timeouts { connect_ms: 0, ..default }, "timeouts.connect_ms"),
        (Timeouts { first_byte_ms: 0, ..default }, "timeouts.first_byte_ms"),
        (Timeouts { idle_ms: 0, ..default }, "timeouts.idle_ms"),
        (Timeouts { total_ms: Some(0), ..default }, "timeouts.total_ms"),
    ] {
        assert!(matches!(timeouts(faulty), RouteFault::Zero { setting, .. } if setting == name));
    }
    let too_long = fault(Route { hold_ms: u64::MAX, ..sound() });
    assert_eq!(too_long, RouteFault::TooLong { setting: "hold_ms", ms: u64::MAX });
    let nobody = RouteLimits { max_in_flight: Some(0), ..RouteLimits::default() };
    assert!(matches!(fault(Route { limits: nobody, ..sound() }), RouteFault::Zero { .. }));
    let ejection = Ejection { floor_percent: 101, ..Ejection::default() };
    assert!(matches!(fault(Route { ejection, ..sound() }), RouteFault::Percent { percent: 101, .. }));
    let retries = Retries { budget_percent: 101, ..Retries::default() };
    assert!(matches!(fault(Route { retries, ..sound() }), RouteFault::Percent { percent: 101, .. }));
}

#[test]
fn faults_of_listeners_are_named() {
    let certificate = |chain: &str| Certificate { chain: chain.into(), key: PathBuf::from("/etc/key.pem") };
    let plain = Listener::plain(address(80));
    let encrypted = Listener { certificates: vec![certificate("/etc/chain.pem")], ..plain.clone() };
    let redirecting =
        |listener: &Listener, port| Listener { redirect_to_https: Some(port), ..listener.clone() };
    let verdict = |listeners| RoutingTable { listeners, ..RoutingTable::empty() }.validate();
    assert_eq!(verdict(vec![encrypted.clone()]), Ok(()));
    assert_eq!(verdict(vec![redirecting(&plain, 443)]), Ok(()));
    for (listener, expected) in [
        (Listener::plain(address(0)), ListenerFault::Port),
        (redirecting(&encrypted, 443), ListenerFault::EncryptedRedirect),
        (redirecting(&plain, 0), ListenerFault::RedirectPort),
        (redirecting(&plain, 80), ListenerFault::RedirectToItself),
        (
            Listener { certificates: vec![certificate("chain.pem")], ..plain.clone() },
            ListenerFault::RelativeFile { file: "chain.pem".to_owned() },
        ),
    ] {
        let address = listener.address;
        assert_eq!(verdict(vec![listener]), Err(TableError::Listener { address, fault: expected }));
    }
    let twice = verdict(vec![plain.clone(), plain]);
    assert!(matches!(twice, Err(TableError::Duplicate { what: "listener", .. })));
}
