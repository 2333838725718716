//! Clients that take their time, many at once.

use std::time::Duration;

use pilotage_proxy::{FULL_WEIGHT, Limits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::client::Client;
use crate::upstream::Upstream;
use crate::world::{PATIENCE, World, eventually};

/// Sends a part again and again until the edge has had enough; returns what the edge said.
async fn drip(mut stream: TcpStream, part: &'static [u8]) -> Vec<u8> {
    let (mut read, mut write) = stream.split();
    let mut answer = Vec::new();
    let dripping = async {
        while write.write_all(part).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = dripping => {}
        ended = tokio::time::timeout(PATIENCE, read.read_to_end(&mut answer)) => {
            let _ = ended.expect("the edge waits for ever");
        }
    }
    answer
}

#[tokio::test]
async fn many_heads_that_come_byte_by_byte_are_cut_off_and_harm_nobody() {
    let limits = Limits { request_head: Duration::from_millis(300), ..Limits::default() };
    let mut world = World::start_with(limits).await;
    let upstream = Upstream::named("one").await;
    world.route(&[("1.0.0", FULL_WEIGHT, &[upstream.address])]).await;
    let mut slow = JoinSet::new();
    for number in 0..200 {
        let mut stream = TcpStream::connect(world.listen).await.unwrap();
        let begun = if number % 2 == 0 { &b"GET / HTTP/1.1\r\n"[..] } else { b"G" };
        stream.write_all(begun).await.unwrap();
        slow.spawn(drip(stream, if number % 2 == 0 { b"X: y\r\n" } else { b"E" }));
    }
    let mut client = Client::connect(world.listen).await;
    while let Some(answer) = slow.join_next().await {
        let answer = answer.unwrap();
        // A reset may overtake the answer, as the client goes on sending.
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 408 "), "{}", answer.escape_ascii());
        assert_eq!(client.get("/").await.text(), "one");
    }
    eventually("only one is connected", || async {
        world.client.stats().await.unwrap().connections.open == 1
    })
    .await;
}

#[tokio::test]
async fn a_body_that_stops_coming_frees_the_instance() {
    let mut world = World::start().await;
    let upstream = Upstream::echo().await;
    let pools: &[(_, _, &[_])] = &[("1.0.0", FULL_WEIGHT, &[upstream.address])];
    world.route_with(pools, |route| route.timeouts.idle_ms = 200).await;
    let mut silent = JoinSet::new();
    for begun in [
        &b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n"[..],
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n",
    ]
    .repeat(10)
    {
        let listen = world.listen;
        silent.spawn(async move { crate::client::raw(listen, begun).await });
    }
    while let Some(answer) = silent.join_next().await {
        let answer = answer.unwrap();
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    }
    assert_eq!(Client::connect(world.listen).await.post("/", "body").await.status(), 200);
    eventually("nothing is in flight", || async { world.version("1.0.0").await.in_flight == 0 }).await;
    let stats = world.version("1.0.0").await;
    assert_eq!((stats.errors, stats.broken, stats.ejections), (0, 0, 0), "it was the clients");
}

#[tokio::test]
async fn an_upload_may_pause_for_longer_than_the_service_may_think() {
    let mut world = World::start().await;
    let upstream = Upstream::echo().await;
    let pools: &[(_, _, &[_])] = &[("1.0.0", FULL_WEIGHT, &[upstream.address])];
    world.route_with(pools, |route| route.timeouts.first_byte_ms = 500).await;
    let mut stream = TcpStream::connect(world.listen).await.unwrap();
    let head = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 4\r\n\r\n";
    stream.write_all(head).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1_000)).await;
    stream.write_all(b"body").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}
