//! The real binary on the real engines: the same file and the same strategy on Docker and on Kubernetes, with users on it.

#![allow(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

#[path = "../harness/mod.rs"]
mod harness;
mod place;

use std::time::{Duration, Instant};

use harness::{World, drops, load};
use pilotage_conductor::crash;
use pilotage_engine::Outcome;
use place::{Place, image, on_docker, on_kubernetes, project};

const PROGRAM: &str = env!("CARGO_BIN_EXE_pilotage");

/// Only keeps a test from waiting for ever.
const PATIENCE: Duration = Duration::from_secs(60);

/// A good version goes out, a bad one comes back by itself, and the first is gone back to; each time the users get what they
/// should, and none is dropped.
async fn out_and_back(place: &Place) {
    for (version, errors) in [("1.0.0", "0"), ("1.1.0", "0"), ("1.2.0", "0.6")] {
        image(place, version, errors);
    }
    let mut world = World::new(PROGRAM, &project(place));
    world.serve(&[]).await;
    assert_eq!(world.deploy_to("dev", "api", "1.0.0").await, Outcome::Succeeded, "{:?}", world.log());
    let users = load(world.address("api").await, 60.0);
    assert_eq!(world.deploy_to("dev", "api", "1.1.0").await, Outcome::Succeeded, "{:?}", world.log());
    assert_eq!(world.deploy_to("dev", "api", "1.2.0").await, Outcome::RolledBack, "{:?}", world.log());
    let status = world.status("api").await;
    assert_eq!(status.version.unwrap().to_string(), "1.1.0");
    assert_eq!(world.roll_back("api").await.1, Outcome::Succeeded);
    let report = users.stop().await.unwrap();
    assert_eq!(drops(&report), None);
    assert!(report.requests > 0, "there was no load");
    assert!(world.verified().await);
}

/// The control plane is killed in the middle, and another goes on.
async fn survives_its_control_plane(place: &Place) {
    for version in ["1.0.0", "1.1.0"] {
        image(place, version, "0");
    }
    let mut world = World::new(PROGRAM, &project(place));
    world.serve(&[]).await;
    assert_eq!(world.deploy_to("dev", "api", "1.0.0").await, Outcome::Succeeded, "{:?}", world.log());
    let users = load(world.address("api").await, 60.0);
    world.stop_server();
    world.serve(&[(crash::VARIABLE, "route.after_effect")]).await;
    let id = world.try_deploy_to("dev", "api", "1.1.0", None).await.unwrap();
    assert!(world.server_was_killed().await, "the point was never passed");
    world.serve(&[]).await;
    assert_eq!(world.ended(id).await, Outcome::Succeeded, "{:?}", world.log());
    let report = users.stop().await.unwrap();
    assert_eq!(drops(&report), None);
}

