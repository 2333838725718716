//! How users reach instances.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod support;

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use pilotage_targets::{Fence, Target, TargetError};
use support::{World, ask, eventually, get, traffic, version};

/// Requests one after the other, counted by the version that answered; what failed is counted as `failed`.
struct Load {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<BTreeMap<String, u64>>>,
}

impl Load {
    fn start(address: SocketAddr, path: &'static str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let client = |stop: Arc<AtomicBool>| {
            std::thread::spawn(move || {
                let mut counts = BTreeMap::new();
                while !stop.load(Ordering::SeqCst) {
                    let answered = match get(address, path) {
                        Ok((200, body)) => body,
                        _ => "failed".to_owned(),
                    };
                    *counts.entry(answered).or_insert(0) += 1;
                }
                counts
            })
        };
        let threads = (0..2).map(|_| client(Arc::clone(&stop))).collect();
        Self { stop, threads }
    }

    fn end(self) -> BTreeMap<String, u64> {
        self.stop.store(true, Ordering::SeqCst);
        let mut all = BTreeMap::new();
        for counts in self.threads.into_iter().map(|thread| thread.join().unwrap()) {
            for (version, count) in counts {
                *all.entry(version).or_insert(0) += count;
            }
        }
        all
    }
}

#[tokio::test]
async fn a_switch_with_retirement_loses_no_request() {
    let world = World::new().await;
    let old = world.release("1.0.0", &[]).await;
    let new = world.release("1.1.0", &[]).await;
    world.ensure(&old, 2).await;
    world.ready("1.0.0", 2).await;
    let listen = world.route(&[("1.0.0", 10_000)]).await;
    let load = Load::start(listen, "/");
    world.ensure(&new, 2).await;
    world.ready("1.1.0", 2).await;
    assert_eq!(world.route(&[("1.1.0", 5_000), ("1.0.0", 5_000)]).await, listen, "the chosen port is kept");
    world.target().retire(&world.workload(), &version("1.0.0"), 1, Fence(1)).await.unwrap();
    world.route(&[("1.1.0", 10_000)]).await;
    assert_eq!(ask(listen, "/").await.1, "1.1.0", "the switch is complete when route returns");
    world.target().retire(&world.workload(), &version("1.0.0"), 0, Fence(1)).await.unwrap();
    let counts = load.end();
    assert!(counts["1.0.0"] > 0 && counts["1.1.0"] > 0 && counts.len() == 2, "{counts:?}");
}

#[tokio::test]
async fn slow_requests_are_waited_for() {
    let world = World::new().await;
    let old = world.release("1.0.0", &[]).await;
    let new = world.release("1.1.0", &[]).await;
    for release in [&old, &new] {
        world.ensure(release, 2).await;
    }
    world.ready("1.0.0", 2).await;
    world.ready("1.1.0", 2).await;
    let listen = world.route(&[("1.1.0", 5_000), ("1.0.0", 5_000)]).await;
    let load = Load::start(listen, "/slow");
    let in_flight = || async {
        let stats = world.target().edge().stats().await.unwrap();
        stats.routes["test/api"].versions.values().any(|version| version.in_flight > 0)
    };
    eventually("slow requests are in flight", in_flight).await;
    // One instance of a version that keeps its share, then all of a version that has none.
    for name in ["1.0.0", "1.1.0"] {
        world.target().retire(&world.workload(), &version(name), 1, Fence(1)).await.unwrap();
    }
    world.route(&[("1.1.0", 10_000)]).await;
    world.target().retire(&world.workload(), &version("1.0.0"), 0, Fence(1)).await.unwrap();
    let counts = load.end();
    assert!(!counts.contains_key("failed"), "{counts:?}");
}

#[tokio::test]
async fn a_version_without_instances_holds_its_requests_until_one_is_ready() {
    let world = World::new().await;
    let release = world.release("1.0.0", &[]).await;
    let listen = world.route(&[("1.0.0", 10_000)]).await;
    let waiting = tokio::task::spawn_blocking(move || get(listen, "/"));
    world.ensure(&release, 1).await;
    assert_eq!(waiting.await.unwrap().unwrap(), (200, "1.0.0".into()));
}

