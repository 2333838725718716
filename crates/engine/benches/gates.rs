//! How long it takes to ask every gate of a plan to production, once everything is known that has to be asked for elsewhere.

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "a bench reads the clock and ends where it cannot go on; the crate it measures does not"
)]

use std::time::{Duration, Instant};

use pilotage_engine::forecast::CurrentTraffic;
use pilotage_engine::gate::{
    self, ConditionDecision, ConditionFact, GateFacts, Passed, Rehearsal, Serving, WindowFact,
};
use pilotage_engine::judge::{Counts, Known};
use pilotage_engine::{Opinion, Plan, PlanRequest, Purpose, Statement};
use pilotage_spec::{Digest, Identity, Project, Release, ReleaseId, Timestamp, Workload};

const PROJECT: &str = r#"
project: shop
services:
  api: { run: [./api], artifact: api, smoke: [[./smoke, "$URL"]] }
environments:
  staging: {}
  production:
    policy:
      approvals: 2
      ticket: none
      blind_watch: refuse
      window: business-hours
      conditions: [small-steps]
      error_budget: { objective: 99.9%, query: "vector(0.0001)" }
    prometheus: { url: "http://127.0.0.1:9090" }
windows: { business-hours: { allow: "Mon-Sun 00:00-24:00 UTC" } }
conditions: { small-steps: { when: "plan.replicas < 100", message: too many } }
"#;
const NOW: Timestamp = Timestamp::from_micros(1_782_898_200_000_000);
const GOAL_MS: f64 = 5.0;

fn main() {
    let rounds = if std::env::args().any(|argument| argument == "--quick") { 20 } else { 200 };
    let plan = plan();
    let facts = facts(&plan);
    let results = gate::check(&plan, &facts);
    assert!(results.iter().all(|gate| gate.outcome.lets_pass()), "{results:#?}");
    let mut took: Vec<f64> = (0..rounds)
        .map(|_| {
            let begun = Instant::now();
            assert_eq!(gate::check(&plan, &facts).len(), results.len());
            begun.elapsed().as_secs_f64() * 1_000.0
        })
        .collect();
    took.sort_by(f64::total_cmp);
    let median = took[took.len() / 2];
    println!(
        r#"{{"name":"gates.all_of_a_plan","value":{median:.3},"unit":"ms","peer":null,"ratio":null,"goal":"< {GOAL_MS}","holds":{}}}"#,
        median < GOAL_MS
    );
}

fn release(project: &Project, version: &str, digest: u8) -> Release {
    let (environment, service) = ("production".parse().expect("a name"), "api".parse().expect("a name"));
    Release {
        id: ReleaseId {
            version: version.parse().expect("a version"),
            digest: Digest::from_bytes([digest; 32]),
        },
        instance: project.instance(&environment, &service).expect("it is in the file"),
    }
}

fn plan() -> Plan {
    let project = pilotage_spec::read("pilotage.yaml", PROJECT).expect("the file is in order");
    let environment = &project.environments[&"production".parse().expect("a name")];
    let listen = "127.0.0.1:8080".parse().expect("an address");
    Plan::new(PlanRequest {
        workload: Workload {
            environment: "production".parse().expect("a name"),
            service: "api".parse().expect("a name"),
        },
        candidate: release(&project, "1.1.0", 2),
        stable: Some(release(&project, "1.0.0", 1)),
        replicas: 3,
        stable_replicas: 3,
        listen,
        stable_listen: Some(listen),
        route: Default::default(),
        stable_route: None,
        edge: None,
        strategy_name: environment.strategy.clone(),
        strategy: project.strategies[&environment.strategy].clone(),
        policy: environment.policy.clone(),
        prometheus: environment.prometheus.clone(),
        purpose: Purpose::Deploy,
    })
    .expect("it can be planned")
}

fn facts(plan: &Plan) -> GateFacts {
    let person = |name: &str| Identity::person(name.parse().expect("a name"));
    let said = |name: &str| Statement {
        opinion: Opinion::Approve,
        by: person(name),
        plan_hash: plan.hash(),
        reason: None,
        at: NOW,
    };
    let ReleaseId { version, digest } = plan.request.candidate.id.clone();
    let staging = || "staging".parse().expect("a name");
    GateFacts {
        now: Some(NOW),
        policy: Some(plan.request.policy.clone()),
        serving: plan.request.stable.as_ref().map(|stable| Serving::Release(stable.id.clone())),
        confirmation: Some("production".to_owned()),
        traffic: Some(CurrentTraffic {
            requests_per_second: 100.0,
            known: Counts { requests: 1_000_000, bad: 1_000 },
        }),
        requester: Some(person("anna")),
        author: Some(person("dora")),
        // Many have spoken.
        statements: (0..100).map(|number| said(&format!("p{number}"))).collect(),
        approvers: (0..100).map(|number| person(&format!("p{number}"))).collect(),
        windows: vec![WindowFact {
            name: "business-hours".parse().expect("a name"),
            open: Ok(true),
            why: "always".to_owned(),
            until: None,
        }],
        passed: Some(vec![Passed {
            environment: staging(),
            version: version.clone(),
            digest: digest.clone(),
            at: NOW,
        }]),
        rehearsals: Some(vec![Rehearsal {
            environment: staging(),
            version,
            digest,
            took: Duration::from_millis(300),
            at: NOW,
        }]),
        dependencies: Some(Vec::new()),
        failing: Known::Value(0.000_1),
        scripts: Some(Vec::new()),
        conditions: vec![ConditionFact {
            name: "small-steps".parse().expect("a name"),
            decision: ConditionDecision::Allow,
        }],
        ..GateFacts::default()
    }
}
