//! What happens when an engine dies, when people act on it by hand, and when services do not behave.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail anywhere")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use pilotage_targets::{Artifact, Fence, InstanceState, Source, TargetError};
use pilotage_testing::{need_docker, need_swarm};
use support::{Rig, World, address, ask, eventually, get, version};

/// Requests one after the other, until it is stopped.
struct Users {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    failed: Arc<AtomicU64>,
    thread: std::thread::JoinHandle<()>,
}

impl Users {
    fn of(listen: std::net::SocketAddr) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (answered, failed) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let thread = {
            let (stop, answered, failed) = (Arc::clone(&stop), Arc::clone(&answered), Arc::clone(&failed));
            std::thread::spawn(move || {
                while !stop.load(Ordering::SeqCst) {
                    let good = get(listen, "/").is_ok_and(|(status, _)| status == 200);
                    if good { &answered } else { &failed }.fetch_add(1, Ordering::SeqCst);
                    std::thread::sleep(Duration::from_millis(2));
                }
            })
        };
        Self { stop, answered, failed, thread }
    }

    async fn more(&self) {
        let before = self.answered.load(Ordering::SeqCst);
        let enough = || async { self.answered.load(Ordering::SeqCst) > before + 10 };
        eventually("requests were answered", enough).await;
    }

    fn failed(self) -> u64 {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.join().unwrap();
        self.failed.load(Ordering::SeqCst)
    }
}

