//! The rules of HTTP/2 as they are seen through a whole edge, frame by frame.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use http::{HeaderMap, Request, Response};
use pilotage_proxy::{FULL_WEIGHT, Protocol};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::client::Client;
use crate::frames::{self, END_HEADERS, END_STREAM, Frames, frame};
use crate::http2::{connect, exchange, get, http2_service};
use crate::upstream::Upstream;
use crate::world::{World, eventually};

const ENHANCE_YOUR_CALM: [u8; 4] = 11u32.to_be_bytes();

async fn world_of(upstream: &Upstream, protocol: Protocol) -> World {
    let mut world = World::start().await;
    let pools: &[(_, _, &[_])] = &[("1.0.0", FULL_WEIGHT, &[upstream.address])];
    world.route_with(pools, |route| route.pools[0].protocol = protocol).await;
    world
}

#[tokio::test]
async fn whoever_makes_the_edge_reset_its_streams_is_stopped() {
    let upstream = Upstream::named("one").await;
    let world = world_of(&upstream, Protocol::Http1).await;
    let widen = |stream: u32, by: u32| frame(8, 0, stream, &by.to_be_bytes());
    let provocations: [&dyn Fn(u32) -> Vec<u8>; 3] =
        [&|stream| widen(stream, 0), &|stream| widen(stream, (1 << 31) - 1), &|stream| {
            frame(frames::DATA, 0, stream, b"late")
        }];
    for provoke in provocations {
        let mut attacker = Frames::connect(world.listen).await;
        let flood = (0..2_000u32).map(|number| 2 * number + 1);
        let flood = flood.flat_map(|stream| [frames::get(stream, "/", &[]), provoke(stream)].concat());
        attacker.send(&flood.collect::<Vec<u8>>()).await;
        let goaway = attacker.until(frames::GOAWAY).await.expect("the client is told why");
        assert_eq!(goaway.payload[4..8], ENHANCE_YOUR_CALM);
    }
    assert_eq!(Client::connect(world.listen).await.get("/").await.text(), "one");
    eventually("nothing is in flight", || async { world.version("1.0.0").await.in_flight == 0 }).await;
}

#[tokio::test]
async fn a_client_is_told_why_its_connection_ends_although_it_sends_on() {
    let upstream = Upstream::named("one").await;
    let world = world_of(&upstream, Protocol::Http1).await;
    for _ in 0..10 {
        let mut client = Frames::connect(world.listen).await;
        client.send(&frame(frames::PING, 0, 1, &[0; 8])).await;
        for _ in 0..20 {
            client.send(&frame(frames::PING, 0, 0, &[0; 8]).repeat(1_000)).await;
        }
        let goaway = client.until(frames::GOAWAY).await.expect("the client is told why");
        assert_eq!(goaway.payload[4..8], 1u32.to_be_bytes());
    }
}

#[tokio::test]
async fn a_client_that_waits_is_told_to_send_its_body() {
    let upstream = Upstream::echo().await;
    let world = world_of(&upstream, Protocol::Http1).await;
    let mut client = Frames::connect(world.listen).await;
    let head = frames::fields(&[
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", "shop.example"),
        (":path", "/"),
        ("content-length", "5"),
        ("expect", "100-continue"),
    ]);
    client.send(&frame(frames::HEADERS, END_HEADERS, 1, &head)).await;
    let told = client.until(frames::HEADERS).await.unwrap();
    assert!(told.payload.ends_with(b"100"), "{told:?}");
    client.send(&frame(frames::DATA, END_STREAM, 1, b"hello")).await;
    client.until(frames::HEADERS).await.unwrap();
    let body = client.until(frames::DATA).await.unwrap();
    assert!(body.payload.ends_with(b"hello"));
}

/// Reads what a client says first; says what is said first.
async fn begin(mut stream: TcpStream) -> Frames {
    let mut preface = [0; 24];
    stream.read_exact(&mut preface).await.unwrap();
    let mut frames = Frames { stream };
    frames.send(&frame(frames::SETTINGS, 0, 0, &[])).await;
    frames
}

