use pilotage_spec::{Condition, Source, Test};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::live;
use super::super::testing::*;
use super::*;

fn gateway() -> Gateway {
    Gateway { parent: "public".to_owned(), namespace: Some("gateways".to_owned()) }
}

fn refused(traffic: &Traffic) -> String {
    gateway().route(&scene(), traffic, "v1").unwrap_err().to_string()
}

#[test]
fn a_route_says_hosts_path_cohorts_copies_and_weights() {
    insta::assert_snapshot!(shown(&gateway().route(&scene(), &everything(), "v1").unwrap()));
}

#[test]
fn a_rollback_is_a_route_with_one_backend() {
    let route = gateway().route(&scene(), &traffic(&[("1.0.0", 10_000)]), "v1beta1").unwrap();
    insta::assert_snapshot!(shown(&route));
}

#[test]
fn nobody_is_served_by_a_rule_without_backends() {
    let route = gateway().route(&scene(), &traffic(&[]), "v1").unwrap();
    assert_eq!(route["spec"]["rules"][0]["backendRefs"], json!([]));
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(wanted in some_traffic(false)) {
        prop_assert_eq!(read_back(&gateway(), "v1", &wanted, &wanted), wanted);
    }

    #[test]
    fn weights_of_a_rule_are_the_shares(share in 0..=10_000_u32) {
        let wanted = traffic(&[("2.0.0", share), ("1.0.0", 10_000 - share)]);
        let route = gateway().route(&scene(), &wanted, "v1").unwrap();
        let backends = route["spec"]["rules"][0]["backendRefs"].as_array().unwrap().clone();
        let sum: u64 = backends.iter().map(|backend| backend["weight"].as_u64().unwrap()).sum();
        prop_assert_eq!(sum, 10_000);
    }
}

#[test]
fn a_weight_changed_by_hand_is_seen() {
    let wanted = traffic(&[("2.0.0", 500), ("1.0.0", 9_500)]);
    let mut route = gateway().route(&scene(), &wanted, "v1").unwrap();
    route["spec"]["rules"][0]["backendRefs"][0]["weight"] = json!(9_500);
    let rules = gateway().rules(&route, &[], &backends(&["1.0.0", "2.0.0"]));
    let read = live::traffic(&rules, wanted);
    assert_eq!(read.shares, vec![(version("2.0.0"), 5_000), (version("1.0.0"), 5_000)]);
}

#[test]
fn what_the_gateway_api_cannot_say_is_refused_with_what_to_do() {
    let mut without = traffic(&[("1.0.0", 10_000)]);
    without.cohorts.push(cohort("others", "x-staff", "", "1.0.0", 10_000));
    without.cohorts[0].when[0].test = Test::Present(false);
    assert!(refused(&without).contains("turn the condition round"), "{}", refused(&without));

    let mut order = traffic(&[("2.0.0", 500), ("1.0.0", 9_500)]);
    let mut query = cohort("query", "", "yes", "1.0.0", 10_000);
    query.when = vec![Condition { source: Source::Query("v".into()), test: Test::Present(true) }];
    order.cohorts = vec![query, cohort("header", "x-staff", "yes", "2.0.0", 10_000)];
    assert!(refused(&order).contains("before cohort `header`"), "{}", refused(&order));

    let mut fine = traffic(&[("2.0.0", 1_237), ("1.0.0", 8_763)]);
    fine.cohorts.push(cohort("staff", "x-staff", "yes", "2.0.0", 3_331));
    assert!(refused(&fine).contains("rounder share"), "{}", refused(&fine));
}

fn team_route() -> Value {
    json!({
        "parentRefs": [{ "name": "public" }],
        "rules": [
            {
                "matches": [{ "path": { "type": "PathPrefix", "value": "/api" }, "headers": [{ "name": "tenant", "value": "a" }] }],
                "filters": [{ "type": "RequestHeaderModifier", "requestHeaderModifier": { "remove": ["x-debug"] } }],
                "backendRefs": [{ "name": "api", "port": 80 }],
                "timeouts": { "request": "10s" },
            },
            { "matches": [{ "path": { "value": "/docs" } }], "backendRefs": [{ "name": "docs", "port": 80 }] },
        ],
    })
}

#[test]
fn of_a_route_of_the_team_only_the_backends_change() {
    let mut wanted = traffic(&[("2.0.0", 500), ("1.0.0", 9_500)]);
    wanted.cohorts.push(cohort("staff", "x-staff", "yes", "2.0.0", 10_000));
    let fields = gateway().borrowed(&scene(), &wanted, &team_route(), "v1").unwrap();
    insta::assert_snapshot!(shown(&fields));
    assert!(fields.get("parentRefs").is_none(), "not ours to say");
}

fn status(generation: i64, observed: i64, accepted: &str, resolved: &str) -> Value {
    let condition = |kind: &str, status: &str| json!({ "type": kind, "status": status, "reason": "Because", "message": "words", "observedGeneration": observed });
    json!({
        "metadata": { "generation": generation },
        "status": { "parents": [{
            "parentRef": { "name": "public" },
            "conditions": [condition("Accepted", accepted), condition("ResolvedRefs", resolved)],
        }] },
    })
}

#[test]
fn only_what_is_said_of_this_generation_counts() {
    let verdict = |route: &Value| gateway().verdict(route);
    assert_eq!(verdict(&status(3, 3, "True", "True")), Verdict::InForce);
    assert_eq!(verdict(&status(3, 2, "True", "True")), Verdict::Pending);
    assert_eq!(verdict(&status(3, 3, "True", "Unknown")), Verdict::Pending);
    let why = "ResolvedRefs is False (Because): words".to_owned();
    assert_eq!(verdict(&status(3, 3, "True", "False")), Verdict::Refused(why));
    assert_eq!(verdict(&status(3, 2, "True", "False")), Verdict::Pending, "that was another route");
    assert_eq!(verdict(&json!({ "metadata": { "generation": 1 } })), Verdict::Silent);
}

#[test]
fn a_gateway_that_nobody_reads_is_told_from_one_in_use() {
    let unread = json!({ "status": { "conditions": [{ "type": "Accepted", "status": "Unknown", "reason": "Pending" }] } });
    assert!(!gateway().is_read(&unread));
    let read = json!({ "status": { "conditions": [{ "type": "Accepted", "status": "True", "reason": "Accepted" }] } });
    assert!(gateway().is_read(&read));
}