#[tokio::test]
async fn a_port_in_use_is_refused_and_nothing_else_suffers() {
    let world = World::new().await;
    let release = world.release("1.0.0", &[]).await;
    world.ensure(&release, 1).await;
    world.ready("1.0.0", 1).await;
    let listen = world.route(&[("1.0.0", 10_000)]).await;
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut wanted = traffic(&[("1.0.0", 10_000)]);
    wanted.listen = other.local_addr().unwrap();
    let refused = world.target().route(&world.workload(), &wanted, Fence(1)).await;
    assert!(matches!(refused, Err(TargetError::PortInUse { address, .. }) if address == wanted.listen));
    assert_eq!(world.observe().await.listen(), Some(listen));
    assert_eq!(ask(listen, "/").await.0, 200);

    let mut second = world.workload();
    second.service = "web".parse().unwrap();
    let mut same = traffic(&[("1.0.0", 10_000)]);
    same.listen = listen;
    let refused = world.target().route(&second, &same, Fence(1)).await.unwrap_err().to_string();
    assert!(refused.contains("test/api has them") && refused.contains("another `port`"), "{refused}");
}

#[tokio::test]
async fn a_chosen_port_is_kept_unless_somebody_takes_it() {
    let world = World::new().await;
    let first = world.route(&[("1.0.0", 10_000)]).await;
    world.target().remove(&world.workload(), Fence(1)).await.unwrap();
    assert_eq!(world.route(&[("1.0.0", 10_000)]).await, first);
    world.target().remove(&world.workload(), Fence(1)).await.unwrap();
    let _taken = TcpListener::bind(first).unwrap();
    assert_ne!(world.route(&[("1.0.0", 10_000)]).await, first);
}

#[tokio::test]
async fn an_old_holder_may_do_nothing_any_more() {
    let mut world = World::new().await;
    let release = world.release("1.0.0", &[]).await;
    let workload = world.workload();
    world.target().ensure(&workload, &release, 1, Fence(7)).await.unwrap();
    world.ready("1.0.0", 1).await;
    world.restart_control_plane().await;
    let target = world.target();
    let refused = [
        target.ensure(&workload, &release, 2, Fence(6)).await.unwrap_err(),
        target.route(&workload, &traffic(&[("1.0.0", 10_000)]), Fence(6)).await.unwrap_err(),
        target.retire(&workload, &version("1.0.0"), 0, Fence(6)).await.unwrap_err(),
        target.remove(&workload, Fence(6)).await.unwrap_err(),
    ];
    for error in refused {
        assert!(matches!(error, TargetError::Fenced { held: 7, ours: 6, .. }), "{error:?}");
    }
    assert_eq!(world.observe().await.instances.len(), 1);
}

#[tokio::test]
async fn a_rollback_takes_back_what_another_is_about_to_stop() {
    let world = World::new().await;
    let release = world.release("1.0.0", &[]).await;
    world.ensure(&release, 1).await;
    let before = world.ready("1.0.0", 1).await.remove(0);
    let listen = world.route(&[("1.0.0", 10_000)]).await;
    let slow = tokio::task::spawn_blocking(move || get(listen, "/slow"));
    eventually("the slow request is in flight", || async {
        let stats = world.target().edge().stats().await.unwrap();
        stats.routes.get("test/api").is_some_and(|route| route.versions["1.0.0"].in_flight > 0)
    })
    .await;
    let (workload, version) = (world.workload(), version("1.0.0"));
    let retiring = world.target().retire(&workload, &version, 0, Fence(1));
    let rollback = async {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        world.target().ensure(&workload, &release, 1, Fence(2)).await
    };
    let (retired, ensured) = tokio::join!(retiring, rollback);
    ensured.unwrap();
    assert!(matches!(retired, Err(TargetError::Fenced { .. })), "{retired:?}");
    assert_eq!(slow.await.unwrap().unwrap().0, 200);
    let after = world.ready("1.0.0", 1).await.remove(0);
    assert_eq!((after.name, after.pid), (before.name, before.pid), "the same process");
    assert_eq!(ask(listen, "/").await.0, 200);
}
