//! Copies of requests: nobody but the version that is tried out may notice them.

use bytes::Bytes;
use pilotage_proxy::{FULL_WEIGHT, Mirror, MirrorStats, Route};
use tokio::io::AsyncReadExt;

use crate::client::Client;
use crate::upstream::{Upstream, say_and_close};
use crate::world::{World, eventually, free_address};

fn copied(change: impl FnOnce(&mut Mirror)) -> impl FnOnce(&mut Route) {
    let mut mirror = Mirror {
        version: "2.0.0".to_owned(),
        share: FULL_WEIGHT,
        bytes_per_second: 100_000_000,
        max_body_bytes: 64 * 1024,
        unsafe_methods: true,
        timeout_ms: 60_000,
        compare: None,
    };
    change(&mut mirror);
    |route| route.mirror = Some(mirror)
}

async fn copies(world: &World) -> MirrorStats {
    world.version("2.0.0").await.mirror
}

#[tokio::test]
async fn copies_reach_the_version_and_their_answers_nobody() {
    let (own, tried) = (Upstream::named("own").await, Upstream::echo().await);
    let mut world = World::start().await;
    let pools: &[(_, _, &[_])] = &[("2.0.0", 0, &[tried.address]), ("1.0.0", FULL_WEIGHT, &[own.address])];
    world.route_with(pools, copied(|_| {})).await;
    let mut client = Client::connect(world.listen).await;
    for _ in 0..10 {
        assert_eq!(client.get("/").await.text(), "own");
        assert_eq!(client.post("/", "body").await.version(), "1.0.0");
    }
    eventually("all copies were answered", || async { copies(&world).await.requests == 20 }).await;
    let stats = world.version("2.0.0").await;
    assert_eq!((stats.requests, stats.mirror.broken, stats.mirror.dropped), (0, 0, 0));
    assert_eq!(tried.requests(), 20);

    world.route_with(pools, copied(|mirror| mirror.unsafe_methods = false)).await;
    assert_eq!(client.post("/", "body").await.text(), "own");
    assert_eq!(client.get("/").await.text(), "own");
    eventually("the copy was answered", || async { copies(&world).await.requests == 21 }).await;
    assert_eq!(tried.requests(), 21, "what changes something is not copied");
}

#[tokio::test]
async fn a_version_that_is_dead_or_fails_costs_its_users_nothing() {
    let own = Upstream::named("own").await;
    let broken = Upstream::conversing(|stream| say_and_close(stream, b"nonsense\r\n\r\n")).await;
    for address in [free_address(), broken.address] {
        let mut world = World::start().await;
        let pools: &[(_, _, &[_])] = &[("2.0.0", 0, &[address]), ("1.0.0", FULL_WEIGHT, &[own.address])];
        world.route_with(pools, copied(|_| {})).await;
        let mut client = Client::connect(world.listen).await;
        for _ in 0..10 {
            assert_eq!(client.get("/").await.text(), "own");
        }
        eventually("all copies are over", || async { copies(&world).await.broken == 10 }).await;
        let stats = world.version("1.0.0").await;
        assert_eq!((stats.requests, stats.broken, world.unserved().await), (10, 0, 0));
    }
}

#[tokio::test]
async fn a_version_that_never_answers_gets_no_more_copies_than_can_wait() {
    let own = Upstream::named("own").await;
    let silent = Upstream::conversing(|mut stream| async move {
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let mut world = World::start().await;
    let pools: &[(_, _, &[_])] = &[("2.0.0", 0, &[silent.address]), ("1.0.0", FULL_WEIGHT, &[own.address])];
    world.route_with(pools, copied(|_| {})).await;
    let mut client = Client::connect(world.listen).await;
    for _ in 0..300 {
        assert_eq!(client.post("/", "body").await.text(), "own");
    }
    let dropped = copies(&world).await.dropped;
    assert!((100..300).contains(&dropped), "{dropped} of 300 were dropped");

    let mut world = World::start().await;
    world.route_with(pools, copied(|mirror| mirror.timeout_ms = 50)).await;
    assert_eq!(Client::connect(world.listen).await.get("/").await.text(), "own");
    eventually("the copy is given up", || async { copies(&world).await.broken == 1 }).await;
    eventually("nothing is in flight", || async { world.version("2.0.0").await.in_flight == 0 }).await;
}

#[tokio::test]
async fn copies_stop_at_their_budget_and_leave_out_long_bodies() {
    let (own, tried) = (Upstream::named("own").await, Upstream::named("tried").await);
    let pools: &[(_, _, &[_])] = &[("2.0.0", 0, &[tried.address]), ("1.0.0", FULL_WEIGHT, &[own.address])];
    for change in [(|mirror| mirror.bytes_per_second = 1_000) as fn(&mut Mirror), |mirror| {
        mirror.max_body_bytes = 1_000
    }] {
        let mut world = World::start().await;
        world.route_with(pools, copied(change)).await;
        let mut client = Client::connect(world.listen).await;
        for _ in 0..5 {
            assert_eq!(client.post("/", Bytes::from(vec![b'x'; 20_000])).await.text(), "own");
        }
        assert_eq!(tried.requests(), 0);
    }
}
