//! A client that fails and tries again is one failure, however it comes.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use pilotage_proxy::{ClientKey, FULL_WEIGHT, Route, VersionStats};

use crate::client::Client;
use crate::upstream::{Upstream, say_and_close};
use crate::world::World;

/// Fails whatever is asked of `/bad`.
async fn faulty() -> Upstream {
    Upstream::answering(|request: Request<Incoming>| async move {
        let status = if request.uri().path() == "/bad" { 500 } else { 200 };
        Response::builder().status(status).body(Full::<Bytes>::default()).unwrap()
    })
    .await
}

/// Failures, and clients that failed.
fn counted(stats: &VersionStats) -> (u64, u64) {
    (stats.errors + stats.broken, stats.failed_clients)
}

#[tokio::test]
async fn tries_over_several_connections_are_one_failure_of_their_client() {
    let upstream = faulty().await;
    let mut world = World::start().await;
    world.route(&[("1.0.0", FULL_WEIGHT, &[upstream.address])]).await;
    // So many connections that both workers have some of them.
    for _ in 0..8 {
        let mut alice = Client::named(world.listen, "alice").await;
        assert_eq!(alice.get("/bad").await.status(), 500);
        assert_eq!(alice.get("/good").await.status(), 200);
    }
    assert_eq!(counted(&world.version("1.0.0").await), (8, 1));
    Client::named(world.listen, "bob").await.get("/bad").await;
    assert_eq!(counted(&world.version("1.0.0").await), (9, 2), "another client");
    let mut nameless = Client::connect(world.listen).await;
    for _ in 0..3 {
        nameless.get("/bad").await;
    }
    assert_eq!(counted(&world.version("1.0.0").await), (12, 5), "nobody knows that it is one client");
}

#[tokio::test]
async fn bursts_go_on_across_tables_and_are_those_of_one_version() {
    let upstream = faulty().await;
    let mut world = World::start().await;
    for (new, old) in [(0, FULL_WEIGHT), (0, FULL_WEIGHT), (FULL_WEIGHT, 0), (0, FULL_WEIGHT)] {
        let pools: &[(_, _, &[_])] =
            &[("2.0.0", new, &[upstream.address]), ("1.0.0", old, &[upstream.address])];
        world.route(pools).await;
        let mut alice = Client::named(world.listen, "alice").await;
        alice.get("/bad").await;
        alice.get("/bad").await;
    }
    assert_eq!(counted(&world.version("1.0.0").await), (6, 1));
    assert_eq!(counted(&world.version("2.0.0").await), (2, 1));
}

#[tokio::test]
async fn a_client_is_whoever_the_route_says() {
    let upstream = faulty().await;
    let pools: &[(_, _, &[_])] = &[("1.0.0", FULL_WEIGHT, &[upstream.address])];
    let by_address = |route: &mut Route| route.client_keys = vec![ClientKey::Address];
    let mut world = World::start().await;
    world.route_with(pools, by_address).await;
    for name in ["alice", "bob"] {
        Client::named(world.listen, name).await.get("/bad").await;
    }
    assert_eq!(counted(&world.version("1.0.0").await), (2, 1), "they come from one address");
}

#[tokio::test]
async fn the_cookie_of_the_edge_names_a_client() {
    let upstream = faulty().await;
    let mut world = World::start().await;
    let half = FULL_WEIGHT / 2;
    let address = &[upstream.address][..];
    world.route(&[("2.0.0", half, address), ("1.0.0", half, address)]).await;
    let mut client = Client::connect(world.listen).await;
    let first = client.get("/good").await;
    let cookie = first.header("set-cookie").unwrap().split_once(';').unwrap().0;
    let forged = format!("{}x", &cookie[..cookie.len() - 1]);
    for (cookie, expected) in [(cookie, (3, 1)), (&forged, (6, 4))] {
        for _ in 0..3 {
            client.get_with("/bad", &[("cookie", cookie)]).await;
        }
        let mut both = world.version("1.0.0").await;
        both.merge(&world.version("2.0.0").await);
        assert_eq!(counted(&both), expected);
    }
}

#[tokio::test]
async fn broken_answers_are_folded_too_and_one_request_is_one_failure() {
    let half_an_answer = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 100\r\n\r\nhalf";
    let upstream = Upstream::conversing(|stream| say_and_close(stream, half_an_answer)).await;
    let mut world = World::start().await;
    world.route(&[("1.0.0", FULL_WEIGHT, &[upstream.address])]).await;
    let mut nameless = Client::connect(world.listen).await;
    assert!(nameless.try_get("/").await.is_err());
    let stats = world.version("1.0.0").await;
    assert_eq!((stats.errors, stats.broken, stats.failed_clients), (1, 1, 1));
    for _ in 0..3 {
        assert!(Client::named(world.listen, "alice").await.try_get("/").await.is_err());
    }
    assert_eq!(world.version("1.0.0").await.failed_clients, 2);
}
