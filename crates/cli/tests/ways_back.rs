//! Ways back that a plain canary does not show.

#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

mod harness;

use std::net::{SocketAddr, TcpListener, TcpStream};

use harness::{Sample, World, drops, load, sample_project};
use pilotage_engine::{Outcome, Step};

const PROGRAM: &str = env!("CARGO_BIN_EXE_pilotage");

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn a_release_that_moves_the_port_moves_nobody_until_it_has_everybody() {
    run(async {
        let (old, new) = (free_port(), free_port());
        let project = |port: u16| {
            sample_project(PROGRAM, 1, "canary: { steps: [50, 100], watch: 1s, soak: 200ms }")
                .replace("    replicas: 1\n", &format!("    replicas: 1\n    port: {port}\n"))
        };
        let mut world = World::new(PROGRAM, &project(old));
        world.serve(&[]).await;
        let first = world.release(&Sample::good("1.0.0"));
        assert_eq!(world.deploy("1.0.0", &first).await.1, Outcome::Succeeded);
        let address = SocketAddr::from(([127, 0, 0, 1], old));
        assert_eq!(world.address("api").await, address);

        std::fs::write(world.path().join("pilotage.yaml"), project(new)).unwrap();
        let users = load(address, 150.0);
        let bad = world.release(&Sample::failing("1.1.0", 0.5));
        assert_eq!(world.deploy("1.1.0", &bad).await.1, Outcome::RolledBack);
        assert_eq!(drops(&users.stop().await.unwrap()), None);
        assert_eq!(world.address("api").await, address);

        let good = world.release(&Sample::good("1.2.0"));
        assert_eq!(world.deploy("1.2.0", &good).await.1, Outcome::Succeeded);
        assert_eq!(world.address("api").await.port(), new);
        assert!(TcpStream::connect(("127.0.0.1", new)).is_ok());
        assert_eq!(world.roll_back("api").await.1, Outcome::Succeeded);
        assert_eq!(world.address("api").await, address);
    });
}

#[test]
fn after_a_full_switch_the_old_versions_requests_are_the_measure() {
    run(async {
        let project = sample_project(PROGRAM, 1, "blue-green: { watch: 20s, soak: 0s }");
        let mut world =
            World::new(PROGRAM, &project.replace("min_requests: 20", "min_requests: 100, error_rate: off"));
        world.serve(&[]).await;
        let first = world.release(&Sample::good("1.0.0"));
        assert_eq!(world.deploy("1.0.0", &first).await.1, Outcome::Succeeded);
        let users = load(world.address("api").await, 300.0);
        harness::until("there is something to compare with", || async { users.snapshot().requests > 500 })
            .await;
        let second = world.release(&Sample::failing("1.1.0", 0.04));
        let (id, outcome) = world.deploy("1.1.0", &second).await;
        assert_eq!(outcome, Outcome::RolledBack);
        let (_, reason, _) = world.record(id).unwrap().deployment.end.unwrap();
        assert!(reason.unwrap().contains(" before that ("));
        assert_eq!(drops(&users.stop().await.unwrap()), None);
    });
}

#[test]
fn a_regression_that_comes_in_the_soak_takes_everybody_back() {
    run(async {
        let project = sample_project(PROGRAM, 1, "canary: { steps: [50, 100], watch: 1s, soak: 1m }");
        let mut world = World::new(PROGRAM, &project);
        world.serve(&[]).await;
        let first = world.release(&Sample::good("1.0.0"));
        assert_eq!(world.deploy("1.0.0", &first).await.1, Outcome::Succeeded);
        let users = load(world.address("api").await, 300.0);
        let second = world.release(&Sample::failing_later("1.1.0", 0.5, 4_000));
        let (id, outcome) = world.deploy("1.1.0", &second).await;
        assert_eq!(outcome, Outcome::RolledBack);
        let deployment = world.record(id).unwrap().deployment;
        let (_, reason, _) = deployment.end.unwrap();
        assert!(reason.unwrap().contains("beyond doubt"));
        // Its instance was warm: the way back begins with the switch.
        assert!(
            matches!(&deployment.course.steps[0], Step::Route(split) if split.is_all(&"1.0.0".parse().unwrap()))
        );
        assert_eq!(drops(&users.stop().await.unwrap()), None);
    });
}

#[test]
fn going_back_twice_goes_back_once() {
    run(async {
        let mut world =
            World::new(PROGRAM, &sample_project(PROGRAM, 1, "blue-green: { watch: 100ms, soak: 0s }"));
        world.serve(&[]).await;
        for version in ["1.0.0", "1.1.0"] {
            let artifact = world.release(&Sample::good(version));
            assert_eq!(world.deploy(version, &artifact).await.1, Outcome::Succeeded);
        }
        assert_eq!(world.roll_back("api").await.1, Outcome::Succeeded);
        let again = serde_json::json!({ "service": "api", "environment": "dev", "command": "rollback api" });
        let refused = world.client().post::<serde_json::Value>("/v1/rollback", &again).await.unwrap_err();
        assert!(refused.to_string().contains("no earlier version"), "{refused}");
        assert_eq!(world.status("api").await.version.unwrap().to_string(), "1.0.0");
    });
}

#[test]
fn what_cannot_run_twice_is_replaced_and_restored_one_after_the_other() {
    run(async {
        let mut world = World::new(PROGRAM, &sample_project(PROGRAM, 1, "recreate: { watch: 1s }"));
        world.serve(&[]).await;
        let first = world.release(&Sample::good("1.0.0"));
        assert_eq!(world.deploy("1.0.0", &first).await.1, Outcome::Succeeded);
        let users = load(world.address("api").await, 100.0);
        let bad = world.release(&Sample::failing("1.1.0", 0.5));
        assert_eq!(world.deploy("1.1.0", &bad).await.1, Outcome::RolledBack);
        let second = world.release(&Sample::good("1.2.0"));
        assert_eq!(world.deploy("1.2.0", &second).await.1, Outcome::Succeeded);
        assert_eq!(world.roll_back("api").await.1, Outcome::Succeeded);
        // Requests wait at the edge while nothing serves.
        assert_eq!(drops(&users.stop().await.unwrap()), None);
        assert_eq!(world.status("api").await.version.unwrap().to_string(), "1.0.0");
    });
}
