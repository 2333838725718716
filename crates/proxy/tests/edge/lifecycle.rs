//! Starting, stopping, dying, and what is there afterwards.

use std::sync::Arc;

use pilotage_proxy::FULL_WEIGHT;
use rustix::process::Signal;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use crate::child::{ChildEdge, signal};
use crate::client::Client;
use crate::upstream::{Upstream, gated};
use crate::world::{World, eventually, free_address, table};

#[tokio::test]
async fn a_killed_edge_comes_back_with_its_table() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = Upstream::named("one").await;
    let listen = free_address();
    let edge = ChildEdge::start(folder.path()).await;
    let client = edge.client.clone();
    let first = client.identify().await.unwrap();
    client.apply(table(5, listen, 0, &[("1.0.0", FULL_WEIGHT, &[upstream.address])])).await.unwrap();
    for _ in 0..3 {
        assert_eq!(Client::connect(listen).await.get("/").await.text(), "one");
    }
    drop(edge);
    assert!(client.stats().await.is_err(), "nobody is there");

    let edge = ChildEdge::start(folder.path()).await;
    assert_eq!(Client::connect(listen).await.get("/").await.text(), "one");
    assert_eq!(client.table().await.unwrap().epoch, 5, "the client connects again by itself");
    let stats = client.stats().await.unwrap();
    assert!(stats.started_micros > first.started_micros);
    assert_eq!(stats.routes["test/web"].versions["1.0.0"].requests, 1, "counters start anew");
    drop(edge);
}

#[tokio::test]
async fn sigterm_lets_requests_in_flight_finish() {
    let folder = tempfile::tempdir().unwrap();
    let gate = Arc::new(Semaphore::new(0));
    let upstream = gated(&gate).await;
    let listen = free_address();
    let edge = ChildEdge::start(folder.path()).await;
    edge.client.apply(table(1, listen, 0, &[("1.0.0", FULL_WEIGHT, &[upstream.address])])).await.unwrap();
    let waiting = tokio::spawn(async move { Client::connect(listen).await.get("/").await });
    eventually("the request is in flight", || async { upstream.requests() == 1 }).await;

    signal(edge.pid(), Signal::TERM);
    eventually("the listener is closed", || async { TcpStream::connect(listen).await.is_err() }).await;
    gate.add_permits(1);
    let answer = waiting.await.unwrap();
    assert_eq!((answer.text(), answer.header("connection")), ("gated", Some("close")));
    assert!(edge.ended().await);
    assert!(!folder.path().join("edge.sock").exists());
}

#[tokio::test]
async fn a_broken_table_on_disk_is_moved_aside() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    std::fs::create_dir(&state).unwrap();
    std::fs::write(state.join("table.json"), "{\"format\":1,").unwrap();
    let edge = ChildEdge::start(folder.path()).await;
    assert_eq!(edge.client.table().await.unwrap().epoch, 0);
    assert!(state.join("table.json.broken").exists());
}

#[tokio::test]
async fn a_port_taken_while_the_edge_was_down_is_had_again_when_it_is_free() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = Upstream::named("one").await;
    let (listen, other) = (free_address(), free_address());
    let edge = ChildEdge::start(folder.path()).await;
    let mut two = table(1, listen, 0, &[("1.0.0", FULL_WEIGHT, &[upstream.address])]);
    let mut second = two.routes[0].clone();
    (second.name, second.listen) = ("test/other".to_owned(), other);
    two.routes.push(second);
    edge.client.apply(two).await.unwrap();
    drop(edge);

    let taken = std::net::TcpListener::bind(listen).unwrap();
    let _edge = ChildEdge::start(folder.path()).await;
    assert_eq!(Client::connect(other).await.get("/").await.text(), "one", "the other route is served");
    drop(taken);
    eventually("the port is had again", || async { TcpStream::connect(listen).await.is_ok() }).await;
    assert_eq!(Client::connect(listen).await.get("/").await.text(), "one");
}

#[tokio::test]
async fn routes_come_and_go_without_the_others_noticing() {
    let mut world = World::start().await;
    let upstream = Upstream::named("one").await;
    let pools = [("1.0.0", FULL_WEIGHT, &[upstream.address][..])];
    world.route(&pools).await;
    let mut kept = Client::connect(world.listen).await;
    let other = free_address();
    let mut both = world.table(0, &pools);
    let mut second = both.routes[0].clone();
    (second.name, second.listen) = ("test/other".to_owned(), other);
    both.routes.push(second);
    world.client.apply(both).await.unwrap();
    let mut leaving = Client::connect(other).await;
    assert_eq!(leaving.get("/").await.text(), "one");

    world.route(&pools).await;
    eventually("its listener is closed", || async { TcpStream::connect(other).await.is_err() }).await;
    assert_eq!(kept.get("/").await.text(), "one");
    let rebound = std::net::TcpListener::bind(other);
    assert!(rebound.is_ok(), "the port is free again: {rebound:?}");
}

#[tokio::test]
async fn an_old_version_drains_to_nothing_in_flight() {
    let mut world = World::start().await;
    let gate = Arc::new(Semaphore::new(0));
    let (old, new) = (gated(&gate).await, Upstream::named("new").await);
    world.route(&[("2.0.0", 0, &[new.address]), ("1.0.0", FULL_WEIGHT, &[old.address])]).await;
    let listen = world.listen;
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..10 {
        waiting.spawn(async move { Client::connect(listen).await.get("/").await.text().to_owned() });
    }
    eventually("all are in flight", || async { world.version("1.0.0").await.in_flight == 10 }).await;
    world.route(&[("2.0.0", FULL_WEIGHT, &[new.address]), ("1.0.0", 0, &[])]).await;
    assert_eq!(Client::connect(listen).await.get("/").await.text(), "new");
    assert_eq!(world.version("1.0.0").await.in_flight, 10, "they are left alone");
    gate.add_permits(10);
    assert_eq!(waiting.join_all().await, vec!["gated"; 10]);
    assert_eq!(world.version("1.0.0").await.in_flight, 0);
    assert_eq!(world.version("1.0.0").await.requests, 10);
}

#[tokio::test]
async fn a_thousand_connections_are_kept_alive() {
    let mut world = World::start().await;
    let upstream = Upstream::named("one").await;
    world.route(&[("1.0.0", FULL_WEIGHT, &[upstream.address])]).await;
    let mut clients = Vec::new();
    for _ in 0..1_000 {
        clients.push(Client::connect(world.listen).await);
    }
    for _ in 0..2 {
        for client in &mut clients {
            assert_eq!(client.get("/").await.status(), 200);
        }
    }
    assert_eq!(world.version("1.0.0").await.requests, 2_000);
    assert!(upstream.connections() < 10, "one after the other needs few connections behind the edge");
    world.stop().await.unwrap();
}
