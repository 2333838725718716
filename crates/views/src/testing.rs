//! A deployment that comes back, as the tests of this crate tell it.

use std::collections::BTreeMap;
use std::time::Duration;

use pilotage_engine::gate::{GateOutcome, GateResult};
use pilotage_engine::judge::{Counted, Evidence, Look, Reading, Side, Verdict};
use pilotage_engine::plan::{Check, Step};
use pilotage_engine::{
    Action, ActionResult, Cause, Deployment, DeploymentEvent, DeploymentId, Direction, Outcome, Plan,
    PlanRequest, Purpose, Split,
};
use pilotage_spec::{
    Digest, Health, InstanceSpec, Policy, Release, ReleaseId, Resources, Strategy, StrategyKind, Timestamp,
    Version, Workload,
};

use crate::{DeploymentRecord, Recorded, Served, WorkloadRecord};

/// 2026-07-01T09:30:00Z and so many milliseconds.
pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_micros(1_782_898_200_000_000 + millis * 1_000)
}

pub(crate) fn version(text: &str) -> Version {
    text.parse().unwrap()
}

pub(crate) fn workload() -> Workload {
    Workload { environment: "production".parse().unwrap(), service: "api".parse().unwrap() }
}

fn release(text: &str, byte: u8) -> Release {
    let health = Health {
        live: None,
        ready: None,
        interval: Duration::from_millis(500),
        timeout: Duration::from_secs(1),
    };
    let instance = InstanceSpec {
        run: vec!["./api".to_owned()],
        env: BTreeMap::new(),
        health,
        resources: Resources::default(),
        stop_grace: Duration::from_secs(10),
        start_timeout: Duration::from_secs(30),
        reload: None,
        image: None,
        container_port: None,
        kubernetes: None,
        objects: None,
        smoke: Vec::new(),
        listen: Default::default(),
        protocol: Default::default(),
    };
    Release { id: ReleaseId { version: version(text), digest: Digest::from_bytes([byte; 32]) }, instance }
}

fn plan() -> Plan {
    let canary = StrategyKind::Canary { steps: vec![1_000, 10_000] };
    let strategy = Strategy::new(canary, Duration::from_secs(3), Duration::from_secs(2));
    Plan::new(PlanRequest {
        workload: workload(),
        candidate: release("1.2.0", 2),
        stable: Some(release("1.1.0", 1)),
        replicas: 2,
        stable_replicas: 2,
        listen: "127.0.0.1:8080".parse().unwrap(),
        stable_listen: Some("127.0.0.1:8080".parse().unwrap()),
        route: Default::default(),
        stable_route: None,
        edge: None,
        strategy_name: "careful".parse().unwrap(),
        strategy,
        policy: Policy { confirm: true, gradual: true, ..Policy::default() },
        prometheus: None,
        purpose: Purpose::Deploy,
    })
    .unwrap()
}

/// Every event of a canary of 1.2.0 that fails at 10 %: with the milliseconds at which each was recorded.
pub(crate) fn story() -> Vec<(i64, DeploymentEvent)> {
    let plan = plan();
    let forward = Direction::Forward;
    let one = Action::Ensure { version: version("1.2.0"), replicas: 1 };
    let route = Action::Route(Split::of(vec![(version("1.2.0"), 1_000), (version("1.1.0"), 9_000)]));
    let back = Action::Route(Split::all(&version("1.1.0")));
    let gate = |gate: &str, finding: &str| GateResult {
        gate: gate.to_owned(),
        outcome: GateOutcome::Passed,
        finding: finding.to_owned(),
        remedy: None,
        evidence: [].into(),
    };
    let results = vec![gate("environment-confirmed", "`production` was confirmed by name")];
    let intended = |direction, step, action: &Action| DeploymentEvent::Intended {
        direction,
        step,
        attempt: 1,
        action: action.clone(),
    };
    let executed = |direction, step, action: &Action, duration_ms| DeploymentEvent::Executed {
        direction,
        step,
        action: action.clone(),
        result: ActionResult::Done,
        duration_ms,
    };
    let side = |requests, failed| Side { requests, failed, failed_clients: failed, latencies: Vec::new() };
    let mut tests = Evidence::new(&plan.request.strategy);
    tests.look(Look { candidate: side(120, 13), stable: side(1_080, 1), beside: true, micros: 60_000_000 });
    let reading = Reading {
        candidate: Counted { requests: 120, failed: 13, ..Counted::default() },
        stable: Counted { requests: 1_080, failed: 1, ..Counted::default() },
        tests: Some(Box::new(tests)),
        ..Reading::default()
    };
    let checked = |step, verdict, reading: Option<Reading>| DeploymentEvent::HealthChecked {
        direction: forward,
        step,
        version: version("1.2.0"),
        verdict,
        reading: reading.map(Box::new),
    };
    let cause = Cause::Verdict { reason: "13 of 120 requests failed (11 %); the limit is 5.00 %".to_owned() };
    let words = cause.words();
    let way_back = vec![Step::Route(Split::all(&version("1.1.0")))];
    let command = "pilotage deploy api 1.2.0 --env production --confirm production".to_owned();
    assert!(matches!(plan.steps[1], Step::Check { check: Check::Ready { replicas: 1 }, .. }));
    vec![
        (0, DeploymentEvent::Started { plan: Box::new(plan.clone()), command, asked: Box::default() }),
        (1, DeploymentEvent::GatesChecked { plan_hash: plan.hash(), results }),
        (2, intended(forward, 0, &one)),
        (12, executed(forward, 0, &one, 10)),
        (212, checked(1, Verdict::Pass, None)),
        (213, intended(forward, 2, &route)),
        (218, executed(forward, 2, &route, 5)),
        (1_718, checked(3, Verdict::Fail, Some(reading))),
        (1_718, DeploymentEvent::RollbackStarted { cause, steps: way_back }),
        (1_719, intended(Direction::Back, 0, &back)),
        (1_726, executed(Direction::Back, 0, &back, 7)),
        (1_727, DeploymentEvent::Completed { outcome: Outcome::RolledBack, reason: Some(words) }),
    ]
}

/// The first so many events of the story as a record.
pub(crate) fn record(events: usize) -> DeploymentRecord {
    let recorded = |(index, (millis, event)): (usize, (i64, DeploymentEvent))| Recorded {
        seq: index as u64 + 1,
        id: format!("j-{}", index + 1),
        at: at(millis),
        actor: "anna".to_owned(),
        event,
    };
    let history: Vec<Recorded> = story().into_iter().take(events).enumerate().map(recorded).collect();
    let deployment =
        Deployment::replay(history.iter().map(|recorded| (&recorded.event, recorded.at))).unwrap();
    DeploymentRecord { id: DeploymentId(7), stream_version: history.len() as u64, history, deployment }
}

/// 1.1.0 serves, with two instances.
pub(crate) fn served() -> WorkloadRecord {
    let served = Served {
        release: release("1.1.0", 1),
        replicas: 2,
        listen: "127.0.0.1:8080".parse().unwrap(),
        route: Default::default(),
        deployment: DeploymentId(6),
        purpose: Purpose::Deploy,
        takes_downtime: false,
    };
    WorkloadRecord { workload: workload(), stream_version: 1, served: vec![(at(-1_000), served)] }
}
