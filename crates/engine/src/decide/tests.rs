use super::*;
use crate::gate::{GateOutcome, GateResult};
use crate::judge::{Evidence, Look, Side};
use crate::plan::{PlanRequest, testing};
use crate::{ActionResult, Plan, TrafficState};

const BEGUN: Timestamp = Timestamp::from_micros(1_000_000_000);

/// A canary in its first watch, 1 % of the traffic with the new version.
fn watching(inconclusive: Inconclusive, early_promotion: Option<u32>) -> Deployment {
    let mut request = testing::request("canary", 3);
    request.policy.inconclusive = inconclusive;
    request.strategy.early_promotion = early_promotion;
    watched(request)
}

/// A deployment in its first watch.
fn watched(request: PlanRequest) -> Deployment {
    let plan = Plan::new(request).unwrap();
    let passed = GateResult {
        gate: "any".to_owned(),
        outcome: GateOutcome::Passed,
        finding: "fine".to_owned(),
        remedy: None,
        evidence: [].into(),
    };
    let checked = DeploymentEvent::GatesChecked { plan_hash: plan.hash(), results: vec![passed] };
    let started = DeploymentEvent::Started {
        plan: Box::new(plan),
        command: "deploy".to_owned(),
        asked: Box::default(),
    };
    let mut deployment = Deployment::replay([(&started, BEGUN), (&checked, BEGUN)]).unwrap();
    walk_to_watch(&mut deployment);
    deployment
}

/// Takes every step up to the next watch as if it had been done.
fn walk_to_watch(deployment: &mut Deployment) {
    while !matches!(deployment.course.step(), Some(Step::Watch { .. })) {
        let facts = ready();
        match decide(deployment, &facts, BEGUN) {
            Decision::Act(action) => {
                let (direction, step) = (deployment.course.direction, deployment.course.next);
                let result = ActionResult::Done;
                let done = DeploymentEvent::Executed { direction, step, action, result, duration_ms: 1 };
                deployment.apply(&done, BEGUN).unwrap();
            }
            Decision::Record(events) => {
                events.iter().for_each(|event| deployment.apply(event, BEGUN).unwrap());
            }
            decision => panic!("{decision:?}"),
        }
    }
}

fn ready() -> Facts {
    let mut facts = Facts::default();
    for version in ["1.0.0", "1.1.0"] {
        let digest = Some(testing::release(version).id.digest);
        let state = TrafficState { ready: 3, alive: 3, failed: Vec::new(), digest };
        facts.versions.insert(version.parse().unwrap(), state);
    }
    facts
}

/// What is there when so many requests have reached the new version, and a hundred times as many the old one, of which one in a
/// hundred failed.
fn seen(deployment: &Deployment, requests: u64) -> Facts {
    let side = |requests: u64| {
        let failed = requests / 100;
        Side { requests, failed, failed_clients: failed, latencies: Vec::new() }
    };
    let mut tests = Evidence::new(&deployment.plan.request.strategy);
    let (candidate, stable) = (side(requests), side(requests * 100));
    tests.look(Look { candidate, stable, beside: true, micros: 1_000_000 });
    Facts { reading: Some(Reading { tests: Some(Box::new(tests)), ..Reading::default() }), ..ready() }
}

fn after(seconds: u64) -> Timestamp {
    BEGUN.plus(Duration::from_secs(seconds))
}

/// What is decided with hardly any requests, so many seconds into a watch of 300.
fn with_few(inconclusive: Inconclusive, seconds: u64) -> Decision {
    let deployment = watching(inconclusive, None);
    decide(&deployment, &seen(&deployment, 3), after(seconds))
}

fn goes_on(decision: &Decision) -> bool {
    matches!(decision, Decision::Record(events) if matches!(events[..], [DeploymentEvent::HealthChecked { .. }]))
}

fn holds(decision: &Decision) -> bool {
    matches!(decision, Decision::Wait { why: Waiting::Evidence { .. }, .. })
}

