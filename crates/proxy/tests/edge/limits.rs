//! What a route allows: sizes, numbers and times.

use std::time::Duration;

use http::Response;
use http_body_util::Full;
use pilotage_proxy::{FULL_WEIGHT, Route};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::client::{Client, raw};
use crate::upstream::{Upstream, read_head, say_and_close};
use crate::world::{PATIENCE, ROUTE, World, eventually};

async fn world_with(upstream: &Upstream, change: impl FnOnce(&mut Route)) -> World {
    let mut world = World::start().await;
    world.route_with(&[("1.0.0", FULL_WEIGHT, &[upstream.address])], change).await;
    world
}

/// A service that answers when it is told to.
async fn gated() -> (Upstream, watch::Sender<bool>) {
    let (open, gate) = watch::channel(false);
    let upstream = Upstream::answering(move |_| {
        let mut gate = gate.clone();
        async move {
            let _ = gate.wait_for(|open| *open).await;
            Response::new(Full::from("ok"))
        }
    })
    .await;
    (upstream, open)
}

async fn refused(world: &World) -> u64 {
    world.client.stats().await.unwrap().routes[ROUTE].refused
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let upstream = Upstream::echo().await;
    let world = world_with(&upstream, |route| route.limits.max_body_bytes = Some(10)).await;
    let mut client = Client::connect(world.listen).await;
    assert_eq!(client.post("/", "ten bytes.").await.status(), 200);
    assert_eq!(client.post("/", "eleven bytes").await.status(), 413);
    assert_eq!((upstream.requests(), refused(&world).await), (1, 1), "nobody is bothered with it");

    // One that does not say how long it is.
    let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let answer = raw(world.listen, format!("{head}6\r\nabcdef\r\n6\r\nghijkl\r\n0\r\n\r\n").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert_eq!(answer.matches("HTTP/1.1").count(), 1);
    eventually("nothing is in flight", || async { world.version("1.0.0").await.in_flight == 0 }).await;
    assert_eq!(world.version("1.0.0").await.broken, 0);
}

#[tokio::test]
async fn a_full_service_is_waited_for_in_a_queue_that_has_an_end() {
    let (upstream, open) = gated().await;
    let world = world_with(&upstream, |route| {
        route.limits.max_in_flight = Some(1);
        route.limits.queue = 1;
        route.limits.queue_ms = 60_000;
    })
    .await;
    let listen = world.listen;
    let waiting = || async { world.client.stats().await.unwrap().routes[ROUTE].waiting };
    let first = tokio::spawn(async move { Client::connect(listen).await.get("/").await.status() });
    eventually("one is at work", || async { upstream.requests() == 1 }).await;
    let second = tokio::spawn(async move { Client::connect(listen).await.get("/").await.status() });
    eventually("one waits", || async { waiting().await == 1 }).await;
    let third = Client::connect(listen).await.get("/").await;
    assert_eq!((third.status(), third.header("retry-after")), (503, Some("1")));
    assert_eq!((upstream.requests(), refused(&world).await), (1, 1));
    open.send(true).unwrap();
    assert_eq!((first.await.unwrap(), second.await.unwrap()), (200, 200));
    assert_eq!(waiting().await, 0);
}

#[tokio::test]
async fn nobody_waits_in_the_queue_for_longer_than_the_route_says() {
    let (upstream, open) = gated().await;
    let world = world_with(&upstream, |route| {
        route.limits.max_in_flight = Some(1);
        route.limits.queue_ms = 50;
    })
    .await;
    let listen = world.listen;
    let first = tokio::spawn(async move { Client::connect(listen).await.get("/").await.status() });
    eventually("one is at work", || async { upstream.requests() == 1 }).await;
    assert_eq!(Client::connect(listen).await.get("/").await.status(), 503);
    // One that does not wait for it leaves no trace.
    let mut gone = TcpStream::connect(listen).await.unwrap();
    gone.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    drop(gone);
    open.send(true).unwrap();
    assert_eq!(first.await.unwrap(), 200);
    assert_eq!(Client::connect(listen).await.get("/").await.status(), 200);
}

#[tokio::test]
async fn the_whole_of_a_request_has_a_limit() {
    let (upstream, _shut) = gated().await;
    let world = world_with(&upstream, |route| route.timeouts.total_ms = Some(100)).await;
    assert_eq!(Client::connect(world.listen).await.get("/").await.status(), 504);
    assert_eq!(world.version("1.0.0").await.broken, 1);

    // A client that sends a little now and then does not get round it.
    let mut slow = TcpStream::connect(world.listen).await.unwrap();
    slow.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n").await.unwrap();
    let (mut read, mut write) = slow.split();
    let dripping = async {
        while write.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        std::future::pending().await
    };
    let mut answer = Vec::new();
    let reading = tokio::time::timeout(PATIENCE, read.read_to_end(&mut answer));
    tokio::select! {
        () = dripping => {}
        ended = reading => { let _ = ended.unwrap(); }
    }
    assert!(answer.starts_with(b"HTTP/1.1 408 "), "{}", answer.escape_ascii());
    assert_eq!(world.version("1.0.0").await.broken, 1, "it was the client that was slow");
}

#[tokio::test]
async fn an_answer_that_stops_half_way_is_cut() {
    let upstream = Upstream::conversing(|mut stream| async move {
        read_head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf").await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    for change in [(|route| route.timeouts.idle_ms = 100) as fn(&mut Route), |route| {
        route.timeouts.total_ms = Some(100)
    }] {
        let world = world_with(&upstream, change).await;
        assert!(Client::connect(world.listen).await.try_get("/").await.is_err());
        assert_eq!(world.version("1.0.0").await.broken, 1);
    }
}

#[tokio::test]
async fn an_answer_that_never_ends_is_cut_however_fast_it_comes() {
    let upstream = Upstream::conversing(|mut stream| async move {
        read_head(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        let piece = vec![b'x'; 256 * 1024];
        while stream.write_all(&piece).await.is_ok() {}
    })
    .await;
    let world = world_with(&upstream, |route| route.timeouts.total_ms = Some(200)).await;
    let mut stream = TcpStream::connect(world.listen).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut sink = tokio::io::sink();
    let reading = tokio::io::copy(&mut stream, &mut sink);
    let _ = tokio::time::timeout(PATIENCE, reading).await.expect("the edge passes it on for ever");
}

#[tokio::test]
async fn an_instance_is_not_blamed_for_a_client_that_does_not_read() {
    let upstream = Upstream::answering(|_| async { Response::new(Full::from(vec![7; 64_000_000])) }).await;
    let world = world_with(&upstream, |route| {
        route.timeouts.idle_ms = 100;
        route.ejection.consecutive_failures = 1;
    })
    .await;
    let mut lazy = TcpStream::connect(world.listen).await.unwrap();
    lazy.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    eventually("it was answered", || async { world.version("1.0.0").await.requests == 1 }).await;
    eventually("it was given up", || async { world.version("1.0.0").await.in_flight == 0 }).await;
    let stats = world.version("1.0.0").await;
    assert_eq!((stats.errors, stats.broken, stats.ejections), (0, 0, 0));
}

#[tokio::test]
async fn without_a_budget_nothing_is_sent_again() {
    let upstream = Upstream::conversing(|stream| say_and_close(stream, b"")).await;
    let world = world_with(&upstream, |route| {
        route.retries.budget_percent = 0;
        route.retries.budget_floor = 0;
        route.ejection.consecutive_failures = 0;
    })
    .await;
    for requests in 1..=5 {
        assert_eq!(Client::connect(world.listen).await.get("/").await.status(), 502);
        assert_eq!(upstream.connections(), requests);
    }
    assert_eq!(world.version("1.0.0").await.retries, 0);
}

#[tokio::test]
async fn an_instance_that_fails_is_left_out_but_never_all_of_them() {
    let failing = || {
        Upstream::answering(|_| async {
            Response::builder().status(503).body(Full::from("overloaded")).unwrap()
        })
    };
    let (bad, worse, good) = (failing().await, failing().await, Upstream::named("good").await);
    let strict = |route: &mut Route| {
        route.ejection.consecutive_failures = 3;
        route.ejection.pause_ms = 600_000;
        route.ejection.floor_percent = 50;
    };
    let mut world = World::start().await;
    world.route_with(&[("1.0.0", FULL_WEIGHT, &[bad.address, good.address])], strict).await;
    // One connection is one worker, which knows what it has seen.
    let mut client = Client::connect(world.listen).await;
    let mut failures = 0;
    for _ in 0..100 {
        failures += u64::from(client.get("/").await.status() == 503);
    }
    assert_eq!((failures, bad.requests()), (3, 3));
    assert_eq!(world.version("1.0.0").await.ejections, 1);

    world.route_with(&[("1.0.0", FULL_WEIGHT, &[bad.address, worse.address])], strict).await;
    let mut client = Client::connect(world.listen).await;
    for _ in 0..20 {
        assert_eq!(client.get("/").await.text(), "overloaded", "somebody must answer");
    }
    assert_eq!(world.unserved().await, 0);
}

#[tokio::test]
async fn time_in_the_queue_is_not_held_against_the_service() {
    let (upstream, open) = gated().await;
    let world = world_with(&upstream, |route| {
        route.limits.max_in_flight = Some(1);
        route.timeouts.first_byte_ms = 1_500;
    })
    .await;
    let listen = world.listen;
    let get = || tokio::spawn(async move { Client::connect(listen).await.get("/").await.status() });
    let first = get();
    eventually("one is at work", || async { upstream.requests() == 1 }).await;
    let second = get();
    // The first is given up; the second has waited as long as a service may think, and has its whole time before it.
    assert_eq!(first.await.unwrap(), 504);
    eventually("the second is at work", || async { upstream.requests() == 2 }).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    open.send(true).unwrap();
    assert_eq!(second.await.unwrap(), 200);
}