#[tokio::test]
async fn a_request_that_an_instance_leaves_out_as_it_goes_is_sent_again() {
    for used_before in [true, false] {
        let first = if used_before { 3 } else { 1 };
        let connections = Arc::new(AtomicU32::new(0));
        let upstream = Upstream::conversing(move |stream| {
            let is_first = connections.fetch_add(1, Ordering::Relaxed) == 0;
            async move {
                let mut instance = begin(stream).await;
                let answer = |stream| frame(frames::HEADERS, END_STREAM | END_HEADERS, stream, b"\x89");
                while let Some(request) = instance.until(frames::HEADERS).await {
                    match request.stream {
                        // Both are under way when it says that it has begun with one of them.
                        stream if is_first && stream == first => {}
                        stream if is_first && stream == first + 2 => {
                            let last = [first.to_be_bytes(), [0; 4]].concat();
                            instance.send(&frame(frames::GOAWAY, 0, 0, &last)).await;
                            instance.send(&answer(first)).await;
                        }
                        other => instance.send(&answer(other)).await,
                    }
                }
            }
        })
        .await;
        let world = world_of(&upstream, Protocol::Http2).await;
        let sender = connect(world.listen).await;
        if used_before {
            exchange(&sender, get("/"), "", None).await.unwrap();
        }
        let (first, second) =
            tokio::join!(exchange(&sender, get("/1"), "", None), exchange(&sender, get("/2"), "", None));
        assert_eq!((first.unwrap().0.status.as_u16(), second.unwrap().0.status.as_u16()), (204, 204));
        assert_eq!((upstream.connections(), world.version("1.0.0").await.broken), (2, 0));
    }
}

#[tokio::test]
async fn trailers_pass_after_a_body_whose_length_was_said() {
    let upstream = http2_service(|_: Request<_>, mut respond: h2::server::SendResponse<_>| async move {
        let response = Response::builder().header("content-length", "5").body(()).unwrap();
        let mut stream = respond.send_response(response, false).unwrap();
        stream.send_data(bytes::Bytes::from_static(b"hello"), false).unwrap();
        let trailers = HeaderMap::from_iter([("x-sum".parse().unwrap(), "7".parse().unwrap())]);
        stream.send_trailers(trailers).unwrap();
    })
    .await;
    let world = world_of(&upstream, Protocol::Http2).await;
    let sender = connect(world.listen).await;
    let (_, body, trailers) = exchange(&sender, get("/"), "", None).await.unwrap();
    assert_eq!(
        (&body[..], trailers.get("x-sum").map(|sum| sum.as_bytes())),
        (&b"hello"[..], Some(&b"7"[..]))
    );
}

#[tokio::test]
async fn whoever_takes_nothing_of_an_answer_does_not_keep_others_on_the_connection_from_theirs() {
    let upstream =
        http2_service(|request: Request<_>, mut respond: h2::server::SendResponse<_>| async move {
            let length = if request.uri().path() == "/large" { 3_000_000 } else { 5 };
            let mut stream = respond.send_response(Response::new(()), false).unwrap();
            stream.send_data(bytes::Bytes::from(vec![7; length]), true).unwrap();
            // The stream is held until it has ended.
            let _ = std::future::poll_fn(|cx| stream.poll_reset(cx)).await;
        })
        .await;
    let world = world_of(&upstream, Protocol::Http2).await;
    let stream = TcpStream::connect(world.listen).await.unwrap();
    let client =
        h2::client::Builder::new().initial_window_size(1_000).handshake::<_, bytes::Bytes>(stream).await;
    let (mut sender, connection) = client.unwrap();
    tokio::spawn(connection);
    let mut untaken = Vec::new();
    for _ in 0..20 {
        sender = sender.ready().await.unwrap();
        let (response, _) = sender.send_request(get("/large"), true).unwrap();
        untaken.push(response.await.unwrap());
    }
    for _ in 0..20 {
        assert_eq!(exchange(&sender, get("/small"), "", None).await.unwrap().1.len(), 5);
    }
    assert_eq!(upstream.connections(), 1);
}
