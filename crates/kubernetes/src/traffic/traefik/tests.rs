use pilotage_spec::Test;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::live;
use super::super::testing::*;
use super::*;

fn traefik() -> Traefik {
    Traefik { entry_points: vec!["web".to_owned()] }
}

#[test]
fn a_route_says_hosts_path_cohorts_copies_and_weights() {
    insta::assert_snapshot!(shown(&traefik().route(&scene(), &everything(), "v1alpha1").unwrap()));
}

#[test]
fn a_service_that_copies_stands_beside_each_version_that_serves() {
    let beside = traefik().beside(&scene(), &everything());
    assert_eq!(beside.len(), 2);
    insta::assert_snapshot!(shown(&beside[0].1));
    assert!(traefik().beside(&scene(), &traffic(&[("1.0.0", 10_000)])).is_empty());
}

#[test]
fn a_rollback_is_a_route_with_one_service() {
    insta::assert_snapshot!(shown(
        &traefik().route(&scene(), &traffic(&[("1.0.0", 10_000)]), "v1alpha1").unwrap()
    ));
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(wanted in some_traffic(true)) {
        prop_assert_eq!(read_back(&traefik(), "v1alpha1", &wanted, &wanted), wanted);
    }
}

#[test]
fn a_header_that_must_be_missing_is_read_back() {
    let mut wanted = traffic(&[("2.0.0", 500), ("1.0.0", 9_500)]);
    wanted.cohorts.push(cohort("others", "x-staff", "", "2.0.0", 10_000));
    wanted.cohorts[0].when[0].test = Test::Present(false);
    assert_eq!(read_back(&traefik(), "v1alpha1", &wanted, &wanted), wanted);
}

#[test]
fn a_weight_or_a_rule_changed_by_hand_is_seen() {
    let mut wanted = traffic(&[("2.0.0", 500), ("1.0.0", 9_500)]);
    wanted.cohorts.push(cohort("staff", "x-staff", "yes", "2.0.0", 10_000));
    let mut route = traefik().route(&scene(), &wanted, "v1alpha1").unwrap();
    let read = |route: &Value| {
        live::traffic(&traefik().rules(route, &[], &backends(&["1.0.0", "2.0.0"])), wanted.clone())
    };
    assert_eq!(read(&route), wanted);
    route["spec"]["routes"][0]["match"] = json!("PathPrefix(`/`) && ClientIP(`10.0.0.0/8`)");
    assert_ne!(read(&route), wanted);
    route["spec"]["routes"][1]["services"][0]["weight"] = json!(9_500);
    assert_eq!(read(&route).shares[0].1, 5_000);
}

#[test]
fn what_traefik_cannot_say_is_refused_with_what_to_do() {
    let mut wanted = traffic(&[("1.0.0", 10_000)]);
    wanted.cohorts.push(cohort("odd", "x-staff", "a`b", "1.0.0", 10_000));
    let refusal = traefik().route(&scene(), &wanted, "v1alpha1").unwrap_err().to_string();
    assert!(refusal.contains("backtick"), "{refusal}");
    let mut wanted = traffic(&[("1.0.0", 10_000)]);
    wanted.mirror = Some(mirror("2.0.0", 50));
    let refusal = traefik().route(&scene(), &wanted, "v1alpha1").unwrap_err().to_string();
    assert!(refusal.contains("copy whole percents"), "{refusal}");
}

#[test]
fn of_a_route_of_the_team_only_the_services_change() {
    let original = json!({
        "entryPoints": ["websecure"],
        "routes": [
            {
                "kind": "Rule",
                "match": "Host(`shop.example.com`) && PathPrefix(`/api`)",
                "middlewares": [{ "name": "auth" }],
                "services": [{ "name": "api", "port": 80 }],
            },
            { "kind": "Rule", "match": "Host(`shop.example.com`)", "services": [{ "name": "web", "port": 80 }] },
        ],
    });
    let mut wanted = traffic(&[("2.0.0", 500), ("1.0.0", 9_500)]);
    wanted.cohorts.push(cohort("staff", "x-staff", "yes", "2.0.0", 10_000));
    let fields = traefik().borrowed(&scene(), &wanted, &original, "v1alpha1").unwrap();
    insta::assert_snapshot!(shown(&fields));
}
