//! Clients of HTTP/2 that break its rules, or keep them and ask for nothing but work.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use http::Response;
use http_body_util::Full;
use pilotage_proxy::FULL_WEIGHT;
use tokio::io::AsyncWriteExt;

use crate::client::Client;
use crate::frames::{self, CONTINUATION, END_HEADERS, END_STREAM, Frames, frame};
use crate::upstream::Upstream;
use crate::world::{World, eventually};

async fn world_with(upstream: &Upstream) -> World {
    let mut world = World::start().await;
    world.route(&[("1.0.0", FULL_WEIGHT, &[upstream.address])]).await;
    world
}

/// Others are served, and nothing of the attack is left.
async fn is_well(world: &World) {
    assert_eq!(Client::connect(world.listen).await.get("/").await.text(), "one");
    eventually("nothing is in flight", || async { world.version("1.0.0").await.in_flight == 0 }).await;
    let stats = world.version("1.0.0").await;
    assert_eq!((stats.errors, stats.broken), (0, 0));
}

#[tokio::test]
async fn streams_that_are_opened_and_reset_at_once_end_the_connection() {
    let upstream = Upstream::named("one").await;
    let world = world_with(&upstream).await;
    let mut attacker = Frames::connect(world.listen).await;
    let mut flood = Vec::new();
    for number in 0..2_000u32 {
        let stream = 2 * number + 1;
        flood.extend(frames::get(stream, "/", &[]));
        flood.extend(frame(frames::RST_STREAM, 0, stream, &8u32.to_be_bytes()));
    }
    attacker.send(&flood).await;
    let goaway = attacker.until(frames::GOAWAY).await;
    // ENHANCE_YOUR_CALM, unless the connection was reset before it could be read.
    assert!(goaway.is_none_or(|goaway| goaway.payload[4..8] == 11u32.to_be_bytes()));
    assert!(upstream.requests() < 500, "{} requests got through", upstream.requests());
    is_well(&world).await;
}

#[tokio::test]
async fn a_head_that_is_continued_for_ever_ends_the_connection() {
    let upstream = Upstream::named("one").await;
    let world = world_with(&upstream).await;
    for piece in [&b""[..], &frames::fields(&[("x-long", &"y".repeat(100))])] {
        let mut attacker = Frames::connect(world.listen).await;
        let head = frames::fields(&[(":method", "GET"), (":scheme", "http"), (":path", "/")]);
        attacker.send(&frame(frames::HEADERS, END_STREAM, 1, &head)).await;
        attacker.send(&frame(CONTINUATION, 0, 1, piece).repeat(10_000)).await;
        // Where the rest of the flood has reset the connection, nothing can be read any more.
        let goaway = attacker.until(frames::GOAWAY).await;
        assert!(goaway.is_none_or(|goaway| goaway.payload[4..8] != 0u32.to_be_bytes()));
    }
    assert_eq!(upstream.requests(), 0);
    is_well(&world).await;
}

#[tokio::test]
async fn heads_that_are_too_large_are_refused() {
    let upstream = Upstream::named("one").await;
    let world = world_with(&upstream).await;
    let mut attacker = Frames::connect(world.listen).await;
    let value = "y".repeat(100);
    let many: Vec<(&str, &str)> = (0..1_000).map(|_| ("x-long", &value[..])).collect();
    let pseudo = [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/")];
    let head = frames::fields(&[&pseudo[..], &many].concat());
    let mut pieces = head.chunks(16_000).peekable();
    attacker.send(&frame(frames::HEADERS, END_STREAM, 1, pieces.next().unwrap())).await;
    while let Some(piece) = pieces.next() {
        let flags = if pieces.peek().is_none() { END_HEADERS } else { 0 };
        attacker.send(&frame(CONTINUATION, flags, 1, piece)).await;
    }
    // An answer with status 431 (as HPACK's static table cannot say it), or the end of stream or connection.
    let refused = [frames::HEADERS, frames::RST_STREAM, frames::GOAWAY];
    while attacker.next().await.is_some_and(|frame| !refused.contains(&frame.kind)) {}
    assert_eq!(upstream.requests(), 0);
    is_well(&world).await;
}

#[tokio::test]
async fn settings_and_pings_without_end_take_nothing_from_others() {
    let upstream = Upstream::named("one").await;
    let world = world_with(&upstream).await;
    for piece in [frame(frames::SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 9]), frame(frames::PING, 0, 0, &[7; 8])] {
        let mut attacker = Frames::connect(world.listen).await;
        let flood = piece.repeat(10_000);
        // Nothing is read, so that the answers pile up until the edge does not read on.
        for _ in 0..50 {
            let sent = attacker.stream.write_all(&flood);
            if !matches!(tokio::time::timeout(Duration::from_millis(200), sent).await, Ok(Ok(()))) {
                break;
            }
        }
        is_well(&world).await;
    }
}

#[tokio::test]
async fn requests_that_http1_would_read_otherwise_are_refused() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let seeing = Arc::clone(&seen);
    let upstream = Upstream::answering(move |request| {
        let line = format!("{} {:?}", request.uri(), request.headers().get_all("content-length"));
        seeing.lock().unwrap().push(line);
        async { Response::new(Full::from("one")) }
    })
    .await;
    let world = world_with(&upstream).await;
    for (path, fields) in [
        ("/", &[("content-length", "5")][..]),
        ("/", &[("content-length", "0"), ("content-length", "5")]),
        ("/", &[("content-length", "0"), ("content-length", "0")]),
        ("/", &[("content-length", "+0")]),
        ("/", &[("transfer-encoding", "chunked")]),
        ("/", &[("connection", "x")]),
        ("/", &[("x", "a\r\nb: c")]),
        ("/", &[("x\r\nb", "c")]),
        ("/", &[("host", "other.example")]),
        ("/", &[("X-Capital", "a")]),
        ("http://other.example/admin", &[]),
        ("admin", &[]),
        ("/ HTTP/1.1\r\nx: y", &[]),
        ("/a b", &[]),
        ("*", &[]),
        ("", &[]),
    ] {
        let mut client = Frames::connect(world.listen).await;
        client.send(&frames::get(1, path, fields)).await;
        let refused = [frames::HEADERS, frames::RST_STREAM, frames::GOAWAY];
        while client.next().await.is_some_and(|frame| !refused.contains(&frame.kind)) {}
        assert_eq!(*seen.lock().unwrap(), [] as [String; 0], "{path:?} with {fields:?}");
    }
    is_well(&world).await;
}

#[tokio::test]
async fn a_body_that_is_not_as_long_as_it_says_is_not_passed_off_as_whole() {
    let upstream = Upstream::echo().await;
    let world = world_with(&upstream).await;
    for body in [&b"abc"[..], b"abcdefgh"] {
        let mut client = Frames::connect(world.listen).await;
        let head = frames::fields(&[
            (":method", "POST"),
            (":scheme", "http"),
            (":authority", "a"),
            (":path", "/"),
            ("content-length", "5"),
        ]);
        client.send(&frame(frames::HEADERS, END_HEADERS, 1, &head)).await;
        client.send(&frame(frames::DATA, END_STREAM, 1, body)).await;
        let ended = loop {
            match client.next().await {
                Some(frame) if frame.kind == frames::DATA => panic!("it was answered"),
                Some(frame) if [frames::RST_STREAM, frames::GOAWAY].contains(&frame.kind) => break true,
                Some(_) => {}
                None => break true,
            }
        };
        assert!(ended);
    }
    eventually("nothing is in flight", || async { world.version("1.0.0").await.in_flight == 0 }).await;
    assert_eq!(world.version("1.0.0").await.requests, 0);
}
