//! Traffic as tests write it.

use std::time::Duration;

use pilotage_spec::{Cohort, Condition, Mirror, Source, Test, Version, Workload};
use pilotage_targets::Traffic;
use proptest::prelude::*;
use serde_json::Value;

use super::live;
use super::provider::Provider;
use super::scene::{Backends, Scene};
use crate::names::Owner;

pub(super) fn version(text: &str) -> Version {
    text.parse().unwrap()
}

pub(super) fn workload() -> Workload {
    Workload { environment: "production".parse().unwrap(), service: "api".parse().unwrap() }
}

pub(super) fn scene() -> Scene {
    let owner = Owner { project: "shop".parse().unwrap(), environment: "production".parse().unwrap() };
    Scene::new(owner.names(&workload()), "shop", 80)
}

/// The Services of these versions.
pub(super) fn backends(versions: &[&str]) -> Backends {
    let scene = scene();
    versions.iter().map(|text| (scene.backend(&version(text)), version(text))).collect()
}

pub(super) fn traffic(shares: &[(&str, u32)]) -> Traffic {
    let shares = shares.iter().map(|(text, share)| (version(text), *share)).collect();
    Traffic { shares, ..Traffic::new("0.0.0.0:80".parse().unwrap()) }
}

pub(super) fn cohort(name: &str, header: &str, value: &str, to: &str, share: u32) -> Cohort {
    let test = Test::Equals(value.to_owned());
    let when = vec![Condition { source: Source::Header(header.to_owned()), test }];
    Cohort { name: name.to_owned(), when, version: version(to), share }
}

pub(super) fn cookie_cohort(name: &str, cookie: &str, value: &str, to: &str) -> Cohort {
    let mut cohort = cohort(name, "", value, to, 10_000);
    cohort.when[0].source = Source::Cookie(cookie.to_owned());
    cohort
}

pub(super) fn mirror(to: &str, share: u32) -> Mirror {
    Mirror {
        version: version(to),
        share,
        bytes_per_second: 16 << 20,
        max_body_bytes: 1 << 20,
        unsafe_methods: false,
        timeout: Duration::from_secs(10),
        compare: None,
    }
}

/// Traffic that one object can say: a canary with a cohort by header, one by cookie, and copies.
pub(super) fn everything() -> Traffic {
    let mut traffic = traffic(&[("2.0.0", 500), ("1.0.0", 9_500)]);
    traffic.route.hosts = vec!["shop.example.com".parse().unwrap(), "*.shop.example.com".parse().unwrap()];
    traffic.route.path = "/api".parse().unwrap();
    traffic.route.timeouts.total = Some(Duration::from_millis(90_500));
    traffic.cohorts.push(cohort("staff", "X-Staff", "yes", "2.0.0", 10_000));
    traffic.cohorts.push(cookie_cohort("beta", "beta", "v1.5", "2.0.0"));
    traffic.mirror = Some(mirror("2.0.0", 1_200));
    traffic
}

/// JSON as snapshots show it.
pub(super) fn shown(value: &Value) -> String {
    let mut value = value.clone();
    // The whole traffic in one line hides everything else.
    if let Some(text) = value.pointer_mut("/metadata/annotations/pilotage.dev~1traffic") {
        *text = "(the traffic)".into();
    }
    serde_json::to_string_pretty(&value).unwrap()
}

/// The traffic that is read from the objects that are written for it, beside what is written in their annotation.
pub(super) fn read_back<P: Provider>(
    provider: &P,
    version: &str,
    wanted: &Traffic,
    written: &Traffic,
) -> Traffic {
    let scene = scene();
    let route = provider.route(&scene, wanted, version).unwrap();
    let beside: Vec<Value> = provider.beside(&scene, wanted).into_iter().map(|(_, object)| object).collect();
    let rules = provider.rules(&route, &beside, &backends(&["1.0.0", "2.0.0", "3.0.0"]));
    live::traffic(&rules, written.clone())
}

/// Traffic of two versions: any shares, perhaps a cohort with a part of its clients, perhaps copies of whole percents.
pub(super) fn some_traffic(parts: bool) -> impl Strategy<Value = Traffic> {
    let part = if parts { 0..=10_000_u32 } else { 10_000..=10_000 };
    let source = prop_oneof![
        Just(Source::Header("X-Staff".into())),
        Just(Source::Cookie("beta".into())),
        Just(Source::Query("v".into()))
    ];
    let test = prop_oneof![
        "[a-z.*;=]{1,8}"
            .prop_filter("a cookie ends at `;`", |text| !text.contains(';'))
            .prop_map(Test::Equals),
        "[a-z.*]{1,8}".prop_map(Test::Prefix),
        Just(Test::Present(true)),
    ];
    let cohort = prop::option::of((source, test, part.prop_filter("nobody", |part| *part > 0)));
    let copies = prop::option::of((1..=100_u32, any::<bool>()));
    (0..=10_000_u32, cohort, copies).prop_map(|(share, cohort, copies)| {
        let mut traffic = traffic(&[("2.0.0", share), ("1.0.0", 10_000 - share)]);
        traffic.cohorts.extend(cohort.map(|(source, test, share)| Cohort {
            name: "some".to_owned(),
            when: vec![Condition { source, test }],
            version: version("2.0.0"),
            share,
        }));
        traffic.mirror = copies
            .map(|(percent, unsafe_methods)| Mirror { unsafe_methods, ..mirror("2.0.0", percent * 100) });
        traffic
    })
}