fn goes_back(decision: &Decision) -> bool {
    matches!(decision, Decision::Record(events) if matches!(events[..], [DeploymentEvent::RollbackStarted { .. }]))
}

#[test]
fn what_is_inconclusive_is_the_policys_matter() {
    assert!(matches!(with_few(Inconclusive::RollBack, 299), Decision::Wait { why: Waiting::Watch, .. }));
    assert!(goes_on(&with_few(Inconclusive::GoOn, 300)));
    assert!(goes_on(&with_few(Inconclusive::Raise, 300)), "the next step is 5 %");
    assert!(holds(&with_few(Inconclusive::Hold, 100_000)));
    assert!(holds(&with_few(Inconclusive::Extend, 899)));
    assert!(goes_back(&with_few(Inconclusive::Extend, 900)));
    assert!(goes_back(&with_few(Inconclusive::RollBack, 300)));
}

#[test]
fn raising_ends_before_everybody_has_the_new_version() {
    let mut deployment = watching(Inconclusive::Raise, None);
    for share in [1, 5, 25] {
        let decision = decide(&deployment, &seen(&deployment, 3), after(300));
        let Decision::Record(events) = decision else { panic!("{share} %: {decision:?}") };
        events.iter().for_each(|event| deployment.apply(event, BEGUN).unwrap());
        walk_to_watch(&mut deployment);
    }
    assert!(holds(&decide(&deployment, &seen(&deployment, 3), after(300))), "the next step is 100 %");
    assert!(goes_on(&decide(&deployment, &seen(&deployment, 1_000), after(300))), "enough was seen");
}

#[test]
fn a_clock_that_is_set_ends_no_watch() {
    let mut deployment = watching(Inconclusive::GoOn, None);
    let hour = 3_600_000_000;
    deployment.apply(&DeploymentEvent::ClockStepped { by_micros: hour }, after(3_610)).unwrap();
    let decided = |deployment: &Deployment, seconds| decide(deployment, &seen(deployment, 3), after(seconds));
    assert!(matches!(decided(&deployment, 3_600 + 299), Decision::Wait { why: Waiting::Watch, .. }));
    assert!(goes_on(&decided(&deployment, 3_600 + 300)));
    deployment.apply(&DeploymentEvent::ClockStepped { by_micros: -hour }, after(20)).unwrap();
    assert!(goes_on(&decided(&deployment, 300)));
}

#[test]
fn a_person_ends_what_is_held() {
    let mut deployment = watching(Inconclusive::Hold, None);
    let asked = DeploymentEvent::Requested { request: crate::Request::Promote, reason: None };
    deployment.apply(&asked, after(400)).unwrap();
    assert!(goes_on(&decide(&deployment, &seen(&deployment, 3), after(401))));
}

#[test]
fn a_watch_ends_early_only_where_that_was_asked_for_and_earned() {
    let decided = |early_promotion, requests| {
        let deployment = watching(Inconclusive::Hold, early_promotion);
        decide(&deployment, &seen(&deployment, requests), after(10))
    };
    assert!(goes_on(&decided(Some(3_000), 10_000)));
    assert!(!goes_on(&decided(None, 10_000)));
    assert!(!goes_on(&decided(Some(3_000), 20)));
}

mod trial {
    use pilotage_spec::{AbTrial, Arm, Goal, StrategyKind};

    use super::*;

    fn trying(promotes: bool, inconclusive: Inconclusive) -> Deployment {
        let lasts = Duration::from_secs(300);
        let (alpha, indifference) = (500, 200);
        let trial =
            AbTrial { arm: Arm::Share(5_000), lasts, goal: Goal::Errors, alpha, indifference, promotes };
        let mut request = testing::request("blue-green", 3);
        request.strategy.kind = StrategyKind::Ab { trial };
        let when = &mut request.strategy.roll_back_when;
        (when.errors_vs_stable, when.error_rate) = (None, None);
        request.policy.inconclusive = inconclusive;
        watched(request)
    }

