//! Cut-overs and rollbacks under closed-loop load, by the real binary: how many requests are dropped, and how long each
//! switch takes. A switch lasts from the recorded intent, a rollback from the recorded verdict, to the last request that
//! was sent to the version that is left.

#![expect(clippy::expect_used, reason = "a bench ends where it cannot go on")]

#[path = "../tests/harness/mod.rs"]
mod harness;

use std::time::Duration;

use harness::{Sample, World, drops, sample_project};
use pilotage_engine::{Action, DeploymentEvent, DeploymentId, Direction, Outcome};
use pilotage_load::{Load, LoadPlan};
use pilotage_spec::Timestamp;
use serde_json::json;

const PROGRAM: &str = env!("CARGO_BIN_EXE_pilotage");
const STRATEGY: &str = "canary: { steps: [50, 100], watch: 200ms, soak: 100ms }";

struct Size {
    switches: usize,
    requests: u64,
}

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let size = if quick {
        Size { switches: 6, requests: 20_000 }
    } else {
        Size { switches: 100, requests: 1_000_000 }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(measure(&size));
}

async fn measure(size: &Size) {
    let mut world = World::new(PROGRAM, &sample_project(PROGRAM, 2, STRATEGY));
    world.serve(&[]).await;
    let mut stable = "1.0.0".to_owned();
    world.deploy(&stable, &world.release(&Sample::good(&stable))).await;
    let users = Load::start(LoadPlan {
        post_share: 0.1,
        slow_upload_share: 0.001,
        new_connection_share: 0.02,
        resend: false,
        ..LoadPlan::closed(world.address("api").await, 24)
    })
    .expect("load");

    let (mut switches, mut rollbacks) = (Vec::new(), Vec::new());
    let mut round = 0;
    while switches.len() + rollbacks.len() < size.switches || users.snapshot().requests < size.requests {
        round += 1;
        let good = format!("1.{round}.0");
        let (id, outcome) = world.deploy(&good, &world.release(&Sample::good(&good))).await;
        assert_eq!(outcome, Outcome::Succeeded, "{good}");
        switches.push(left_within(&world, id, &stable, last_switch).await);
        stable = good;

        let bad = format!("1.{round}.1");
        let (id, outcome) = world.deploy(&bad, &world.release(&Sample::failing(&bad, 0.5))).await;
        assert_eq!(outcome, Outcome::RolledBack, "{bad}");
        rollbacks.push(left_within(&world, id, &bad, verdict).await);
    }
    let report = users.stop().await.expect("the load's report");
    if let Some(drops) = drops(&report) {
        eprintln!("{drops}");
    }
    figure(
        "deployments.requests",
        json!(report.requests),
        "requests",
        &format!(">= {}", size.requests),
        report.requests >= size.requests,
    );
    let done = switches.len() + rollbacks.len();
    figure(
        "deployments.cut_overs_and_rollbacks",
        json!(done),
        "",
        &format!(">= {}", size.switches),
        done >= size.switches,
    );
    let dropped = report.outcomes.dropped;
    figure("deployments.dropped", json!(dropped), "requests", "0", dropped == 0);
    times("switch", switches);
    times("rollback", rollbacks);
}

/// Milliseconds from a recorded moment to the last request that was sent to a version.
async fn left_within(
    world: &World,
    id: DeploymentId,
    version: &str,
    moment: impl Fn(&DeploymentEvent) -> bool,
) -> f64 {
    // The last answers are counted a moment after the deployment has ended.
    tokio::time::sleep(Duration::from_millis(20)).await;
    let stats = world.edge().await.stats().await.expect("the edge's counters");
    let last = stats.routes["dev/api"].versions[version].last_request_micros;
    let history = world.record(id).expect("the deployment").history;
    let from = history.iter().rev().find(|recorded| moment(&recorded.event)).expect("the moment").at;
    Timestamp::from_micros(last).since(from).as_secs_f64() * 1_000.0
}

fn last_switch(event: &DeploymentEvent) -> bool {
    matches!(
        event,
        DeploymentEvent::Intended { direction: Direction::Forward, action: Action::Route(split), .. } if split.shares.len() == 1
    )
}

fn verdict(event: &DeploymentEvent) -> bool {
    matches!(event, DeploymentEvent::RollbackStarted { .. })
}

fn times(name: &str, mut millis: Vec<f64>) {
    millis.sort_by(f64::total_cmp);
    let at = |q: f64| millis[((millis.len() - 1) as f64 * q).round() as usize];
    figure(&format!("deployments.{name}_p50"), json!(round(at(0.50))), "ms", "", true);
    figure(&format!("deployments.{name}_p99"), json!(round(at(0.99))), "ms", "< 50", at(0.99) < 50.0);
}

fn round(millis: f64) -> f64 {
    (millis * 100.0).round() / 100.0
}

fn figure(name: &str, value: serde_json::Value, unit: &str, goal: &str, holds: bool) {
    println!(
        "{}",
        json!({ "name": name, "value": value, "unit": unit, "peer": null, "ratio": null, "goal": goal, "holds": holds })
    );
}
