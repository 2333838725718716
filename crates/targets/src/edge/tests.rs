//! From traffic to the edge's table and back.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use pilotage_proxy::{Address, Endpoint, Listener, RoutingTable};
use pilotage_spec::{
    CertificateFiles, ClientKey, Cohort, Condition, EdgeSettings, Ejection, Limits, Mirror, MirrorComparison,
    Preview, Retries, RouteSettings, Source, Test, Timeouts, Version, Workload,
};
use tokio::sync::watch;

use super::sources::{EndpointSource, Serving, Sources};
use super::{check, listeners, routes};
use crate::Traffic;

fn workload(name: &str) -> Workload {
    let (environment, service) = name.split_once('/').unwrap();
    Workload { environment: environment.parse().unwrap(), service: service.parse().unwrap() }
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn at(listen: &str, hosts: &[&str], path: &str) -> Traffic {
    let hosts = hosts.iter().map(|host| host.parse().unwrap()).collect();
    let route = RouteSettings { hosts, path: path.parse().unwrap(), ..RouteSettings::default() };
    let shares = vec![("1.0.0".parse().unwrap(), 10_000)];
    Traffic { route, shares, hold_ms: 5_000, ..Traffic::new(address(listen)) }
}

fn encrypted(listen: &str, name: &str, redirect: Option<&str>) -> EdgeSettings {
    EdgeSettings {
        certificates: vec![CertificateFiles { chain: format!("/{name}.pem"), key: format!("/{name}.key") }],
        redirect: redirect.map(address),
        trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
        ..EdgeSettings::plain(address(listen))
    }
}

/// Nothing in it is left at its default.
fn elaborate() -> Traffic {
    let route = RouteSettings {
        timeouts: Timeouts {
            connect: Duration::from_millis(1),
            first_byte: Duration::from_millis(2),
            idle: Duration::from_millis(3),
            total: Some(Duration::from_millis(4)),
        },
        limits: Limits { body: Some(5), in_flight: Some(6), queue: 7, queue_for: Duration::from_millis(8) },
        retries: Retries { attempts: 9, budget_percent: 10 },
        eject: Ejection { after: None, pause: Duration::from_millis(11), keep_percent: 12 },
        slow_start: Duration::from_millis(13),
        drain: Duration::from_millis(14),
        sticky: vec![ClientKey::Header("X-User".parse().unwrap()), ClientKey::Cookie, ClientKey::Address],
        ..at("127.0.0.1:443", &["*.example.com", "shop.example.com"], "/api").route
    };
    let condition = |source, test| Condition { source, test };
    let when = vec![
        condition(Source::Header("X-Team".into()), Test::Equals("blue".into())),
        condition(Source::Cookie("beta".into()), Test::Present(true)),
        condition(Source::Query("try".into()), Test::Prefix("n".into())),
    ];
    Traffic {
        route,
        shares: vec![("1.1.0".parse().unwrap(), 0), ("1.0.0".parse().unwrap(), 10_000)],
        edge: Some(encrypted("127.0.0.1:443", "shop", Some("127.0.0.1:80"))),
        cohorts: vec![Cohort { name: "team".into(), when, version: "1.2.0".parse().unwrap(), share: 5_000 }],
        mirror: Some(Mirror {
            version: "1.3.0".parse().unwrap(),
            share: 100,
            bytes_per_second: 15,
            max_body_bytes: 16,
            unsafe_methods: true,
            timeout: Duration::from_millis(17),
            compare: Some(MirrorComparison {
                bodies: true,
                ignore: vec!["/items/*/id".into()],
                max_body_bytes: 18,
            }),
        }),
        preview: Some(Preview { version: "1.4.0".parse().unwrap(), listen: address("127.0.0.1:444") }),
        ..at("127.0.0.1:443", &[], "/")
    }
}

#[test]
fn a_control_plane_that_comes_back_reads_what_was_published() {
    let traffic = BTreeMap::from([
        (workload("production/api"), elaborate()),
        (workload("production/web"), Traffic { edge: elaborate().edge, ..at("127.0.0.1:443", &[], "/") }),
        (workload("dev/web"), at("127.0.0.1:8080", &[], "/")),
        (workload("dev/none"), Traffic::new(address("[::1]:8080"))),
    ]);
    let table = routes::build(&traffic, &Sources::default(), &RoutingTable::empty());
    assert_eq!(table.validate(), Ok(()));
    // On its way it is written and read, by the edge too.
    let text = serde_json::to_string(&table).unwrap();
    assert_eq!(routes::read(&serde_json::from_str::<RoutingTable>(&text).unwrap()), traffic);
}

#[test]
fn versions_without_a_share_have_a_pool_if_cohorts_or_mirrors_name_them() {
    let traffic = BTreeMap::from([(workload("production/api"), elaborate())]);
    let table = routes::build(&traffic, &Sources::default(), &RoutingTable::empty());
    let pools: Vec<(&str, u32)> =
        table.routes[0].pools.iter().map(|pool| (pool.version.as_str(), pool.weight)).collect();
    assert_eq!(pools, [("1.1.0", 0), ("1.0.0", 10_000), ("1.2.0", 0), ("1.3.0", 0)]);
}

#[test]
fn what_is_all_defaults_stays_out_of_the_table() {
    let traffic = BTreeMap::from([(workload("dev/web"), at("127.0.0.1:8080", &[], "/"))]);
    let table = routes::build(&traffic, &Sources::default(), &RoutingTable::empty());
    assert!(table.listeners.is_empty() && table.routes[0].client_keys.is_empty());
}

#[test]
fn environments_that_share_an_address_bring_their_certificates_together() {
    let listen = "127.0.0.1:443";
    let with = |name: &str, redirect| Traffic {
        edge: Some(encrypted(listen, name, redirect)),
        ..at(listen, &[&format!("{name}.example.com")], "/")
    };
    let traffic = BTreeMap::from([
        (workload("beta/web"), with("beta", None)),
        (workload("production/web"), with("shop", Some("127.0.0.1:80"))),
    ]);
    let listeners = listeners::build(&traffic);
    let [redirect, served] = listeners.as_slice() else { panic!("{listeners:#?}") };
    let expected = Listener { redirect_to_https: Some(443), ..Listener::plain(address("127.0.0.1:80")) };
    assert_eq!(*redirect, expected);
    let chains: Vec<_> =
        served.certificates.iter().map(|certificate| certificate.chain.to_str().unwrap()).collect();
    assert_eq!((chains, served.trusted.len()), (vec!["/beta.pem", "/shop.pem"], 1));
}

#[test]
fn the_last_word_of_an_environment_on_an_address_holds_for_all_there() {
    let listen = "127.0.0.1:443";
    let old = Traffic { edge: Some(encrypted(listen, "old", None)), ..at(listen, &[], "/") };
    let new = Traffic { edge: Some(encrypted(listen, "new", None)), ..at(listen, &[], "/api") };
    let elsewhere = at("127.0.0.1:8080", &[], "/");
    let mut all = BTreeMap::from([
        (workload("production/web"), old.clone()),
        (workload("production/admin"), elsewhere.clone()),
        (workload("beta/web"), old.clone()),
    ]);
    listeners::adopt(&workload("production/api"), &new, &mut all);
    assert_eq!(all[&workload("production/web")].edge, new.edge);
    assert_eq!(all[&workload("production/admin")], elsewhere);
    assert_eq!(all[&workload("beta/web")], old);
}

#[test]
fn two_workloads_for_the_same_requests_are_refused_in_words() {
    let listen = "127.0.0.1:8080";
    let refused = |ours: Traffic, theirs: Traffic| {
        let served = BTreeMap::from([(workload("dev/web"), theirs)]);
        check::requests(&workload("dev/api"), &ours, &served).err().map(|error| error.to_string())
    };
    for (ours, theirs) in [
        (at(listen, &[], "/api"), at(listen, &[], "/")),
        (at(listen, &["a.example.com"], "/"), at(listen, &["b.example.com"], "/")),
        (at(listen, &["a.example.com"], "/"), at(listen, &[], "/")),
        (at(listen, &[], "/"), at("127.0.0.1:8081", &[], "/")),
    ] {
        assert_eq!(refused(ours, theirs), None);
    }
    assert_eq!(
        refused(at(listen, &[], "/"), at(listen, &[], "/")).unwrap(),
        "dev/api cannot have the requests for any host and / at 127.0.0.1:8080: dev/web has them; give one of them another \
         `port`"
    );
    let (ours, theirs) = (["a.example.com", "b.example.com"], ["b.example.com", "c.example.com"]);
    assert_eq!(
        refused(at(listen, &ours, "/api"), at(listen, &theirs, "/api")).unwrap(),
        "dev/api cannot have the requests for b.example.com and /api at 127.0.0.1:8080: dev/web has them; give one of them \
         another `path` or `host`, in `services.api.route` or `environments.dev.services.api.route`"
    );
}

#[test]
fn what_another_program_holds_is_told_with_the_key_that_names_it() {
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let (taken, port) = (held.local_addr().unwrap().to_string(), held.local_addr().unwrap().port());
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let refused = |traffic: &Traffic| {
        let error = check::check(&workload("production/api"), traffic, &BTreeMap::new());
        error.unwrap_err().to_string()
    };
    let shared = |listen: &str, redirect: Option<&str>| Traffic {
        edge: Some(EdgeSettings { redirect: redirect.map(address), ..EdgeSettings::plain(address(listen)) }),
        ..at(listen, &[], "/")
    };
    for (traffic, key) in [
        (at(&taken, &[], "/"), "`services.api.port`"),
        (shared(&taken, None), "`environments.production.edge.listen`"),
        (shared(&free, Some(&taken)), "`environments.production.edge.redirect`"),
    ] {
        let said = refused(&traffic);
        let expected =
            format!("port {port} is in use by another program; free it, or choose another in {key}");
        assert!(said.starts_with(&expected), "{said}");
    }
    // The edge's own listener is in nobody's way.
    let served = BTreeMap::from([(workload("production/web"), at(&taken, &[], "/"))]);
    check::check(&workload("production/api"), &at(&taken, &[], "/api"), &served).unwrap();
}

#[test]
fn a_certificate_that_is_not_there_is_told_with_its_path_and_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("shop.pem"), "").unwrap();
    let listen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let files = CertificateFiles { chain: path("shop.pem"), key: path("shop.key") };
    let edge = EdgeSettings { certificates: vec![files], ..EdgeSettings::plain(listen) };
    let traffic = Traffic { edge: Some(edge), ..at(&listen.to_string(), &[], "/") };
    let api = workload("production/api");
    let said = check::check(&api, &traffic, &BTreeMap::new()).unwrap_err().to_string();
    let expected =
        format!("the file {} of `environments.production.edge.certificates[0].key`", path("shop.key"));
    assert!(said.starts_with(&expected) && said.contains("No such file"), "{said}");
    // Once it is in use, the edge keeps what it has read.
    let served = BTreeMap::from([(workload("production/web"), traffic.clone())]);
    let traffic = Traffic { route: at("127.0.0.1:1", &[], "/api").route, ..traffic };
    check::check(&api, &traffic, &served).unwrap();
}

