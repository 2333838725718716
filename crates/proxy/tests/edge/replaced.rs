//! What connections of every kind see of an edge that is replaced.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use pilotage_proxy::{FULL_WEIGHT, Protocol};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::child::{ChildEdge, is_running};
use crate::client::Client;
use crate::http2::{connect, exchange, get, http2_service};
use crate::upstream::{Upstream, read_head};
use crate::world::{PATIENCE, ROUTE, eventually, free_address, table};

/// An edge as a process, with one route to one upstream.
struct Street {
    edge: ChildEdge,
    listen: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Street {
    async fn to(upstream: &Upstream, change: impl FnOnce(&mut pilotage_proxy::Route)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let edge = ChildEdge::start(folder.path()).await;
        let listen = free_address();
        let mut table = table(1, listen, 0, &[("1.0.0", FULL_WEIGHT, &[upstream.address])]);
        change(&mut table.routes[0]);
        edge.client.apply(table).await.unwrap();
        Self { edge, listen, _folder: folder }
    }

    async fn broken(&self) -> u64 {
        self.edge.client.stats().await.unwrap().routes[ROUTE].versions["1.0.0"].broken
    }

    async fn first_edge_ended(&self) {
        eventually("the first edge has ended", || async { !is_running(self.edge.pid()) }).await;
    }
}

/// Sends back what it is sent, piece by piece.
async fn echoing_service() -> Upstream {
    http2_service(|request, mut respond: h2::server::SendResponse<Bytes>| async move {
        let mut stream = respond.send_response(Response::new(()), false).unwrap();
        let mut body = request.into_body();
        while let Some(Ok(piece)) = body.data().await {
            let _ = body.flow_control().release_capacity(piece.len());
            stream.send_data(piece, false).unwrap();
        }
        let mut trailers = http::HeaderMap::new();
        trailers.insert("grpc-status", "0".parse().unwrap());
        stream.send_trailers(trailers).unwrap();
    })
    .await
}

#[tokio::test]
async fn streams_of_grpc_go_on_while_their_connection_is_told_to_go_away() {
    let upstream = echoing_service().await;
    let street = Street::to(&upstream, |route| route.pools[0].protocol = Protocol::Http2).await;
    let mut sender = connect(street.listen).await.ready().await.unwrap();
    let request = Request::post("http://shop.example/pkg.Service/Chat")
        .header("content-type", "application/grpc")
        .body(())
        .unwrap();
    let (response, mut stream) = sender.send_request(request, false).unwrap();
    let mut body = response.await.unwrap().into_body();
    for _ in 0..3 {
        street.edge.reload().await;
        stream.send_data(Bytes::from_static(b"ping"), false).unwrap();
        let piece = tokio::time::timeout(PATIENCE, body.data()).await.unwrap().unwrap().unwrap();
        assert_eq!(&piece[..], b"ping");
        body.flow_control().release_capacity(piece.len()).unwrap();
    }
    eventually("the client has read GOAWAY", || async {
        sender.clone().ready().await.and_then(|mut sender| sender.send_request(get("/"), true)).is_err()
    })
    .await;
    // Another connection is the new edge's.
    let (head, ..) = exchange(&connect(street.listen).await, get("/"), "", None).await.unwrap();
    assert_eq!(head.status, 200);
    assert!(is_running(street.edge.pid()), "the first edge waits for the stream");

    stream.send_data(Bytes::new(), true).unwrap();
    assert!(tokio::time::timeout(PATIENCE, body.data()).await.unwrap().is_none());
    let trailers = body.trailers().await.unwrap().unwrap();
    assert_eq!(trailers["grpc-status"], "0");
    street.first_edge_ended().await;
    assert_eq!(street.broken().await, 0);
}

#[tokio::test]
async fn a_websocket_is_left_for_the_time_of_the_route_and_then_told_to_go_away() {
    let upstream = Upstream::conversing(|mut stream| async move {
        read_head(&mut stream).await;
        let head = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
        stream.write_all(head).await.unwrap();
        stream.write_all(b"\x82\x01x").await.unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
    })
    .await;
    let street = Street::to(&upstream, |route| route.tunnel_drain_ms = 1_000).await;
    let mut stream = TcpStream::connect(street.listen).await.unwrap();
    let wish = b"GET /live HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    stream.write_all(wish).await.unwrap();
    assert!(read_head(&mut stream).await);
    let mut frame = [0; 3];
    stream.read_exact(&mut frame).await.unwrap();
    assert_eq!(&frame, b"\x82\x01x");

    let begun = std::time::Instant::now();
    street.edge.reload().await;
    let mut close = [0; 4];
    tokio::time::timeout(PATIENCE, stream.read_exact(&mut close)).await.unwrap().unwrap();
    assert_eq!(&close, b"\x88\x02\x03\xe9");
    assert!(begun.elapsed() >= Duration::from_millis(1_000), "it was left for a while");
    stream.write_all(b"\x88\x80\x00\x00\x00\x00").await.unwrap();
    street.first_edge_ended().await;
}

#[tokio::test]
async fn kept_connections_are_told_to_close_with_an_answer_and_idle_ones_are_closed() {
    let upstream = Upstream::named("one").await;
    let street = Street::to(&upstream, |_| {}).await;
    let (mut busy, mut idle) =
        (TcpStream::connect(street.listen).await.unwrap(), TcpStream::connect(street.listen).await.unwrap());
    let request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    for stream in [&mut busy, &mut idle] {
        stream.write_all(request).await.unwrap();
        assert!(read_head(stream).await);
        let mut body = [0; 3];
        stream.read_exact(&mut body).await.unwrap();
    }
    // Half a request is on its way while the edge is replaced.
    busy.write_all(&request[..10]).await.unwrap();
    // Time for it to arrive. If it has not, the connection may be taken for an idle one, as a client must expect.
    tokio::time::sleep(Duration::from_millis(50)).await;
    street.edge.reload().await;
    busy.write_all(&request[10..]).await.unwrap();
    let mut answer = String::new();
    tokio::time::timeout(PATIENCE, busy.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("one"), "{answer}");
    assert!(answer.to_ascii_lowercase().contains("connection: close"), "{answer}");
    let mut nothing = Vec::new();
    tokio::time::timeout(PATIENCE, idle.read_to_end(&mut nothing)).await.unwrap().unwrap();
    assert!(nothing.is_empty(), "closed, and not reset");
    assert_eq!(Client::connect(street.listen).await.get("/").await.text(), "one");
    street.first_edge_ended().await;
}