fn block_on(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

#[test]
fn docker_out_and_back() {
    let Some(place) = on_docker("deployments on Docker") else { return };
    block_on(out_and_back(&place));
}

#[test]
fn docker_survives_its_control_plane() {
    let Some(place) = on_docker("deployments on Docker") else { return };
    block_on(survives_its_control_plane(&place));
}

#[test]
fn kubernetes_out_and_back() {
    let Some(place) = on_kubernetes("deployments on Kubernetes") else { return };
    block_on(out_and_back(&place));
}

#[test]
fn kubernetes_survives_its_control_plane() {
    let Some(place) = on_kubernetes("deployments on Kubernetes") else { return };
    block_on(survives_its_control_plane(&place));
}

/// The image of a version that nothing needs goes; that of the version before stays, and is gone back to.
#[test]
fn docker_keeps_the_images_that_are_needed() {
    let Some(place) = on_docker("images that nothing needs") else { return };
    block_on(async {
        for version in ["1.0.0", "1.1.0", "1.2.0"] {
            image(&place, version, "0");
        }
        let file = project(&place).replace("docker: {", "docker: { keep_images: 0,");
        let mut world = World::new(PROGRAM, &file);
        world.serve(&[]).await;
        assert_eq!(world.deploy_to("dev", "api", "1.0.0").await, Outcome::Succeeded, "{:?}", world.log());
        let users = load(world.address("api").await, 60.0);
        for version in ["1.1.0", "1.2.0"] {
            assert!(place.has_image("1.0.0"), "it could be rolled back to");
            assert_eq!(world.deploy_to("dev", "api", version).await, Outcome::Succeeded, "{:?}", world.log());
        }
        drop(users);
        let begun = Instant::now();
        while place.has_image("1.0.0") && begun.elapsed() < PATIENCE {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert!(!place.has_image("1.0.0"), "{:?}", world.log());
        assert!(place.has_image("1.1.0"));
        assert_eq!(world.roll_back("api").await.1, Outcome::Succeeded, "{:?}", world.log());
    });
}

/// An image that is not there stops a deployment before anything moves, and says so.
#[test]
fn an_image_that_is_not_there_moves_nothing() {
    let Some(place) = on_docker("deployments on Docker") else { return };
    block_on(async {
        let mut world = World::new(PROGRAM, &project(&place));
        world.serve(&[]).await;
        let error = world.try_deploy_to("dev", "api", "9.9.9", None).await.unwrap_err();
        let said = error.to_string();
        assert!(said.contains("sample:9.9.9"), "{said}");
        assert_eq!(world.last_deployment(), None);
    });
}

/// A canary beside a Service that can only be switched is refused when it is planned.
#[test]
fn what_a_target_cannot_do_is_refused_beforehand() {
    let Some(place) = on_kubernetes("deployments on Kubernetes") else { return };
    block_on(async {
        for version in ["1.0.0", "1.1.0"] {
            image(&place, version, "0");
        }
        let file = project(&place).replace("traffic: host", "traffic: service");
        let mut world = World::new(PROGRAM, &file);
        world.serve(&[]).await;
        assert_eq!(world.deploy_to("dev", "api", "1.0.0").await, Outcome::Succeeded, "{:?}", world.log());
        let error = world.try_deploy_to("dev", "api", "1.1.0", None).await.unwrap_err();
        let said = error.to_string();
        assert!(said.contains("needs shares of the traffic") && said.contains("blue-green"), "{said}");
    });
}

/// A release goes to Docker first, and to Kubernetes only when it serves there.
#[test]
fn waves_go_from_one_engine_to_the_next() {
    let (Some(first), Some(second)) = (on_docker("waves over engines"), on_kubernetes("waves over engines"))
    else {
        return;
    };
    block_on(async {
        for (version, errors) in [("1.0.0", "0"), ("1.1.0", "1")] {
            image(&first, version, errors);
        }
        let file = project(&first).replace(
            "strategies:",
            &format!(
                "  later: {{ strategy: quick, target: {} }}\nwaves: {{ all: [[dev], [later]] }}\nstrategies:",
                second.target
            ),
        );
        let mut world = World::new(PROGRAM, &file);
        world.serve(&[]).await;
        world.command(&["deploy", "api", "1.0.0", "--waves", "all"], 3);
        world.until_serves("later", "1.0.0").await;
        assert_eq!(world.status_in("dev", "api").await.version.unwrap().to_string(), "1.0.0");
        // A bad one goes no further than the first wave.
        let users = load(world.address("api").await, 60.0);
        world.command(&["deploy", "api", "1.1.0", "--waves", "all"], 3);
        let refused = world.ended("d4".parse().unwrap()).await;
        drop(users);
        assert_eq!(refused, Outcome::Refused);
        assert_eq!(world.status_in("later", "api").await.version.unwrap().to_string(), "1.0.0");
    });
}

/// A cluster that cannot be reached holds up no way back elsewhere.
#[test]
fn a_cluster_out_of_reach_holds_up_nobody_else() {
    let suite = "a cluster out of reach";
    let (Some(near), Some(far)) = (on_docker(suite), on_kubernetes(suite)) else { return };
    block_on(async {
        for version in ["1.0.0", "1.1.0"] {
            image(&near, version, "0");
        }
        let folder = tempfile::tempdir().unwrap();
        let kubeconfig = folder.path().join("kubeconfig");
        let target = far.by_own_kubeconfig(&kubeconfig).unwrap();
        let environment = format!("  far: {{ strategy: quick, target: {target} }}\nstrategies:");
        let mut world = World::new(PROGRAM, &project(&near).replace("strategies:", &environment));
        world.serve(&[]).await;
        for environment in ["far", "dev"] {
            let outcome = world.deploy_to(environment, "api", "1.0.0").await;
            assert_eq!(outcome, Outcome::Succeeded, "{environment}: {:?}", world.log());
        }
        let users = load(world.address("api").await, 60.0);
        assert_eq!(world.deploy_to("dev", "api", "1.1.0").await, Outcome::Succeeded, "{:?}", world.log());
        world.stop_server();
        far.lead_nowhere(&kubeconfig);
        world.serve(&[]).await;
        assert_eq!(world.roll_back("api").await.1, Outcome::Succeeded, "{:?}", world.log());
        assert_eq!(world.status_in("dev", "api").await.version.unwrap().to_string(), "1.0.0");
        assert_eq!(drops(&users.stop().await.unwrap()), None);
    });
}