    /// What is there after twenty looks at 50 requests to either version, of which so many failed.
    fn seen(deployment: &Deployment, candidate: u64, stable: u64) -> Facts {
        let side = |failed| Side { requests: 50, failed, failed_clients: failed, latencies: Vec::new() };
        let mut tests = Evidence::new(&deployment.plan.request.strategy);
        for _ in 0..20 {
            let (candidate, stable) = (side(candidate), side(stable));
            tests.look(Look { candidate, stable, beside: true, micros: 1_000_000 });
        }
        Facts { reading: Some(Reading { tests: Some(Box::new(tests)), ..Reading::default() }), ..ready() }
    }

    /// Records what is decided, and says why it was concluded, if it was.
    fn concluded(deployment: &mut Deployment, facts: &Facts, seconds: u64) -> Option<String> {
        let Decision::Record(events) = decide(deployment, facts, after(seconds)) else { return None };
        events.iter().for_each(|event| deployment.apply(event, after(seconds)).unwrap());
        match &deployment.cause {
            Some(Cause::Concluded { reason }) => Some(reason.clone()),
            None => None,
            cause => panic!("{cause:?}"),
        }
    }

    #[test]
    fn it_ends_early_once_the_result_is_known() {
        let mut deployment = trying(true, Inconclusive::RollBack);
        let facts = seen(&deployment, 10, 0);
        let words = concluded(&mut deployment, &facts, 10).unwrap();
        assert!(words.ends_with(": 1.0.0 wins"), "{words}");
        assert!(deployment.is_concluding());
    }

    #[test]
    fn a_winner_goes_on_only_where_that_was_asked_for() {
        let mut asked = trying(true, Inconclusive::Hold);
        let facts = seen(&asked, 1, 10);
        assert_eq!(concluded(&mut asked, &facts, 10), None);
        assert_eq!(
            asked.course.step(),
            Some(&Step::Ensure { version: "1.1.0".parse().unwrap(), replicas: 3 })
        );
        let mut never = trying(false, Inconclusive::Hold);
        let words = concluded(&mut never, &facts, 10).unwrap();
        assert!(words.ends_with(": 1.1.0 wins"), "{words}");
    }

    #[test]
    fn without_a_result_it_ends_with_its_time_whatever_the_policy_says() {
        for policy in [Inconclusive::Hold, Inconclusive::RollBack, Inconclusive::Raise, Inconclusive::Extend]
        {
            let mut deployment = trying(true, policy);
            let facts = seen(&deployment, 1, 1);
            assert!(matches!(
                decide(&deployment, &facts, after(299)),
                Decision::Wait { why: Waiting::Watch, .. }
            ));
            let words = concluded(&mut deployment, &facts, 300).unwrap();
            assert!(
                words.starts_with("A/B: inconclusive after 5m: 1.1.0 fails 1.00 times as often"),
                "{words}"
            );
        }
    }

    #[test]
    fn a_person_may_end_it_and_promotes_nothing_by_that() {
        let mut deployment = trying(true, Inconclusive::Hold);
        let facts = seen(&deployment, 1, 1);
        let asked = DeploymentEvent::Requested { request: crate::Request::PromoteFully, reason: None };
        deployment.apply(&asked, after(9)).unwrap();
        let words = concluded(&mut deployment, &facts, 10).unwrap();
        assert!(words.starts_with("A/B: inconclusive, and ended by a person: "), "{words}");
    }

    #[test]
    fn it_does_not_end_while_nothing_can_be_seen() {
        let deployment = trying(true, Inconclusive::Hold);
        let mut facts = seen(&deployment, 10, 0);
        facts.reading.as_mut().unwrap().blind = Some("the edge does not answer".to_owned());
        let waits = |seconds| decide(&deployment, &facts, after(seconds));
        assert!(matches!(waits(10), Decision::Wait { why: Waiting::Watch, .. }));
        assert!(matches!(waits(400), Decision::Wait { why: Waiting::Sight, .. }));
    }
}
