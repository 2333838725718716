use pilotage_spec::Test;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::live;
use super::super::testing::*;
use super::*;

fn istio() -> Istio {
    Istio { gateways: vec!["istio-system/public".to_owned()] }
}

fn mesh() -> Istio {
    Istio { gateways: Vec::new() }
}

#[test]
fn a_route_says_hosts_path_cohorts_copies_and_weights() {
    insta::assert_snapshot!(shown(&istio().route(&scene(), &everything(), "v1").unwrap()));
}

#[test]
fn in_the_mesh_alone_a_rollback_is_a_route_with_one_destination() {
    insta::assert_snapshot!(shown(
        &mesh().route(&scene(), &traffic(&[("1.0.0", 10_000)]), "v1beta1").unwrap()
    ));
}

#[test]
fn each_version_leaves_out_instances_that_fail() {
    let beside = mesh().beside(&scene(), &traffic(&[("2.0.0", 500), ("1.0.0", 9_500)]));
    assert_eq!(beside.len(), 2);
    insta::assert_snapshot!(shown(&beside[0].1));
    let mut never = traffic(&[("1.0.0", 10_000)]);
    never.route.eject.after = None;
    assert!(mesh().beside(&scene(), &never).is_empty());
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(wanted in some_traffic(true)) {
        prop_assert_eq!(read_back(&mesh(), "v1", &wanted, &wanted), wanted);
    }

    #[test]
    fn whole_percents_add_up_to_a_hundred_on_every_version(percent in 1..=99_u32) {
        let wanted = traffic(&[("2.0.0", percent * 100), ("1.0.0", 10_000 - percent * 100)]);
        for version in ["v1alpha3", "v1beta1", "v1"] {
            let route = mesh().route(&scene(), &wanted, version).unwrap();
            let routes = route["spec"]["http"][0]["route"].as_array().unwrap().clone();
            let sum: u64 = routes.iter().map(|route| route["weight"].as_u64().unwrap()).sum();
            prop_assert_eq!(sum, 100);
        }
    }
}

#[test]
fn parts_of_a_percent_need_an_istio_that_takes_any_sum() {
    let wanted = traffic(&[("2.0.0", 50), ("1.0.0", 9_950)]);
    let refusal = mesh().route(&scene(), &wanted, "v1beta1").unwrap_err().to_string();
    assert!(refusal.contains("use whole percents"), "{refusal}");
    let route = mesh().route(&scene(), &wanted, "v1").unwrap();
    assert_eq!(route["spec"]["http"][0]["route"][0]["weight"], 50);
    assert_eq!(route["spec"]["http"][0]["route"][1]["weight"], 9_950);
}

#[test]
fn a_gateway_without_hosts_would_take_all_requests_and_is_refused() {
    let refusal = istio().route(&scene(), &traffic(&[("1.0.0", 10_000)]), "v1").unwrap_err().to_string();
    assert!(refusal.contains("name its hosts"), "{refusal}");
}

#[test]
fn a_header_that_must_be_missing_is_read_back() {
    let mut wanted = traffic(&[("2.0.0", 500), ("1.0.0", 9_500)]);
    wanted.cohorts.push(cohort("others", "x-staff", "", "2.0.0", 10_000));
    wanted.cohorts[0].when[0].test = Test::Present(false);
    assert_eq!(read_back(&mesh(), "v1", &wanted, &wanted), wanted);
}

#[test]
fn a_weight_changed_by_hand_is_seen() {
    let wanted = traffic(&[("2.0.0", 500), ("1.0.0", 9_500)]);
    let mut route = mesh().route(&scene(), &wanted, "v1").unwrap();
    route["spec"]["http"][0]["route"][0]["weight"] = json!(95);
    let rules = mesh().rules(&route, &[], &backends(&["1.0.0", "2.0.0"]));
    assert_eq!(live::traffic(&rules, wanted.clone()).shares[0], (version("2.0.0"), 5_000));
    // And a third destination that is nobody we know.
    let elsewhere = json!({ "destination": { "host": "other" }, "weight": 190 });
    route["spec"]["http"][0]["route"].as_array_mut().unwrap().push(elsewhere);
    let rules = mesh().rules(&route, &[], &backends(&["1.0.0", "2.0.0"]));
    assert_eq!(live::traffic(&rules, wanted).shares[0], (version("2.0.0"), 2_500));
}

#[test]
fn of_a_route_of_the_team_only_the_destinations_change() {
    let original = json!({
        "hosts": ["shop.example.com"],
        "gateways": ["public"],
        "http": [
            {
                "name": "api",
                "match": [{ "uri": { "prefix": "/api" } }],
                "retries": { "attempts": 3 },
                "route": [{ "destination": { "host": "api.shop.svc.cluster.local", "port": { "number": 80 } } }],
            },
            { "route": [{ "destination": { "host": "web" } }] },
        ],
    });
    let mut wanted = traffic(&[("2.0.0", 500), ("1.0.0", 9_500)]);
    wanted.cohorts.push(cohort("staff", "x-staff", "yes", "2.0.0", 10_000));
    let fields = mesh().borrowed(&scene(), &wanted, &original, "v1").unwrap();
    insta::assert_snapshot!(shown(&fields));
}

#[test]
fn the_status_counts_where_istio_writes_one() {
    let verdict =
        |status: Value| mesh().verdict(&json!({ "metadata": { "generation": 3 }, "status": status }));
    assert_eq!(verdict(json!({})), Verdict::Silent);
    assert_eq!(verdict(json!({ "observedGeneration": 2 })), Verdict::Pending);
    assert_eq!(verdict(json!({ "observedGeneration": "3" })), Verdict::InForce);
    let message = json!({ "level": "ERROR", "type": { "name": "ReferencedResourceNotFound" } });
    let refused = verdict(json!({ "observedGeneration": 3, "validationMessages": [message] }));
    assert_eq!(refused, Verdict::Refused("ReferencedResourceNotFound".to_owned()));
}
