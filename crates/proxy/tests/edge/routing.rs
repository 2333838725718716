//! Who gets which version, and what happens to requests while that changes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pilotage_proxy::{FULL_WEIGHT, split_point};

use crate::client::Client;
use crate::upstream::Upstream;
use crate::world::{ROUTE, World};

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
        let id = pair.strip_prefix("pilotage-client=").unwrap();
        for _ in 0..3 {
            let again = Client::named(world.listen, id).await.get("/").await;
            assert_eq!(again.version(), first.version());
        }
    }
}

#[tokio::test]
async fn switching_back_and_forth_under_load_fails_no_request() {
    let mut world = World::start().await;
    let (new, old) = (Upstream::named("new").await, Upstream::named("old").await);
    world.route(&[("2.0.0", 0, &[new.address]), ("1.0.0", FULL_WEIGHT, &[old.address])]).await;

    let done = Arc::new(AtomicBool::new(false));
    let mut clients = tokio::task::JoinSet::new();
    for number in 0..8 {
        let (done, listen) = (Arc::clone(&done), world.listen);
        clients.spawn(async move {
            let mut client = Client::named(listen, format!("client-{number}")).await;
            let mut sent = 0u64;
            while !done.load(Ordering::Relaxed) {
                let answer = client.get("/").await;
                assert_eq!(answer.status(), 200);
                sent += 1;
            }
            sent
        });
    }
    for weight in [100, 5_000, FULL_WEIGHT, 0].repeat(8) {
        world
            .route(&[("2.0.0", weight, &[new.address]), ("1.0.0", FULL_WEIGHT - weight, &[old.address])])
            .await;
        if weight == 0 {
            let after = pilotage_now();
            let mut probe = Client::connect(world.listen).await;
            assert_eq!(probe.get("/").await.version(), "1.0.0");
            let stats = world.version("2.0.0").await;
            assert!(stats.last_request_micros <= after, "a request went to a version without a share");
        }
    }
    done.store(true, Ordering::Relaxed);
    let sent: u64 = clients.join_all().await.into_iter().sum();
    let (new, old) = (world.version("2.0.0").await, world.version("1.0.0").await);
    assert_eq!(new.requests + old.requests, sent + 8, "the load and the probes");
    assert_eq!(new.errors + new.broken + old.errors + old.broken + world.unserved().await, 0);
    assert_eq!(new.in_flight + old.in_flight, 0);
    world.stop().await.unwrap();
}

fn pilotage_now() -> i64 {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since_epoch.as_micros()).unwrap()
}
