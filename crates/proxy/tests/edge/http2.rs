//! HTTP/2 on both sides of the edge.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use h2::client::SendRequest;
use h2::{Reason, RecvStream};
use http::{HeaderMap, Method, Request, Response};
use pilotage_proxy::{FULL_WEIGHT, Limits, Protocol};
use tokio::net::TcpStream;

use crate::upstream::Upstream;
use crate::world::{PATIENCE, World, eventually};

/// A client's connection; streams are opened on clones of it.
pub async fn connect(listen: SocketAddr) -> SendRequest<Bytes> {
    let stream = TcpStream::connect(listen).await.unwrap();
    let (sender, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    sender
}

/// Sends a request with a body and trailers; gives back head, body and trailers.
pub async fn exchange(
    sender: &SendRequest<Bytes>,
    request: Request<()>,
    body: &'static str,
    trailers: Option<HeaderMap>,
) -> Result<(http::response::Parts, Bytes, HeaderMap), h2::Error> {
    let mut sender = sender.clone().ready().await?;
    let ended = body.is_empty() && trailers.is_none();
    let (response, mut stream) = sender.send_request(request, ended)?;
    if !ended {
        stream.send_data(Bytes::from(body), trailers.is_none())?;
    }
    if let Some(trailers) = trailers {
        stream.send_trailers(trailers)?;
    }
    let (head, mut body) = tokio::time::timeout(PATIENCE, response).await.unwrap()?.into_parts();
    let (data, trailers) = tokio::time::timeout(PATIENCE, read(&mut body)).await.unwrap()?;
    Ok((head, data, trailers))
}

async fn read(body: &mut RecvStream) -> Result<(Bytes, HeaderMap), h2::Error> {
    let mut data = Vec::new();
    while let Some(piece) = body.data().await {
        let piece = piece?;
        body.flow_control().release_capacity(piece.len())?;
        data.extend_from_slice(&piece);
    }
    Ok((data.into(), body.trailers().await?.unwrap_or_default()))
}

pub fn get(path: &str) -> Request<()> {
    Request::get(format!("http://shop.example{path}")).body(()).unwrap()
}

/// A service that speaks HTTP/2, and answers each stream by a function.
pub async fn http2_service<F, A>(answer: F) -> Upstream
where
    F: Fn(Request<RecvStream>, h2::server::SendResponse<Bytes>) -> A + Clone + Send + 'static,
    A: Future<Output = ()> + Send + 'static,
{
    Upstream::conversing(move |stream| {
        let answer = answer.clone();
        async move {
            let mut connection = h2::server::handshake(stream).await.unwrap();
            while let Some(Ok((request, respond))) = connection.accept().await {
                tokio::spawn(answer(request, respond));
            }
        }
    })
    .await
}

/// Says what it was sent, and gives trailers back.
async fn http2_echo(request: Request<RecvStream>, mut respond: h2::server::SendResponse<Bytes>) {
    let (parts, mut body) = request.into_parts();
    let (data, trailers) = read(&mut body).await.unwrap();
    let response = Response::builder().header("x-path", parts.uri.path()).body(()).unwrap();
    let mut stream = respond.send_response(response, false).unwrap();
    stream.send_data(data, false).unwrap();
    let mut back = trailers;
    back.insert("grpc-status", "0".parse().unwrap());
    if let Some(te) = parts.headers.get("te") {
        back.insert("x-te", te.clone());
    }
    stream.send_trailers(back).unwrap();
}

#[tokio::test]
async fn clients_may_speak_http2_to_services_that_do_not() {
    let mut world = World::start().await;
    let upstream = Upstream::echo().await;
    world.route(&[("1.0.0", FULL_WEIGHT, &[upstream.address])]).await;
    let sender = connect(world.listen).await;
    let request = Request::post("http://shop.example/cart?x=1")
        .header("cookie", "a=1")
        .header("cookie", "b=2")
        .header("x-own", "y")
        .body(())
        .unwrap();
    let (head, body, _) = exchange(&sender, request, "hello", None).await.unwrap();
    let text = String::from_utf8_lossy(&body).into_owned();
    assert_eq!(head.status, 200);
    assert_eq!(head.headers["pilotage-version"], "1.0.0");
    for line in [
        "POST /cart?x=1\n",
        "host: shop.example\n",
        "cookie: a=1; b=2\n",
        "x-own: y\n",
        "via: 2 pilotage\n",
        "\n\nhello",
    ] {
        assert!(text.contains(line), "{line:?} in {text}");
    }
    let (head, body, _) =
        exchange(&sender, Request::head("http://shop.example/").body(()).unwrap(), "", None).await.unwrap();
    assert_eq!((head.status.as_u16(), body.len()), (200, 0));
    assert_eq!(world.version("1.0.0").await.requests, 2);
}

#[tokio::test]
async fn many_streams_share_a_connection_and_large_bodies_pass() {
    let mut world = World::start().await;
    let upstream =
        Upstream::answering(|_| async { Response::new(http_body_util::Full::from(vec![7u8; 3_000_000])) })
            .await;
    world.route(&[("1.0.0", FULL_WEIGHT, &[upstream.address])]).await;
    let sender = connect(world.listen).await;
    let mut streams = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let sender = sender.clone();
        streams.spawn(async move { exchange(&sender, get("/"), "", None).await.unwrap().1.len() });
    }
    while let Some(length) = streams.join_next().await {
        assert_eq!(length.unwrap(), 3_000_000);
    }
}

