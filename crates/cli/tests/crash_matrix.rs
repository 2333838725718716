//! Every named crash point: the control plane is killed there with SIGKILL, under load, and started again. It goes on, it
//! finishes, and no request is dropped.

#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

mod harness;

use harness::{Sample, World, drops, load, sample_project};
use pilotage_conductor::crash;
use pilotage_engine::Outcome;

const PROGRAM: &str = env!("CARGO_BIN_EXE_pilotage");
const STRATEGY: &str = "canary: { steps: [50, 100], watch: 500ms, soak: 300ms }";

/// What is deployed while the control plane is killed, and how it must end.
#[derive(Clone, Copy)]
enum Release {
    Good,
    Bad,
}

/// Deploys 1.1.0 over 1.0.0 under load with a point armed, and starts the control plane again after it was killed.
async fn survive(release: Release, point: &str) {
    let mut world = World::new(PROGRAM, &sample_project(PROGRAM, 2, STRATEGY));
    let first = world.release(&Sample::good("1.0.0"));
    let (sample, expected) = match release {
        Release::Good => (Sample::good("1.1.0"), Outcome::Succeeded),
        Release::Bad => (Sample::failing("1.1.0", 0.5), Outcome::RolledBack),
    };
    let second = world.release(&sample);
    world.serve(&[]).await;
    assert_eq!(world.deploy("1.0.0", &first).await.1, Outcome::Succeeded);
    let users = load(world.address("api").await, 150.0);
    world.stop_server();

    world.serve(&[(crash::VARIABLE, point)]).await;
    // The point may lie before the answer: then nobody knows whether the deployment began.
    let asked = world.try_deploy("1.1.0", &second).await;
    assert!(world.server_was_killed().await, "{point} was never passed");
    world.serve(&[]).await;
    let id = match world.last_deployment() {
        Some(id) if id.0 == 2 => id,
        _ => {
            assert!(asked.is_err(), "{point}: an accepted deployment was lost");
            world.try_deploy("1.1.0", &second).await.unwrap()
        }
    };
    assert_eq!(world.ended(id).await, expected, "{point}");

    let report = users.stop().await.unwrap();
    assert_eq!(drops(&report), None, "{point}");
    assert!(report.requests > 0, "{point}: there was no load");
    let serving = if expected == Outcome::Succeeded { "1.1.0" } else { "1.0.0" };
    let status = world.status("api").await;
    assert_eq!(status.version.unwrap().to_string(), serving, "{point}");
    assert!(world.verified().await, "{point}");
}

fn run(release: Release, points: &[&str]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for point in points {
        runtime.block_on(survive(release, point));
    }
}

#[test]
fn on_the_way_forward_before_and_after_each_start_of_instances() {
    run(
        Release::Good,
        &["ensure.before_intent", "ensure.after_intent", "ensure.after_effect", "ensure.after_outcome"],
    );
}

#[test]
fn on_the_way_forward_before_and_after_the_smoke_suite() {
    run(
        Release::Good,
        &["smoke.before_intent", "smoke.after_intent", "smoke.after_effect", "smoke.after_outcome"],
    );
}

#[test]
fn on_the_way_forward_before_and_after_each_switch() {
    run(
        Release::Good,
        &[
            "route.before_intent",
            "route.after_intent",
            "route.after_effect",
            "route.after_outcome",
            "route.after_effect@2",
        ],
    );
}

#[test]
fn on_the_way_forward_before_and_after_the_old_version_goes() {
    run(
        Release::Good,
        &["retire.before_intent", "retire.after_intent", "retire.after_effect", "retire.after_outcome"],
    );
}

#[test]
fn on_the_way_forward_before_and_after_each_record() {
    run(
        Release::Good,
        &[
            "started.before_record",
            "started.after_record",
            "health_check.before_record",
            "health_check.after_record",
            "completed.before_record",
            "completed.after_record",
        ],
    );
}

#[test]
fn on_the_way_back() {
    run(
        Release::Bad,
        &[
            "rollback.before_record",
            "rollback.after_record",
            "route.before_intent@2",
            "route.after_intent@2",
            "route.after_effect@2",
            "route.after_outcome@2",
        ],
    );
}

#[test]
fn on_the_way_back_while_the_bad_version_goes() {
    run(
        Release::Bad,
        &[
            "retire.before_intent",
            "retire.after_intent",
            "retire.after_effect",
            "retire.after_outcome",
            "completed.before_record",
            "completed.after_record",
        ],
    );
}

/// Killed once in the middle of a switch, and again while it takes up what was unfinished.
#[test]
fn while_taking_up_what_was_unfinished() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for point in ["adopted.before_record", "adopted.after_record"] {
            let mut world = World::new(PROGRAM, &sample_project(PROGRAM, 2, STRATEGY));
            let first = world.release(&Sample::good("1.0.0"));
            let second = world.release(&Sample::good("1.1.0"));
            world.serve(&[]).await;
            assert_eq!(world.deploy("1.0.0", &first).await.1, Outcome::Succeeded);
            let users = load(world.address("api").await, 150.0);
            world.stop_server();
            world.serve(&[(crash::VARIABLE, "route.after_effect")]).await;
            let id = world.try_deploy("1.1.0", &second).await.unwrap();
            assert!(world.server_was_killed().await);
            world.serve_unwatched(&[(crash::VARIABLE, point)]);
            assert!(world.server_was_killed().await, "{point} was never passed");
            world.serve(&[]).await;
            assert_eq!(world.ended(id).await, Outcome::Succeeded, "{point}");
            assert_eq!(drops(&users.stop().await.unwrap()), None, "{point}");
            assert!(world.verified().await, "{point}");
        }
    });
}

/// The lists above leave out no point.
#[test]
fn every_point_is_in_the_matrix() {
    let text = include_str!("crash_matrix.rs");
    for point in crash::points() {
        assert!(text.contains(&format!("\"{point}")), "{point} is in no list");
    }
}
