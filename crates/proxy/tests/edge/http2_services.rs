//! Services that speak HTTP/2, behind clients that need not.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::{Method, Request, Response, StatusCode};
use pilotage_proxy::{FULL_WEIGHT, Protocol};

use crate::client::{Client, raw};
use crate::http2::http2_service;
use crate::upstream::Upstream;
use crate::world::{World, eventually};

async fn world_with(upstream: &Upstream) -> World {
    let mut world = World::start().await;
    let pools: &[(_, _, &[_])] = &[("1.0.0", FULL_WEIGHT, &[upstream.address])];
    world.route_with(pools, |route| route.pools[0].protocol = Protocol::Http2).await;
    world
}

/// Says that there is no body, or that it was asked for the head alone, and sends something all the same.
async fn bodies_where_none_may_be(request: Request<RecvStream>, mut respond: SendResponse<Bytes>) {
    let status = request.uri().path().trim_start_matches('/').parse::<u16>().unwrap();
    let head = Response::builder().status(StatusCode::from_u16(status).unwrap()).body(()).unwrap();
    let mut stream = respond.send_response(head, false).unwrap();
    // A reset by the edge may be faster.
    let _ = stream.send_data(Bytes::from_static(b"HTTP/1.1 200 OK\r\n\r\nevil"), true);
}

#[tokio::test]
async fn nothing_follows_an_answer_without_a_body() {
    let upstream = http2_service(bodies_where_none_may_be).await;
    let world = world_with(&upstream).await;
    for request in ["GET /204", "GET /304", "HEAD /200"] {
        let request = format!("{request} HTTP/1.1\r\nHost: a\r\n\r\n");
        let last = "HEAD /204 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        let answer = raw(world.listen, format!("{request}{request}{last}").as_bytes()).await;
        assert_eq!(answer.matches("HTTP/1.1").count(), 3, "{answer}");
        assert!(!answer.contains("evil") && !answer.contains("\r\n\r\n0\r\n"), "{answer}");
    }
}

#[tokio::test]
async fn after_goaway_requests_go_to_another_connection_and_share_it() {
    let upstream = Upstream::conversing(|stream| async move {
        let mut connection = h2::server::handshake(stream).await.unwrap();
        let mut streams = 0;
        while let Some(Ok((request, mut respond))) = connection.accept().await {
            if request.uri().path() == "/stays" {
                let mut stream = respond.send_response(Response::new(()), false).unwrap();
                stream.send_data(Bytes::from_static(b"begun"), false).unwrap();
                tokio::spawn(async move {
                    let _ = std::future::poll_fn(|cx| stream.poll_reset(cx)).await;
                });
                // What is open goes on, and nothing new is taken.
                connection.graceful_shutdown();
                continue;
            }
            streams += 1;
            let mut stream = respond.send_response(Response::new(()), false).unwrap();
            stream.send_data(Bytes::from(format!("{streams}")), true).unwrap();
        }
    })
    .await;
    let world = world_with(&upstream).await;
    let sender = crate::http2::connect(world.listen).await;
    let (stays, _) =
        sender.clone().ready().await.unwrap().send_request(crate::http2::get("/stays"), true).unwrap();
    let mut stays = stays.await.unwrap().into_body();
    assert_eq!(stays.data().await.unwrap().unwrap(), "begun");
    for _ in 0..20 {
        let (head, ..) = crate::http2::exchange(&sender, crate::http2::get("/"), "", None).await.unwrap();
        assert_eq!(head.status, 200);
    }
    assert_eq!(upstream.connections(), 2, "the second is shared");
    drop(stays);
    eventually("nothing is in flight", || async { world.version("1.0.0").await.in_flight == 0 }).await;
}

#[tokio::test]
async fn a_stream_that_is_refused_goes_out_again_whole() {
    let requests = Arc::new(AtomicU64::new(0));
    let upstream = http2_service(move |request: Request<RecvStream>, mut respond: SendResponse<Bytes>| {
        let is_second = requests.fetch_add(1, Ordering::Relaxed) == 1;
        async move {
            if is_second {
                return respond.send_reset(Reason::REFUSED_STREAM);
            }
            let (method, mut body) = (request.method().clone(), request.into_body());
            let mut length = 0;
            while let Some(piece) = body.data().await {
                length += piece.unwrap().len();
            }
            let mut stream = respond.send_response(Response::new(()), false).unwrap();
            stream.send_data(Bytes::from(format!("{method} {length}")), true).unwrap();
        }
    })
    .await;
    let world = world_with(&upstream).await;
    let mut client = Client::connect(world.listen).await;
    assert_eq!(client.get("/").await.status(), 200);
    let answer = client.send(client.request(Method::POST, "/", Bytes::new())).await.unwrap();
    assert_eq!((answer.status(), answer.text()), (200, "POST 0"));
}

#[tokio::test]
async fn requests_that_come_at_once_share_the_connection_that_is_being_opened() {
    let upstream = http2_service(|_, mut respond: SendResponse<Bytes>| async move {
        let mut stream = respond.send_response(Response::new(()), false).unwrap();
        stream.send_data(Bytes::from_static(b"one"), true).unwrap();
    })
    .await;
    let world = world_with(&upstream).await;
    let sender = crate::http2::connect(world.listen).await;
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let sender = sender.clone();
        requests
            .spawn(async move { crate::http2::exchange(&sender, crate::http2::get("/"), "", None).await });
    }
    while let Some(answered) = requests.join_next().await {
        assert_eq!(answered.unwrap().unwrap().0.status, 200);
    }
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn requests_that_wait_for_a_connection_that_cannot_be_opened_fail_with_it() {
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = gone.local_addr().unwrap();
    drop(gone);
    let mut world = World::start().await;
    let pools: &[(_, _, &[_])] = &[("1.0.0", FULL_WEIGHT, &[address])];
    world
        .route_with(pools, |route| {
            route.pools[0].protocol = Protocol::Http2;
            route.hold_ms = 0;
        })
        .await;
    let sender = crate::http2::connect(world.listen).await;
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let sender = sender.clone();
        requests
            .spawn(async move { crate::http2::exchange(&sender, crate::http2::get("/"), "", None).await });
    }
    while let Some(answered) = requests.join_next().await {
        assert_eq!(answered.unwrap().unwrap().0.status, 503);
    }
}
