use pilotage_spec::Test;
use serde_json::json;

use super::super::testing::*;
use super::*;

fn nginx() -> Nginx {
    Nginx { class: "nginx".to_owned() }
}

fn canary_of(traffic: &pilotage_targets::Traffic) -> serde_json::Value {
    let pair = turn::pair(traffic).unwrap().unwrap();
    object::canary(&nginx(), &scene(), traffic, &pair.canary)
}

fn without_copies() -> pilotage_targets::Traffic {
    let mut traffic = everything();
    traffic.mirror = None;
    traffic.cohorts[1] = cookie_cohort("beta", "beta", "always", "2.0.0");
    traffic
}

#[test]
fn the_main_ingress_names_the_stable_version() {
    let traffic = without_copies();
    insta::assert_snapshot!(shown(&object::main(&nginx(), &scene(), &traffic.route, &version("1.0.0"))));
}

#[test]
fn the_canary_says_its_share_and_its_cohorts() {
    insta::assert_snapshot!(shown(&canary_of(&without_copies())));
}

#[test]
fn what_is_written_is_read_back() {
    let wanted = without_copies();
    let pair = turn::pair(&wanted).unwrap().unwrap();
    let main = object::main(&nginx(), &scene(), &wanted.route, &pair.main);
    let canary = canary_of(&wanted);
    let read = read::pair(Some(&main), Some(&canary), &backends(&["1.0.0", "2.0.0"])).unwrap();
    assert_eq!(read, pair);
    assert_eq!(read::traffic(&read, wanted.clone()), wanted);
}

#[test]
fn an_annotation_changed_by_hand_is_seen() {
    let wanted = without_copies();
    let pair = turn::pair(&wanted).unwrap().unwrap();
    let main = object::main(&nginx(), &scene(), &wanted.route, &pair.main);
    let mut canary = canary_of(&wanted);
    canary["metadata"]["annotations"]["nginx.ingress.kubernetes.io/canary-weight"] = json!("5000");
    canary["metadata"]["annotations"]["nginx.ingress.kubernetes.io/canary-by-header-value"] = json!("no");
    let read = read::pair(Some(&main), Some(&canary), &backends(&["1.0.0", "2.0.0"])).unwrap();
    let read = read::traffic(&read, wanted);
    assert_eq!(read.shares, vec![(version("2.0.0"), 5_000), (version("1.0.0"), 5_000)]);
    assert!(read.cohorts.iter().any(|cohort| cohort.name == "not ours (1)"), "{:?}", read.cohorts);
}

#[test]
fn a_canary_switched_off_by_hand_leaves_everything_with_the_main_ingress() {
    let wanted = without_copies();
    let main = object::main(&nginx(), &scene(), &wanted.route, &version("1.0.0"));
    let mut canary = canary_of(&wanted);
    canary["metadata"]["annotations"]["nginx.ingress.kubernetes.io/canary"] = json!("false");
    let read = read::pair(Some(&main), Some(&canary), &backends(&["1.0.0", "2.0.0"])).unwrap();
    assert_eq!(read::traffic(&read, wanted).shares, vec![(version("1.0.0"), 10_000)]);
}

#[test]
fn what_the_annotations_cannot_say_is_refused_with_what_to_do() {
    let refused = |change: &dyn Fn(&mut pilotage_targets::Traffic)| {
        let mut wanted = without_copies();
        change(&mut wanted);
        let refused = object::refuse(&wanted).err().or_else(|| turn::pair(&wanted).err());
        refused.expect("it was accepted").to_string()
    };
    assert!(refused(&|wanted| wanted.mirror = Some(mirror("2.0.0", 100))).contains("copies writes too"));
    assert!(refused(&|wanted| wanted.cohorts[0].share = 5_000).contains("all of its clients"));
    assert!(refused(&|wanted| wanted.cohorts[0].version = version("1.0.0")).contains("another version"));
    assert!(
        refused(&|wanted| wanted.cohorts[1].when[0].test = Test::Equals("yes".into())).contains("`always`")
    );
    let third = |wanted: &mut pilotage_targets::Traffic| {
        wanted.cohorts.push(cohort("more", "x-more", "1", "2.0.0", 10_000));
    };
    assert!(refused(&third).contains("a second header"));
}
