use std::time::Duration;

use pilotage_spec::{
    AbTrial, Arm, Baseline, Cohort, Condition, Copies, Goal, Mirror, Preview, Ring, RollingUnit, Source,
    Stage, StrategyKind, Test,
};
use proptest::prelude::*;

use super::testing::{plan, release, request};
use super::{Plan, PlanError, Purpose, Step, way_back};
use crate::{Action, Facts, Split, TrafficState};

fn lines(steps: &[Step]) -> String {
    steps.iter().map(|step| format!("{step}\n")).collect()
}

#[test]
fn a_canary_grows_share_by_share_and_instance_by_instance() {
    insta::assert_snapshot!(lines(&plan("canary").steps), @"
    ensure 1 instance of 1.1.0
    check 1 instance of 1.1.0 ready
    check smoke suite against 1.1.0
    route 1 % to 1.1.0, 99 % to 1.0.0
    watch 1.1.0 for 5 min
    route 5 % to 1.1.0, 95 % to 1.0.0
    watch 1.1.0 for 5 min
    route 25 % to 1.1.0, 75 % to 1.0.0
    watch 1.1.0 for 5 min
    ensure 2 instances of 1.1.0
    check 2 instances of 1.1.0 ready
    route 50 % to 1.1.0, 50 % to 1.0.0
    watch 1.1.0 for 5 min
    ensure 3 instances of 1.1.0
    check 3 instances of 1.1.0 ready
    route 100 % to 1.1.0
    watch 1.1.0 for 5 min
    soak 1.1.0 for 15 min
    retire 1.0.0
    ");
}

#[test]
fn a_fresh_baseline_grows_with_the_canary_and_goes_before_everybody_is_watched() {
    let mut request = request("canary", 3);
    request.strategy.kind = StrategyKind::Canary { steps: vec![1_000, 5_000, 8_000, 10_000] };
    request.strategy.baseline = Baseline::Fresh;
    let plan = Plan::new(request.clone()).unwrap();
    insta::assert_snapshot!(lines(&plan.steps), @"
    ensure 1 instance of 1.0.0+baseline
    ensure 1 instance of 1.1.0
    check 1 instance of 1.1.0 ready
    check smoke suite against 1.1.0
    check 1 instance of 1.0.0+baseline ready
    route 10 % to 1.1.0, 10 % to 1.0.0+baseline, 80 % to 1.0.0
    watch 1.1.0 for 5 min
    ensure 2 instances of 1.0.0+baseline
    ensure 2 instances of 1.1.0
    check 2 instances of 1.1.0 ready
    check 2 instances of 1.0.0+baseline ready
    route 50 % to 1.1.0, 50 % to 1.0.0+baseline
    watch 1.1.0 for 5 min
    ensure 3 instances of 1.0.0+baseline
    ensure 3 instances of 1.1.0
    check 3 instances of 1.1.0 ready
    check 3 instances of 1.0.0+baseline ready
    route 80 % to 1.1.0, 20 % to 1.0.0+baseline
    watch 1.1.0 for 5 min
    route 100 % to 1.1.0
    retire 1.0.0+baseline
    watch 1.1.0 for 5 min
    soak 1.1.0 for 15 min
    retire 1.0.0
    ");
    assert_eq!(plan.reference().unwrap().to_string(), "1.0.0+baseline");
    assert_eq!(plan.stable().unwrap().to_string(), "1.0.0");
    assert_eq!(plan.baseline.as_ref().unwrap().id.digest, request.stable.as_ref().unwrap().id.digest);
    insta::assert_snapshot!(lines(&way_back(&plan, &Facts::default())), @"
    ensure 3 instances of 1.0.0
    check 2 instances of 1.0.0 ready
    route 100 % to 1.0.0
    retire 1.1.0
    retire 1.0.0+baseline
    ensure 3 instances of 1.0.0
    check 3 instances of 1.0.0 ready
    ");
    request.candidate.id.version = "1.0.0+baseline".parse().unwrap();
    assert!(matches!(Plan::new(request), Err(PlanError::BaselineTaken { .. })));
}

#[test]
fn blue_green_can_be_seen_and_held_before_it_switches() {
    let mut request = request("blue-green", 3);
    request.strategy.preview = Some(8_081);
    request.strategy.hold = true;
    insta::assert_snapshot!(lines(&Plan::new(request.clone()).unwrap().steps), @"
    ensure 3 instances of 1.1.0
    check 3 instances of 1.1.0 ready
    route 100 % to 1.0.0, preview of 1.1.0 at 127.0.0.1:8081
    check smoke suite against 1.1.0
    hold until a person says `pilotage promote`
    route 100 % to 1.1.0
    watch 1.1.0 for 5 min
    soak 1.1.0 for 15 min
    retire 1.0.0
    ");
    request.stable = None;
    insta::assert_snapshot!(lines(&Plan::new(request).unwrap().steps), @"
    ensure 3 instances of 1.1.0
    check 3 instances of 1.1.0 ready
    check smoke suite against 1.1.0
    route 100 % to 1.1.0
    ");
}

#[test]
fn stages_keep_cohorts_until_everybody_has_it_and_copies_for_themselves() {
    let watch = Duration::from_secs(60);
    let when = Condition { source: Source::Header("X-Staff".to_owned()), test: Test::Present(true) };
    let copies = Copies { share: 2_000, writes: false, bodies: false, ignore: Vec::new() };
    let stages = vec![
        Stage::Mirror { copies: copies.clone(), watch },
        Stage::Share { share: 500, watch },
        Stage::Cohort { cohort: Ring { name: "staff".to_owned(), when, share: 10_000 }, watch },
        Stage::Hold,
        Stage::Mirror { copies: copies.clone(), watch },
        Stage::Smoke,
        Stage::Share { share: 5_000, watch },
        Stage::Share { share: 10_000, watch },
    ];
    let mut request = request("canary", 3);
    request.strategy.kind = StrategyKind::Steps { stages };
    insta::assert_snapshot!(lines(&Plan::new(request.clone()).unwrap().steps), @"
    ensure 1 instance of 1.1.0
    check 1 instance of 1.1.0 ready
    check smoke suite against 1.1.0
    route 100 % to 1.0.0, copies of 20 % to 1.1.0
    watch 1.1.0 for 1 min
    route 5 % to 1.1.0, 95 % to 1.0.0
    watch 1.1.0 for 1 min
    ensure 3 instances of 1.1.0
    check 3 instances of 1.1.0 ready
    route 5 % to 1.1.0, 95 % to 1.0.0, cohort staff to 1.1.0
    watch 1.1.0 for 1 min
    hold until a person says `pilotage promote`
    route 5 % to 1.1.0, 95 % to 1.0.0, cohort staff to 1.1.0, copies of 20 % to 1.1.0
    watch 1.1.0 for 1 min
    check smoke suite against 1.1.0
    route 50 % to 1.1.0, 50 % to 1.0.0, cohort staff to 1.1.0
    watch 1.1.0 for 1 min
    route 100 % to 1.1.0
    watch 1.1.0 for 1 min
    soak 1.1.0 for 15 min
    retire 1.0.0
    ");
    request.strategy.kind = StrategyKind::Shadow { copies };
    insta::assert_snapshot!(lines(&Plan::new(request.clone()).unwrap().steps), @"
    ensure 1 instance of 1.1.0
    check 1 instance of 1.1.0 ready
    check smoke suite against 1.1.0
    route 100 % to 1.0.0, copies of 20 % to 1.1.0
    watch 1.1.0 for 5 min
    conclude the trial
    ");
    request.stable = None;
    assert!(matches!(Plan::new(request), Err(PlanError::NothingToTryBeside { .. })));
}

#[test]
fn an_ab_test_is_concluded_and_only_a_winner_that_was_asked_for_goes_on() {
    let mut request = request("blue-green", 3);
    let lasts = Duration::from_secs(7 * 24 * 3_600);
    let trial = AbTrial {
        arm: Arm::Share(5_000),
        lasts,
        goal: Goal::Errors,
        alpha: 500,
        indifference: 200,
        promotes: false,
    };
    request.strategy.kind = StrategyKind::Ab { trial: trial.clone() };
    insta::assert_snapshot!(lines(&Plan::new(request.clone()).unwrap().steps), @"
    ensure 2 instances of 1.1.0
    check 2 instances of 1.1.0 ready
    check smoke suite against 1.1.0
    route 50 % to 1.1.0, 50 % to 1.0.0
    watch 1.1.0 for 168 h
    conclude the trial
    ");
    let when = Condition { source: Source::Header("X-Beta".to_owned()), test: Test::Present(true) };
    request.strategy.kind =
        StrategyKind::Ab { trial: AbTrial { arm: Arm::Cohort(when), promotes: true, ..trial } };
    insta::assert_snapshot!(lines(&Plan::new(request.clone()).unwrap().steps), @"
    ensure 3 instances of 1.1.0
    check 3 instances of 1.1.0 ready
    check smoke suite against 1.1.0
    route 100 % to 1.0.0, cohort B to 1.1.0
    watch 1.1.0 for 168 h
    conclude the trial
    route 100 % to 1.1.0
    watch 1.1.0 for 5 min
    soak 1.1.0 for 15 min
    retire 1.0.0
    ");
    let plan = Plan::new(request.clone()).unwrap();
    let read: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
    assert_eq!(read, plan);
    request.stable = None;
    assert!(matches!(Plan::new(request), Err(PlanError::NothingToTryBeside { .. })));
}

#[test]
fn blue_green_switches_once() {
    insta::assert_snapshot!(lines(&plan("blue-green").steps), @"
    ensure 3 instances of 1.1.0
    check 3 instances of 1.1.0 ready
    check smoke suite against 1.1.0
    route 100 % to 1.1.0
    watch 1.1.0 for 5 min
    soak 1.1.0 for 15 min
    retire 1.0.0
    ");
}

#[test]
fn rolling_keeps_the_last_old_instance_warm() {
    insta::assert_snapshot!(lines(&plan("rolling").steps), @"
    ensure 1 instance of 1.1.0
    check 1 instance of 1.1.0 ready
    check smoke suite against 1.1.0
    route 25 % to 1.1.0, 75 % to 1.0.0
    watch 1.1.0 for 5 min
    route 33.33 % to 1.1.0, 66.67 % to 1.0.0
    retire 1.0.0, keep 2 instances
    ensure 2 instances of 1.1.0
    check 2 instances of 1.1.0 ready
    route 50 % to 1.1.0, 50 % to 1.0.0
    watch 1.1.0 for 5 min
    route 66.66 % to 1.1.0, 33.34 % to 1.0.0
    retire 1.0.0, keep 1 instance
    ensure 3 instances of 1.1.0
    check 3 instances of 1.1.0 ready
    route 100 % to 1.1.0
    watch 1.1.0 for 5 min
    soak 1.1.0 for 15 min
    retire 1.0.0
    ");
}

#[test]
fn recreate_lets_requests_wait() {
    insta::assert_snapshot!(lines(&plan("recreate").steps), @"
    route nothing, requests wait
    retire 1.0.0
    ensure 3 instances of 1.1.0
    check 3 instances of 1.1.0 ready
    check smoke suite against 1.1.0
    route 100 % to 1.1.0
    watch 1.1.0 for 5 min
    ");
}

#[test]
fn a_first_deployment_needs_no_watch_and_no_soak() {
    let mut request = request("canary", 1);
    request.stable = None;
    insta::assert_snapshot!(lines(&Plan::new(request).unwrap().steps), @"
    ensure 1 instance of 1.1.0
    check 1 instance of 1.1.0 ready
    check smoke suite against 1.1.0
    route 100 % to 1.1.0
    ");
}

#[test]
fn the_same_version_is_only_brought_to_its_number() {
    let mut request = request("canary", 4);
    request.candidate = release("1.0.0");
    insta::assert_snapshot!(lines(&Plan::new(request).unwrap().steps), @"
    ensure 4 instances of 1.0.0
    check 4 instances of 1.0.0 ready
    route 100 % to 1.0.0
    retire 1.0.0, keep 4 instances
    ");
}

#[test]
fn a_version_never_changes() {
    let mut other = request("canary", 1);
    other.candidate = release("1.0.0");
    other.candidate.id.digest = release("9.9.9").id.digest;
    assert!(matches!(Plan::new(other), Err(PlanError::VersionReused { .. })));
    let mut other = request("canary", 1);
    other.candidate = release("1.0.0");
    other.candidate.instance.run.push("--other".to_owned());
    assert!(matches!(Plan::new(other), Err(PlanError::SettingsChanged { .. })));
}

#[test]
fn a_rolling_update_without_room_is_refused() {
    let mut cramped = request("rolling", 1);
    cramped.strategy.kind = StrategyKind::Rolling {
        max_surge: RollingUnit::Count(0),
        max_unavailable: RollingUnit::Percent(100),
    };
    assert!(matches!(Plan::new(cramped), Err(PlanError::NoRoom { .. })));
}

#[test]
fn the_way_back_is_the_switch_itself_while_the_old_version_is_warm() {
    let plan = plan("canary");
    let warm = TrafficState { ready: 3, alive: 3, ..TrafficState::default() };
    let facts = Facts { versions: [("1.0.0".parse().unwrap(), warm)].into(), ..Facts::default() };
    insta::assert_snapshot!(lines(&way_back(&plan, &facts)), @"
    route 100 % to 1.0.0
    retire 1.1.0
    ");
}

#[test]
fn the_way_back_first_brings_up_what_has_gone() {
    insta::assert_snapshot!(lines(&way_back(&plan("rolling"), &Facts::default())), @"
    ensure 3 instances of 1.0.0
    check 2 instances of 1.0.0 ready
    route 100 % to 1.0.0
    retire 1.1.0
    ensure 3 instances of 1.0.0
    check 3 instances of 1.0.0 ready
    ");
}

#[test]
fn one_missing_instance_does_not_hold_up_the_way_back() {
    let state = TrafficState { ready: 2, alive: 3, ..TrafficState::default() };
    let facts = Facts { versions: [("1.0.0".parse().unwrap(), state)].into(), ..Facts::default() };
    insta::assert_snapshot!(lines(&way_back(&plan("canary"), &facts)), @"
    route 100 % to 1.0.0
    retire 1.1.0
    ensure 3 instances of 1.0.0
    check 3 instances of 1.0.0 ready
    ");
}

#[test]
fn what_cannot_run_beside_itself_goes_back_one_after_the_other() {
    insta::assert_snapshot!(lines(&way_back(&plan("recreate"), &Facts::default())), @"
    route nothing, requests wait
    retire 1.1.0
    ensure 3 instances of 1.0.0
    check 3 instances of 1.0.0 ready
    route 100 % to 1.0.0
    ");
}

#[test]
fn an_aborted_growth_is_undone() {
    let mut request = request("canary", 4);
    request.candidate = release("1.0.0");
    request.stable_replicas = 2;
    let plan = Plan::new(request).unwrap();
    insta::assert_snapshot!(lines(&way_back(&plan, &Facts::default())), @"
    route 100 % to 1.0.0
    retire 1.0.0, keep 2 instances
    ");
    assert_eq!(plan.needed(plan.candidate(), 10_000), 2);
}

#[test]
fn a_plan_has_one_hash_and_survives_its_own_text() {
    for name in ["canary", "blue-green", "rolling", "recreate"] {
        let plan = plan(name);
        let read: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
        assert_eq!(read, plan);
        assert_eq!(read.hash(), plan.hash());
    }
    assert_ne!(plan("canary").hash(), plan("rolling").hash());
}

#[test]
fn a_split_is_written_as_shares_alone_always_were() {
    let old = r#"{"step":"route","shares":[["1.1.0",500],["1.0.0",9500]]}"#;
    let step: Step = serde_json::from_str(old).unwrap();
    let shares = vec![("1.1.0".parse().unwrap(), 500), ("1.0.0".parse().unwrap(), 9_500)];
    assert_eq!(step, Step::Route(Split::of(shares)));
    assert_eq!(serde_json::to_string(&step).unwrap(), old);
    let action: Action = serde_json::from_str(r#"{"action":"route","shares":[]}"#).unwrap();
    assert_eq!(action, Action::Route(Split::nobody()));
}

#[test]
fn a_whole_split_survives_its_own_text_and_reads_well() {
    let candidate: pilotage_spec::Version = "1.1.0".parse().unwrap();
    let when = vec![Condition { source: Source::Header("X-Staff".to_owned()), test: Test::Present(true) }];
    let cohort = |name: &str, share| Cohort {
        name: name.to_owned(),
        when: when.clone(),
        version: candidate.clone(),
        share,
    };
    let mirror = Mirror {
        version: candidate.clone(),
        share: 2_000,
        bytes_per_second: 1,
        max_body_bytes: 1,
        unsafe_methods: false,
        timeout: Duration::from_secs(1),
        compare: None,
    };
    let listen = "127.0.0.1:8081".parse().unwrap();
    let split = Split {
        cohorts: vec![cohort("internal", 10_000), cohort("beta", 5_000)],
        mirror: Some(mirror),
        preview: Some(Preview { version: candidate.clone(), listen }),
        ..Split::all(&"1.0.0".parse().unwrap())
    };
    let step = Step::Route(split);
    let read: Step = serde_json::from_str(&serde_json::to_string(&step).unwrap()).unwrap();
    assert_eq!(read, step);
    insta::assert_snapshot!(step.to_string(), @"route 100 % to 1.0.0, cohort internal to 1.1.0, 50 % of cohort beta to 1.1.0, copies of 20 % to 1.1.0, preview of 1.1.0 at 127.0.0.1:8081");
}

fn unit() -> impl Strategy<Value = RollingUnit> {
    prop_oneof![(0_u32..6).prop_map(RollingUnit::Count), (0_u32..=100).prop_map(RollingUnit::Percent)]
}

use proptest::strategy::Strategy;

proptest! {
    /// However it rolls: shares only move towards the new version, and what is ready always carries what it is given.
    #[test]
    fn rolling_moves_one_way_within_its_capacity(
        replicas in 1_u32..12, stable_replicas in 1_u32..12, max_surge in unit(), max_unavailable in unit(),
    ) {
        let mut request = request("rolling", replicas);
        request.stable_replicas = stable_replicas;
        request.strategy.kind = StrategyKind::Rolling { max_surge, max_unavailable };
        request.strategy.watch = Duration::from_secs(1);
        let Ok(plan) = Plan::new(request) else { return Ok(()) };
        let (candidate, stable) = (plan.candidate().clone(), plan.stable().unwrap().clone());
        let (mut new, mut old, mut share, mut old_share) = (0, stable_replicas, 0, 10_000);
        for step in &plan.steps {
            match step {
                Step::Ensure { version, replicas } => { prop_assert_eq!(version, &candidate); new = *replicas; }
                Step::Retire { version, keep } => {
                    prop_assert_eq!(version, &stable);
                    prop_assert!(*keep >= plan.needed(&stable, old_share));
                    old = old.min(*keep);
                }
                Step::Route(Split { shares, .. }) => {
                    let of = |wanted: &pilotage_spec::Version| {
                        shares.iter().find(|(version, _)| version == wanted).map_or(0, |(_, share)| *share)
                    };
                    prop_assert_eq!(shares.iter().map(|(_, share)| share).sum::<u32>(), 10_000);
                    prop_assert!(of(&candidate) >= share);
                    (share, old_share) = (of(&candidate), of(&stable));
                    prop_assert!(new >= plan.needed(&candidate, share));
                    prop_assert!(old >= plan.needed(&stable, old_share));
                }
                Step::Check { .. } | Step::Watch { .. } | Step::Hold | Step::Conclude => {}
            }
        }
        prop_assert_eq!((share, new, old), (10_000, replicas, 0));
        prop_assert_eq!(plan.request.purpose, Purpose::Deploy);
    }
}
