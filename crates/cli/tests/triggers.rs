//! What takes a release back beside its errors: latency, crashes, memory. Each with the defaults of the file.

#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

mod harness;

use std::path::Path;

use harness::{Sample, World, drops, load, sample_project};
use pilotage_engine::Outcome;

const PROGRAM: &str = env!("CARGO_BIN_EXE_pilotage");
const STRATEGY: &str = "canary: { steps: [50, 100], watch: 20s, soak: 0s }";

/// 1.0.0 out, then 1.1.0 with users on it; says how that ended and why.
async fn second(world: &mut World, change: impl FnOnce(&Path), sample: Sample) -> (Outcome, String) {
    world.serve(&[]).await;
    let first = world.release(&Sample::good("1.0.0"));
    assert_eq!(world.deploy("1.0.0", &first).await.1, Outcome::Succeeded);
    change(&world.path().join("pilotage.yaml"));
    let users = load(world.address("api").await, 300.0);
    let artifact = world.release(&sample);
    let (id, outcome) = world.deploy("1.1.0", &artifact).await;
    let report = users.stop().await.unwrap();
    // A process that ends takes the requests it was working on with it; nobody else does.
    if sample.crash_after_ms.is_none() {
        assert_eq!(drops(&report), None);
    }
    let (_, reason, _) = world.record(id).unwrap().deployment.end.unwrap();
    (outcome, reason.unwrap_or_default())
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

/// The file without what the other tests switch off.
fn project() -> String {
    sample_project(PROGRAM, 1, STRATEGY)
        .replace("    roll_back_when: { min_requests: 20, p99_vs_stable: off, p95_vs_stable: off }\n", "")
}

#[test]
fn a_release_that_is_slower() {
    run(async {
        let mut world = World::new(PROGRAM, &project());
        let (outcome, reason) = second(&mut world, |_| {}, Sample::slow("1.1.0", 250)).await;
        assert_eq!(outcome, Outcome::RolledBack);
        assert!(reason.contains("× the p95 of "), "{reason}");
    });
}

#[test]
fn a_release_that_crashes_again_and_again() {
    run(async {
        let mut world = World::new(PROGRAM, &project());
        let (outcome, reason) = second(&mut world, |_| {}, Sample::crashing("1.1.0", 400)).await;
        assert_eq!(outcome, Outcome::RolledBack);
        assert!(reason.contains("ended by itself 3 times"), "{reason}");
    });
}

#[test]
fn a_release_that_uses_its_memory_up() {
    run(async {
        let mut world = World::new(PROGRAM, &project());
        let limit = |file: &Path| {
            let limited =
                project().replace("    replicas: 1\n", "    replicas: 1\n    resources: { memory: 1Mi }\n");
            std::fs::write(file, limited).unwrap();
        };
        let (outcome, reason) = second(&mut world, limit, Sample::good("1.1.0")).await;
        assert_eq!(outcome, Outcome::RolledBack);
        assert!(reason.contains("of its memory limit"), "{reason}");
    });
}
