//! Who gets which version, and what happens to requests while that changes.

use std::collections::BTreeMap;
use std::time::Duration;

use pilotage_proxy::{FULL_WEIGHT, Limits, split_point};
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;

use crate::client::{Client, Load};
use crate::upstream::{Upstream, read_head};
use crate::world::{PATIENCE, ROUTE, World, eventually};

#[tokio::test]
async fn requests_reach_the_version_and_are_counted_exactly() {
    let mut world = World::start().await;
    let upstream = Upstream::named("one").await;
    world.route(&[("1.0.0", FULL_WEIGHT, &[upstream.address])]).await;

    let mut client = Client::connect(world.listen).await;
    for _ in 0..20 {
        let answer = client.get("/").await;
        assert_eq!((answer.status(), answer.text(), answer.version()), (200, "one", "1.0.0"));
        assert_eq!(answer.header("set-cookie"), None, "there is nothing to stay with");
    }
    let stats = world.version("1.0.0").await;
    assert_eq!(
        (stats.requests, stats.errors, stats.broken, stats.retries, stats.in_flight),
        (20, 0, 0, 0, 0)
    );
    assert_eq!(stats.latency.count(), 20);
    assert!(stats.last_request_micros > 0);
    assert_eq!(upstream.requests(), 20);
    assert_eq!(upstream.connections(), 1, "the connection is kept");
    world.stop().await.unwrap();
}

#[tokio::test]
async fn clients_go_where_their_id_says_and_stay_there() {
    let mut world = World::start().await;
    let (new, old) = (Upstream::named("new").await, Upstream::named("old").await);
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for weight in [0, 500, 2_500, 5_000, FULL_WEIGHT] {
        world
            .route(&[("2.0.0", weight, &[new.address]), ("1.0.0", FULL_WEIGHT - weight, &[old.address])])
            .await;
        for number in 0..60 {
            let id = format!("client-{number}");
            let mut client = Client::named(world.listen, &id).await;
            let answer = client.get("/").await;
            let expected = if split_point(ROUTE, id.as_bytes()) < weight { "2.0.0" } else { "1.0.0" };
            assert_eq!(answer.version(), expected, "{id} at weight {weight}");
            assert_eq!(answer.header("set-cookie"), None, "{id} has an id already");
            if expected == "2.0.0" {
                seen.entry(id).or_insert(weight);
            }
        }
    }
    assert_eq!(seen.len(), 60);
    assert!(seen.values().any(|weight| *weight < FULL_WEIGHT));
}

#[tokio::test]
async fn a_client_without_an_id_is_given_one_that_keeps_it_where_it_is() {
    let mut world = World::start().await;
    let (new, old) = (Upstream::named("new").await, Upstream::named("old").await);
    world.route(&[("2.0.0", 5_000, &[new.address]), ("1.0.0", 5_000, &[old.address])]).await;
    for _ in 0..20 {
        let mut client = Client::connect(world.listen).await;
        let first = client.get("/").await;
        let cookie = first.header("set-cookie").unwrap().to_owned();
        let (pair, attributes) = cookie.split_once("; ").unwrap();
        assert_eq!(attributes, "Path=/; HttpOnly; SameSite=Lax");
        assert!(pair.starts_with("pilotage-client="), "{pair}");
        for _ in 0..3 {
            let again = client.get_with("/", &[("cookie", pair)]).await;
            assert_eq!(again.version(), first.version());
            assert_eq!(again.header("set-cookie"), None, "it has one");
        }
        let forged = pair.replacen(|digit: char| digit.is_ascii_digit(), "x", 1);
        assert!(client.get_with("/", &[("cookie", &forged)]).await.header("set-cookie").is_some());
    }
}

#[tokio::test]
async fn switching_back_and_forth_under_load_fails_no_request() {
    let mut world = World::start().await;
    let (new, old) = (Upstream::named("new").await, Upstream::named("old").await);
    world.route(&[("2.0.0", 0, &[new.address]), ("1.0.0", FULL_WEIGHT, &[old.address])]).await;

    let load = Load::getting(world.listen, 8);
    for weight in [100, 5_000, FULL_WEIGHT, 0].repeat(8) {
        world
            .route(&[("2.0.0", weight, &[new.address]), ("1.0.0", FULL_WEIGHT - weight, &[old.address])])
            .await;
        if weight == 0 {
            let after = now_micros();
            let mut probe = Client::connect(world.listen).await;
            assert_eq!(probe.get("/").await.version(), "1.0.0");
            let stats = world.version("2.0.0").await;
            assert!(stats.last_request_micros <= after, "a request went to a version without a share");
        }
    }
    let sent = load.finish().await;
    let (new, old) = (world.version("2.0.0").await, world.version("1.0.0").await);
    assert_eq!(new.requests + old.requests, sent + 8, "the load and the probes");
    assert_eq!(new.errors + new.broken + old.errors + old.broken + world.unserved().await, 0);
    assert_eq!(new.in_flight + old.in_flight, 0);
    world.stop().await.unwrap();
}

#[tokio::test]
async fn versions_are_replaced_under_posts_without_a_lost_request() {
    let mut world = World::start().await;
    let mut current = Upstream::named("v0").await;
    world.route(&[("0.0.0", FULL_WEIGHT, &[current.address])]).await;
    let load = Load::posting(world.listen, 8);
    for number in 1..=20u32 {
        let (old, new) = (format!("{}.0.0", number - 1), format!("{number}.0.0"));
        let next = Upstream::named("next").await;
        world.route(&[(&new, 5_000, &[next.address]), (&old, 5_000, &[current.address])]).await;
        world.route(&[(&new, FULL_WEIGHT, &[next.address]), (&old, 0, &[current.address])]).await;
        eventually("the old version is drained", || async { world.version(&old).await.in_flight == 0 }).await;
        // Gone with its connections, as a process that was stopped.
        drop(std::mem::replace(&mut current, next));
        eventually("the new version is used", || async { world.version(&new).await.requests > 20 }).await;
    }
    let sent = load.finish().await;
    let stats = world.client.stats().await.unwrap().routes.remove(ROUTE).unwrap();
    let answered: u64 = stats.versions.values().map(|version| version.requests).sum();
    let lost: u64 = stats.versions.values().map(|version| version.errors + version.broken).sum();
    assert_eq!((answered, lost, stats.unserved), (sent, 0, 0));
}

#[tokio::test]
async fn connections_of_no_further_use_are_closed() {
    let limits = Limits { upstream_idle: Duration::from_millis(100), ..Limits::default() };
    for (limits, leaves_the_table) in [(limits, false), (Limits::default(), true)] {
        let mut world = World::start_with(limits).await;
        let (closed, mut is_closed) = mpsc::unbounded_channel();
        let upstream = Upstream::conversing(move |mut stream| {
            let closed = closed.clone();
            async move {
                while read_head(&mut stream).await {
                    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
                }
                closed.send(()).unwrap();
            }
        })
        .await;
        world.route(&[("1.0.0", FULL_WEIGHT, &[upstream.address])]).await;
        assert_eq!(Client::connect(world.listen).await.get("/").await.text(), "ok");
        if leaves_the_table {
            world.route(&[]).await;
        }
        tokio::time::timeout(PATIENCE, is_closed.recv()).await.unwrap().unwrap();
    }
}

fn now_micros() -> i64 {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since_epoch.as_micros()).unwrap()
}