#[tokio::test]
async fn grpc_passes_with_its_trailers_from_end_to_end() {
    let mut world = World::start().await;
    let upstream = http2_service(http2_echo).await;
    let pools: &[(_, _, &[_])] = &[("1.0.0", FULL_WEIGHT, &[upstream.address])];
    world.route_with(pools, |route| route.pools[0].protocol = Protocol::Http2).await;
    let sender = connect(world.listen).await;
    for _ in 0..3 {
        let mut trailers = HeaderMap::new();
        trailers.insert("x-sum", "7".parse().unwrap());
        let request = Request::post("http://shop.example/pkg.Service/Method")
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(())
            .unwrap();
        let (head, body, trailers) = exchange(&sender, request, "message", Some(trailers)).await.unwrap();
        assert_eq!(head.headers["x-path"], "/pkg.Service/Method");
        assert_eq!(&body[..], b"message");
        assert_eq!(
            (&trailers["grpc-status"], &trailers["x-sum"]),
            (&"0".parse().unwrap(), &"7".parse().unwrap())
        );
        assert_eq!(trailers["x-te"], "trailers");
    }
    assert!(upstream.connections() <= 2, "one connection for each worker at most");
}

#[tokio::test]
async fn a_refused_stream_is_tried_elsewhere_even_with_a_body() {
    let mut world = World::start().await;
    let refusing = http2_service(|_, mut respond: h2::server::SendResponse<Bytes>| async move {
        respond.send_reset(Reason::REFUSED_STREAM);
    })
    .await;
    let sound = http2_service(http2_echo).await;
    let pools: &[(_, _, &[_])] = &[("1.0.0", FULL_WEIGHT, &[refusing.address, sound.address])];
    world.route_with(pools, |route| route.pools[0].protocol = Protocol::Http2).await;
    let sender = connect(world.listen).await;
    for _ in 0..8 {
        let (head, ..) = exchange(&sender, get("/a"), "", None).await.unwrap();
        assert_eq!(head.status, 200);
    }
    assert_eq!(world.version("1.0.0").await.broken, 0);
}

#[tokio::test]
async fn a_client_that_resets_its_stream_ends_the_request_at_the_service() {
    let mut world = World::start().await;
    let upstream = http2_service(|request: Request<RecvStream>, respond| async move {
        let _held = (request, respond);
        std::future::pending::<()>().await;
    })
    .await;
    let pools: &[(_, _, &[_])] = &[("1.0.0", FULL_WEIGHT, &[upstream.address])];
    world.route_with(pools, |route| route.pools[0].protocol = Protocol::Http2).await;
    let mut sender = connect(world.listen).await.ready().await.unwrap();
    let (response, mut stream) = sender.send_request(get("/"), false).unwrap();
    eventually("it is in flight", || async { world.version("1.0.0").await.in_flight == 1 }).await;
    stream.send_reset(Reason::CANCEL);
    drop(response);
    eventually("nothing is in flight", || async { world.version("1.0.0").await.in_flight == 0 }).await;
    assert_eq!(world.version("1.0.0").await.broken, 0);
}

#[tokio::test]
async fn a_route_that_goes_says_goaway_and_lets_streams_end() {
    let mut world = World::start().await;
    let upstream = http2_service(
        |request: Request<RecvStream>, mut respond: h2::server::SendResponse<Bytes>| async move {
            let response = Response::new(());
            let mut stream = respond.send_response(response, false).unwrap();
            let mut body = request.into_body();
            while let Some(Ok(piece)) = body.data().await {
                let _ = body.flow_control().release_capacity(piece.len());
                stream.send_data(piece, false).unwrap();
            }
            stream.send_data(Bytes::new(), true).unwrap();
        },
    )
    .await;
    let pools: &[(_, _, &[_])] = &[("1.0.0", FULL_WEIGHT, &[upstream.address])];
    world.route_with(pools, |route| route.pools[0].protocol = Protocol::Http2).await;
    let mut sender = connect(world.listen).await.ready().await.unwrap();
    let request = Request::builder().method(Method::POST).uri("http://shop.example/").body(()).unwrap();
    let (response, mut stream) = sender.send_request(request, false).unwrap();
    let mut body = response.await.unwrap().into_body();
    world.no_routes().await;
    // The stream goes on, both ways.
    for _ in 0..3 {
        stream.send_data(Bytes::from_static(b"ping"), false).unwrap();
        let piece = tokio::time::timeout(PATIENCE, body.data()).await.unwrap().unwrap().unwrap();
        assert_eq!(&piece[..], b"ping");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    eventually("the client has read GOAWAY", || async {
        sender.clone().ready().await.and_then(|mut sender| sender.send_request(get("/"), true)).is_err()
    })
    .await;
    stream.send_data(Bytes::new(), true).unwrap();
    let (rest, _) = tokio::time::timeout(PATIENCE, read(&mut body)).await.unwrap().unwrap();
    assert!(rest.is_empty());
}

#[tokio::test]
async fn a_client_that_takes_nothing_does_not_hold_an_answer_of_the_edge_for_ever() {
    let limits = Limits { request_head: Duration::from_millis(300), ..Limits::default() };
    let mut world = World::start_with(limits).await;
    let upstream = Upstream::named("one").await;
    let pools: &[(_, _, &[_])] = &[("1.0.0", FULL_WEIGHT, &[upstream.address])];
    world.route_with(pools, |route| route.hosts = vec!["other.example".to_owned()]).await;
    let stream = TcpStream::connect(world.listen).await.unwrap();
    let (sender, connection) =
        h2::client::Builder::new().initial_window_size(0).handshake::<_, Bytes>(stream).await.unwrap();
    tokio::spawn(connection);
    let (response, _) = sender.ready().await.unwrap().send_request(get("/"), true).unwrap();
    let mut body = tokio::time::timeout(PATIENCE, response).await.unwrap().unwrap().into_body();
    let ended = tokio::time::timeout(PATIENCE, body.data()).await.expect("the stream is held for ever");
    assert!(ended.is_some_and(|piece| piece.is_err()));
}
