//! Endpoints that die, refuse, talk nonsense or say nothing; clients that go away.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use pilotage_proxy::{FULL_WEIGHT, split_point};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use crate::client::{Client, Load, raw};
use crate::upstream::{Upstream, read_head, say_and_close};
use crate::world::{PATIENCE, ROUTE, World, eventually, free_address};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[tokio::test]
async fn an_endpoint_killed_under_load_costs_no_request() {
    let mut world = World::start().await;
    let (first, second) = (Upstream::named("first").await, Upstream::named("second").await);
    world.route(&[("1.0.0", FULL_WEIGHT, &[first.address, second.address])]).await;
    let load = Load::getting(world.listen, 8);
    eventually("both endpoints are busy", || async { first.requests() > 50 && second.requests() > 50 }).await;
    drop(first);
    let before = second.requests();
    eventually("the other took over", || async { second.requests() > before + 100 }).await;
    let sent = load.finish().await;
    let stats = world.version("1.0.0").await;
    assert_eq!((stats.requests, stats.errors, stats.broken, world.unserved().await), (sent, 0, 0, 0));
}

#[tokio::test]
async fn a_post_is_not_lost_on_a_connection_that_died_while_idle() {
    let mut world = World::start().await;
    let (closed, mut is_closed) = mpsc::unbounded_channel();
    let upstream = Upstream::conversing(move |mut stream| {
        let closed = closed.clone();
        async move {
            if read_head(&mut stream).await {
                stream.read_exact(&mut [0; 2]).await.unwrap();
                stream.write_all(OK).await.unwrap();
                drop(stream);
                closed.send(()).unwrap();
            }
        }
    })
    .await;
    world.route(&[("1.0.0", FULL_WEIGHT, &[upstream.address])]).await;
    let mut client = Client::connect(world.listen).await;
    for _ in 0..50 {
        assert_eq!(client.post("/", "hi").await.status(), 200);
        is_closed.recv().await.unwrap();
    }
    assert_eq!(world.version("1.0.0").await.requests, 50);
    assert_eq!(upstream.connections(), 50);
}

#[tokio::test]
async fn what_may_have_been_done_is_not_done_twice() {
    let mut world = World::start().await;
    let seen = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&seen);
    let upstream = Upstream::conversing(move |mut stream| {
        let counted = Arc::clone(&counted);
        async move {
            if read_head(&mut stream).await {
                counted.fetch_add(1, Ordering::Relaxed);
            }
        }
    })
    .await;
    let other = Upstream::conversing(|stream| say_and_close(stream, b"")).await;
    world.route(&[("1.0.0", FULL_WEIGHT, &[upstream.address])]).await;
    let mut client = Client::connect(world.listen).await;
    assert_eq!(client.post("/", "pay").await.status(), 502);
    assert_eq!(seen.load(Ordering::Relaxed), 1);
    let stats = world.version("1.0.0").await;
    assert_eq!((stats.requests, stats.broken, stats.retries), (0, 1, 0));
    assert_eq!(world.unserved().await, 0, "it was sent, so it is not ours");

    world.route(&[("1.0.0", FULL_WEIGHT, &[upstream.address, other.address, free_address()])]).await;
    assert_eq!(
        client.get("/").await.status(),
        502,
        "a request that kills its server must not try them all for ever"
    );
    let stats = world.version("1.0.0").await;
    assert_eq!((stats.requests, stats.broken, world.unserved().await), (0, 2, 0));
}

#[tokio::test]
async fn a_connection_that_is_refused_is_no_reason_to_fail() {
    let mut world = World::start().await;
    let upstream = Upstream::named("alive").await;
    world.route(&[("1.0.0", FULL_WEIGHT, &[free_address(), upstream.address, free_address()])]).await;
    let mut client = Client::connect(world.listen).await;
    for _ in 0..20 {
        assert_eq!(client.post("/", "body").await.status(), 200);
    }
    let stats = world.version("1.0.0").await;
    assert_eq!((stats.requests, stats.broken, world.unserved().await), (20, 0, 0));
    assert!(stats.retries <= 8, "endpoints that refuse are left out for a while: {}", stats.retries);
}