/// What needs the engine alone: it is killed.
mod disturbing {
    use pilotage_testing::need_docker_alone;

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn users_notice_nothing_of_an_engine_or_a_control_plane_that_dies() {
        let Some(docker) = need_docker_alone("a Docker daemon that dies") else { return };
        let mut world = World::new(Rig::Docker(docker)).await;
        let (old, new) = (world.release("1.0.0", &[]).await, world.release("1.1.0", &[]).await);
        world.ensure(&old, 2).await;
        let before = world.ready("1.0.0", 2).await;
        let listen = world.route(&[("1.0.0", 10_000)]).await;
        let users = Users::of(listen);
        users.more().await;

        world.engine().kill("dockerd").unwrap();
        users.more().await;
        let away = world.target().observe(&world.workload()).await;
        assert!(matches!(away, Err(TargetError::Unreachable { .. })), "{away:?}");
        // A control plane that comes back while the engine is away leaves the edge as it is.
        world.restart_control_plane();
        users.more().await;
        world.engine().start("dockerd").unwrap();

        let after = world.ready("1.0.0", 2).await;
        let pids = |instances: &[pilotage_targets::Instance]| -> Vec<_> {
            instances.iter().map(|instance| (instance.name.clone(), instance.pid)).collect()
        };
        assert_eq!(pids(&before), pids(&after), "the containers have lived on");
        // And what was begun goes on.
        world.ensure(&new, 1).await;
        world.ready("1.1.0", 1).await;
        world.route(&[("1.1.0", 10_000)]).await;
        world.target().retire(&world.workload(), &version("1.0.0"), 0, Fence(1)).await.unwrap();
        users.more().await;
        assert_eq!(ask(listen, "/").await.1, "1.1.0");
        assert_eq!(users.failed(), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_done_to_a_container_by_hand_is_mended() {
    let Some(docker) = need_docker("containers changed by hand") else { return };
    let world = World::new(Rig::Docker(docker)).await;
    let release = world.release("1.0.0", &[]).await;
    world.ensure(&release, 1).await;
    let first = world.ready("1.0.0", 1).await.remove(0);

    world.docker(&["stop", "--time", "1", &first.name]);
    world.until("it was started again", |o| is_ready(o) && o.instances[0].restarts > 0).await;
    let network = format!("{}-test", world.config.project);
    world.docker(&["network", "disconnect", &network, &first.name]);
    world.until("it is back in its network", |o| is_ready(o) && o.instances[0].address.is_some()).await;
    world.docker(&["rename", &first.name, &format!("{}-renamed", first.name)]);
    let renamed = world.observe().await;
    assert_eq!(renamed.instances[0].name, first.name, "its labels say who it is");
    world.docker(&["rm", "--force", &format!("{}-renamed", first.name)]);
    let gone = world.until("it is gone", |o| o.instances.is_empty()).await;
    assert!(gone.instances.is_empty());
    world.ensure(&release, 1).await;
    let second = world.ready("1.0.0", 1).await.remove(0);
    assert_ne!(second.name, first.name);
}

fn is_ready(observation: &pilotage_targets::Observation) -> bool {
    observation.instances.len() == 1 && observation.instances[0].state == InstanceState::Ready
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_container_that_does_not_work_is_taken_out_started_again_or_given_up_with_its_last_lines() {
    let Some(docker) = need_docker("containers that do not work") else { return };
    let mut world = World::new(Rig::Docker(docker)).await;
    let good = world.release("1.0.0", &[]).await;
    world.ensure(&good, 1).await;
    let instance = world.ready("1.0.0", 1).await.remove(0);
    get(address(&instance), "/unready").unwrap();
    let unready = world.until("it is unready", |o| o.instances[0].state == InstanceState::Unready).await;
    assert!(unready.instances[0].probe_failures > 0);
    get(address(&instance), "/dead").unwrap();
    let again = world.until("it was started again", |o| is_ready(o) && o.instances[0].restarts == 1).await;
    assert_ne!(again.instances[0].pid, instance.pid);
    world.target().remove(&world.workload(), Fence(1)).await.unwrap();

    let ending = world.release("1.1.0", &["exit=3"]).await;
    world.ensure(&ending, 1).await;
    let reason = world.failure().await;
    assert!(reason.contains("times before it was ready"), "{reason}");
    assert!(reason.contains("ended with exit status 3") && reason.contains("gives up at once"), "{reason}");
    world.restart_control_plane();
    let reason = world.failure().await;
    assert!(reason.contains("exit status 3"), "it is known afterwards too: {reason}");
    world.target().remove(&world.workload(), Fence(1)).await.unwrap();

    let mut waiting = world.release("1.2.0", &["never_ready"]).await;
    waiting.instance.start_timeout = Duration::from_millis(1500);
    world.ensure(&waiting, 1).await;
    let reason = world.failure().await;
    assert!(reason.starts_with("was not ready within 1.5 s: GET /ready answered 503"), "{reason}");
    world.target().remove(&world.workload(), Fence(1)).await.unwrap();

    let mut missing = good.clone();
    missing.id.version = version("1.3.0");
    missing.instance.run = vec!["/bin/none".into()];
    world.ensure(&missing, 1).await;
    let reason = world.failure().await;
    assert!(reason.contains("could not be started") && reason.contains("correct `run`"), "{reason}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_had_or_done_is_refused_with_the_mend() {
    let Some(docker) = need_docker("refusals of a Docker engine") else { return };
    let registry = docker.registry().to_owned();
    let world = World::new(Rig::Docker(docker)).await;
    let stage = async |artifact| {
        let source = Source::new(artifact, version("1.0.0"));
        world.target().stage(&world.workload(), &source).await.unwrap_err()
    };
    let none = stage(Artifact::Image(format!("{registry}/none:1.0.0").parse().unwrap())).await;
    let words = none.to_string();
    assert!(matches!(none, TargetError::Image { .. }) && words.contains("push it there"), "{words}");
    let path = stage(Artifact::Path("/bin/true".into())).await;
    assert!(matches!(path, TargetError::Unsupported { .. }), "{path}");

    let release = world.release("1.0.0", &[]).await;
    let taken = format!("{}-test-api-v1-0-0-1", world.config.project);
    let image = release.instance.image.as_ref().unwrap().pinned(&release.id.digest);
    world.docker(&["create", "--name", &taken, &image]);
    let refused = world.target().ensure(&world.workload(), &release, 1, Fence(1)).await;
    world.docker(&["rm", &taken]);
    let words = refused.unwrap_err().to_string();
    assert!(words.contains(&taken) && words.contains("remove or rename it"), "{words}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_image_goes_when_nothing_needs_it() {
    let Some(docker) = need_docker("images that nothing needs") else { return };
    let world = World::with(Rig::Docker(docker), |config| config.settings.keep_images = 0).await;
    // Its own program, so that no other test has the image.
    let own = format!("own={}", std::process::id());
    let old = world.release("7.0.0", &[&own]).await;
    let shared = world.release("7.1.0", &[&own]).await;
    let new = world.release("7.2.0", &[&own]).await;
    for release in [&old, &shared, &new] {
        world.ensure(release, 1).await;
        world.ready(&release.id.version.to_string(), 1).await;
    }
    let (target, environment) = (world.target(), world.workload().environment);
    for idle in ["7.0.0", "7.1.0"] {
        target.retire(&world.workload(), &version(idle), 0, Fence(1)).await.unwrap();
    }
    let keep = [old.id.digest.clone(), shared.id.digest.clone()];
    let gone = target.prune_images(&environment, &keep).await.unwrap();
    assert!(gone.is_empty(), "they could be rolled back to");
    // What somebody else has made a container from is not ours to remove.
    let image = shared.instance.image.as_ref().unwrap().pinned(&shared.id.digest);
    let other = format!("{}-other", world.config.project);
    world.docker(&["create", "--name", &other, &image]);
    let gone = target.prune_images(&environment, &[]).await.unwrap();
    let left = world.docker(&["image", "inspect", "--format", "{{.Id}}", &image]);
    world.docker(&["rm", &other]);
    assert_eq!(gone, std::slice::from_ref(&old.id.digest));
    assert!(!left.is_empty());
    world.ready("7.2.0", 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_was_rolled_back_by_hand_is_brought_up_again() {
    let Some(swarm) = need_swarm("a service rolled back by hand") else { return };
    let world = World::new(Rig::Swarm(swarm)).await;
    let release = world.release("1.0.0", &[]).await;
    world.ensure(&release, 1).await;
    world.ensure(&release, 2).await;
    world.ready("1.0.0", 2).await;
    let service = format!("{}-test-api-v1-0-0", world.config.project);
    world.docker(&["service", "rollback", "--detach", &service]);
    world.until("one is left", |o| o.instances.len() == 1).await;
    world.ensure(&release, 2).await;
    world.ready("1.0.0", 2).await;
}
