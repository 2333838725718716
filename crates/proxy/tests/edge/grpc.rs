//! What a gRPC client is told when its call cannot be served: a status of its own, never one of HTTP.

use std::net::SocketAddr;

use bytes::Bytes;
use h2::RecvStream;
use h2::server::SendResponse;
use http::{Request, Response};
use pilotage_proxy::{FULL_WEIGHT, Protocol, Route};

use crate::http2::{connect, exchange, http2_service};
use crate::upstream::Upstream;
use crate::world::{World, eventually, free_address};

async fn silent() -> Upstream {
    http2_service(|request: Request<RecvStream>, respond| async move {
        let _held = (request, respond);
        std::future::pending::<()>().await;
    })
    .await
}

async fn world_with(address: SocketAddr, change: impl FnOnce(&mut Route)) -> World {
    let mut world = World::start().await;
    let pools: &[(_, _, &[_])] = &[("1.0.0", FULL_WEIGHT, &[address])];
    world
        .route_with(pools, |route| {
            route.pools[0].protocol = Protocol::Http2;
            change(route);
        })
        .await;
    world
}

/// HTTP status and `grpc-status` of a call.
async fn call(world: &World, more: &[(&'static str, &str)]) -> (u16, Option<String>) {
    let mut request = Request::post("http://shop.example/pkg.Service/Method").header("te", "trailers");
    for (name, value) in more {
        request = request.header(*name, *value);
    }
    let sender = connect(world.listen).await;
    let (head, _, trailers) = exchange(&sender, request.body(()).unwrap(), "message", None).await.unwrap();
    let status = head.headers.get("grpc-status").or_else(|| trailers.get("grpc-status"));
    (head.status.as_u16(), status.map(|status| status.to_str().unwrap().to_owned()))
}

const GRPC: (&str, &str) = ("content-type", "application/grpc+proto");

fn status(status: &str) -> (u16, Option<String>) {
    (200, Some(status.to_owned()))
}

#[tokio::test]
async fn a_deadline_that_passes_is_told_and_frees_the_service() {
    let upstream = silent().await;
    let world = world_with(upstream.address, |_| {}).await;
    assert_eq!(call(&world, &[GRPC, ("grpc-timeout", "100m")]).await, status("4"));
    eventually("nothing is in flight", || async { world.version("1.0.0").await.in_flight == 0 }).await;
    assert_eq!(world.version("1.0.0").await.broken, 1);

    // The route's own limit is met as well, whichever is earlier.
    let world = world_with(upstream.address, |route| route.timeouts.total_ms = Some(100)).await;
    for asked in ["1H", "nonsense"] {
        assert_eq!(call(&world, &[GRPC, ("grpc-timeout", asked)]).await, status("4"));
    }
    let plain = call(&world, &[("content-type", "text/plain"), ("grpc-timeout", "1n")]).await;
    assert_eq!(plain, (504, None), "who does not speak gRPC is told in HTTP");
}

#[tokio::test]
async fn a_deadline_that_passes_in_the_middle_of_an_answer_is_told_after_it() {
    let upstream =
        http2_service(|request: Request<RecvStream>, mut respond: SendResponse<Bytes>| async move {
            let mut stream = respond.send_response(Response::new(()), false).unwrap();
            stream.send_data(Bytes::from_static(b"begun"), false).unwrap();
            let _held = request;
            let _ = std::future::poll_fn(|cx| stream.poll_reset(cx)).await;
        })
        .await;
    let world = world_with(upstream.address, |_| {}).await;
    assert_eq!(call(&world, &[GRPC, ("grpc-timeout", "200m")]).await, status("4"));
    eventually("nothing is in flight", || async { world.version("1.0.0").await.in_flight == 0 }).await;
    assert_eq!(world.version("1.0.0").await.broken, 1);
}

#[tokio::test]
async fn refusals_are_told_in_statuses_of_grpc() {
    let world = world_with(free_address(), |_| {}).await;
    assert_eq!(call(&world, &[GRPC]).await, status("14"), "nobody is there");
    let upstream = silent().await;
    let world = world_with(upstream.address, |route| route.limits.max_body_bytes = Some(3)).await;
    assert_eq!(call(&world, &[GRPC]).await, status("8"), "the message is too large");
    let world = world_with(upstream.address, |route| route.hosts = vec!["other.example".to_owned()]).await;
    assert_eq!(call(&world, &[GRPC]).await, status("12"), "nobody serves this host");
}

#[tokio::test]
async fn a_status_that_is_the_services_fault_counts_as_an_error() {
    let upstream = http2_service(
        |request: Request<RecvStream>, mut respond: h2::server::SendResponse<Bytes>| async move {
            let mut trailers = http::HeaderMap::new();
            trailers.insert("grpc-status", request.headers()["x-status"].clone());
            let mut stream = respond.send_response(Response::new(()), false).unwrap();
            stream.send_trailers(trailers).unwrap();
        },
    )
    .await;
    let world = world_with(upstream.address, |_| {}).await;
    for (said, errors) in [("0", 0), ("5", 0), ("13", 1), ("14", 2)] {
        assert_eq!(call(&world, &[GRPC, ("x-status", said)]).await, status(said));
        assert_eq!(world.version("1.0.0").await.errors, errors, "status {said}");
    }
}