#[tokio::test]
async fn requests_wait_for_an_endpoint_for_as_long_as_the_route_says() {
    let mut world = World::start().await;
    let upstream = Upstream::named("late").await;
    world.route_holding(30_000, &[("1.0.0", FULL_WEIGHT, &[])]).await;
    let listen = world.listen;
    let waiting = tokio::spawn(async move { Client::connect(listen).await.post("/", "held").await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!waiting.is_finished());
    world.route_holding(30_000, &[("1.0.0", FULL_WEIGHT, &[upstream.address])]).await;
    assert_eq!(waiting.await.unwrap().text(), "late");

    let address = upstream.address;
    drop(upstream);
    eventually("the endpoint is gone", || async { TcpStream::connect(address).await.is_err() }).await;
    let waiting = tokio::spawn(async move { Client::connect(listen).await.get("/").await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!waiting.is_finished());
    let answer = |_| async { Response::new(Full::from("back")) };
    let _back = Upstream::answering_at(address, answer).await;
    assert_eq!(waiting.await.unwrap().text(), "back");

    world.route_holding(50, &[("1.0.0", FULL_WEIGHT, &[])]).await;
    let answer = Client::connect(listen).await.get("/").await;
    assert_eq!((answer.status(), answer.header("retry-after")), (503, Some("1")));
    assert_eq!(world.unserved().await, 1);
}

#[tokio::test]
async fn a_version_without_endpoints_is_stood_in_for_only_by_one_with_a_share() {
    let mut world = World::start().await;
    let old = Upstream::named("old").await;
    let new_client =
        (0..).map(|n| format!("c{n}")).find(|id| split_point(ROUTE, id.as_bytes()) < 100).unwrap();
    world.route(&[("2.0.0", 100, &[]), ("1.0.0", FULL_WEIGHT - 100, &[old.address])]).await;
    let mut client = Client::named(world.listen, new_client).await;
    assert_eq!(client.get("/").await.version(), "1.0.0");
    assert_eq!(world.version("2.0.0").await.retries, 1);

    world.route(&[("2.0.0", FULL_WEIGHT, &[free_address()]), ("1.0.0", 0, &[old.address])]).await;
    assert_eq!(client.get("/").await.status(), 503);
    assert_eq!((old.requests(), world.unserved().await), (1, 1));
}

#[tokio::test]
async fn nonsense_and_broken_answers_are_not_passed_off_as_answers() {
    let mut world = World::start().await;
    for nonsense in [
        &b"\x00\x01\x02 nothing of the kind\r\n\r\n"[..],
        b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nbroken header\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-",
        b"",
    ] {
        let upstream = Upstream::conversing(move |stream| say_and_close(stream, nonsense)).await;
        world.route(&[("1.0.0", FULL_WEIGHT, &[upstream.address])]).await;
        let broken = world.version("1.0.0").await.broken;
        let answer = Client::connect(world.listen).await.post("/", "x").await;
        assert_eq!(answer.status(), 502, "{}", String::from_utf8_lossy(nonsense));
        assert_eq!(world.version("1.0.0").await.broken, broken + 1);
    }
    for cut in [
        &b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"[..],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ] {
        let upstream = Upstream::conversing(move |stream| say_and_close(stream, cut)).await;
        world.route(&[("1.0.0", FULL_WEIGHT, &[upstream.address])]).await;
        let broken = world.version("1.0.0").await.broken;
        assert!(Client::connect(world.listen).await.try_get("/").await.is_err(), "the client must notice");
        assert_eq!(world.version("1.0.0").await.broken, broken + 1);
    }
    assert_eq!(world.version("1.0.0").await.in_flight, 0);
}

#[tokio::test]
async fn a_client_that_goes_away_is_not_an_error_of_the_version() {
    let mut world = World::start().await;
    let (gone, mut is_gone) = mpsc::unbounded_channel();
    let upstream = Upstream::conversing(move |mut stream| {
        let gone = gone.clone();
        async move {
            read_head(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf").await.unwrap();
            let _ = stream.read(&mut [0; 1]).await;
            gone.send(()).unwrap();
        }
    })
    .await;
    world.route(&[("1.0.0", FULL_WEIGHT, &[upstream.address])]).await;
    let mut stream = TcpStream::connect(world.listen).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut seen = Vec::new();
    while !seen.ends_with(b"half") {
        assert_ne!(stream.read_buf(&mut seen).await.unwrap(), 0);
    }
    assert_eq!(world.version("1.0.0").await.in_flight, 1);
    drop(stream);
    tokio::time::timeout(PATIENCE, is_gone.recv()).await.unwrap().unwrap();
    eventually("nothing is in flight", || async { world.version("1.0.0").await.in_flight == 0 }).await;
    let stats = world.version("1.0.0").await;
    assert_eq!((stats.requests, stats.errors, stats.broken), (1, 0, 0));
}

#[tokio::test]
async fn a_client_that_does_not_wait_for_the_answer_frees_the_endpoint() {
    let mut world = World::start().await;
    let (gone, mut is_gone) = mpsc::unbounded_channel();
    let upstream = Upstream::conversing(move |mut stream| {
        let gone = gone.clone();
        async move {
            let _ = stream.read_to_end(&mut Vec::new()).await;
            gone.send(()).unwrap();
        }
    })
    .await;
    world.route(&[("1.0.0", FULL_WEIGHT, &[upstream.address])]).await;
    for head in [
        &b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..],
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf",
    ] {
        let mut stream = TcpStream::connect(world.listen).await.unwrap();
        stream.write_all(head).await.unwrap();
        eventually("it is in flight", || async { world.version("1.0.0").await.in_flight == 1 }).await;
        drop(stream);
        tokio::time::timeout(PATIENCE, is_gone.recv()).await.unwrap().unwrap();
        eventually("nothing is in flight", || async { world.version("1.0.0").await.in_flight == 0 }).await;
    }
    let stats = world.version("1.0.0").await;
    assert_eq!((stats.requests, stats.broken, world.unserved().await), (0, 0, 0));
}

#[tokio::test]
async fn silence_ends_with_504_or_408() {
    let mut world = World::start().await;
    let silent = Upstream::conversing(|mut stream| async move {
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let pools: &[(_, _, &[_])] = &[("1.0.0", FULL_WEIGHT, &[silent.address])];
    let impatient = |route: &mut pilotage_proxy::Route| {
        (route.timeouts.first_byte_ms, route.timeouts.idle_ms) = (100, 100);
    };
    world.route_with(pools, impatient).await;
    assert_eq!(Client::connect(world.listen).await.get("/").await.status(), 504);
    assert_eq!(world.version("1.0.0").await.broken, 1);

    let answer = raw(world.listen, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf").await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert_eq!(world.version("1.0.0").await.broken, 1, "it was the client that was slow");
}

#[tokio::test]
async fn an_answer_before_the_end_of_the_request_reaches_the_client() {
    let mut world = World::start().await;
    let upstream = Upstream::conversing(|mut stream| async move {
        read_head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno").await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    world.route(&[("1.0.0", FULL_WEIGHT, &[upstream.address])]).await;
    for connections in 1..3 {
        let mut stream = TcpStream::connect(world.listen).await.unwrap();
        stream.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\npart").await.unwrap();
        let mut seen = Vec::new();
        while !seen.ends_with(b"no") {
            assert_ne!(stream.read_buf(&mut seen).await.unwrap(), 0);
        }
        assert!(seen.starts_with(b"HTTP/1.1 413 "));
        assert_eq!(upstream.connections(), connections, "a half-read request's connection is not used again");
    }
}

#[tokio::test]
async fn large_bodies_pass_both_ways() {
    let mut world = World::start().await;
    let upstream = Upstream::echo().await;
    world.route(&[("1.0.0", FULL_WEIGHT, &[upstream.address])]).await;
    let body: Bytes = (0..8_000_000u32).map(|n| (n / 251) as u8).collect();
    let mut client = Client::connect(world.listen).await;
    for _ in 0..2 {
        let answer = client.post("/", body.clone()).await;
        assert!(answer.body.ends_with(&body));
    }
    assert_eq!(upstream.connections(), 1);
}