struct Fixed(Option<Serving>);

impl EndpointSource for Fixed {
    fn serving(&self, _: &Workload, _: &Version) -> Option<Serving> {
        self.0.clone()
    }

    fn subscribe(&self) -> watch::Receiver<u64> {
        watch::channel(0).1
    }
}

#[test]
fn what_is_not_known_stays_as_it_was() {
    let endpoint = Endpoint { instance: "one".into(), address: Address::Tcp(address("127.0.0.1:1")) };
    let known = Serving { endpoints: vec![endpoint.clone()], ..Serving::default() };
    let traffic = BTreeMap::from([(workload("dev/web"), at("127.0.0.1:8080", &[], "/"))]);
    let sources = Sources::default();
    let dev = "dev".parse().unwrap();
    let endpoints = |sources: &Sources, before: &RoutingTable| {
        let table = routes::build(&traffic, sources, before);
        (table.routes[0].pools[0].endpoints.clone(), table)
    };
    sources.attach(&dev, Arc::new(Fixed(Some(known))));
    let (found, before) = endpoints(&sources, &RoutingTable::empty());
    assert_eq!(found, std::slice::from_ref(&endpoint));
    sources.attach(&dev, Arc::new(Fixed(None)));
    assert_eq!(
        endpoints(&sources, &before).0,
        std::slice::from_ref(&endpoint),
        "whoever runs it cannot be asked"
    );
    assert_eq!(endpoints(&Sources::default(), &before).0, [endpoint], "nobody runs it yet");
    sources.attach(&dev, Arc::new(Fixed(Some(Serving::default()))));
    assert_eq!(endpoints(&sources, &before).0, [], "it is known that there are none");
}
