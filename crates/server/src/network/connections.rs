//! Connections from the network: a limited number, each with little time to say what it wants.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tower_service::Service;

use crate::guard::Origin;

/// So many connections are served at once; the next ones wait to be accepted.
const CONNECTIONS_LIMIT: usize = 512;
/// A handshake takes no longer.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);
/// A head takes no longer to arrive, nor is a connection kept longer without one.
const HEAD_LIMIT: Duration = Duration::from_secs(15);
/// A client that does not read its answer is waited for no longer at the end.
const END_LIMIT: Duration = Duration::from_secs(5);
/// How long a failure to accept, such as too many open files, is waited out.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// Serves connections until `closing` becomes true, and then those that there are to their end.
pub(super) async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    mut closing: watch::Receiver<bool>,
) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS_LIMIT));
    loop {
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = closing.wait_for(|closing| *closing) => break,
        };
        let Ok((stream, address)) = accepted else {
            tokio::time::sleep(ACCEPT_AGAIN_AFTER).await;
            continue;
        };
        let (tls, router, closing) = (tls.clone(), router.clone(), closing.clone());
        tokio::spawn(async move {
            connection(stream, address, tls, router, closing).await;
            drop(permit);
        });
    }
    drop(listener);
    // All of them are back when nothing is served any more.
    let all = u32::try_from(CONNECTIONS_LIMIT).unwrap_or(u32::MAX);
    let _ = tokio::time::timeout(END_LIMIT, permits.acquire_many(all)).await;
}

async fn connection(
    stream: TcpStream,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
    router: Router,
    closing: watch::Receiver<bool>,
) {
    // Answers are small and waited for; without this they would wait for each other. It may fail on a broken connection.
    let _ = stream.set_nodelay(true);
    match tls {
        None => http(stream, address, router, closing).await,
        Some(tls) => {
            if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_LIMIT, tls.accept(stream)).await {
                http(stream, address, router, closing).await;
            }
        }
    }
}

async fn http(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    address: SocketAddr,
    router: Router,
    mut closing: watch::Receiver<bool>,
) {
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(Origin::Network(address)));
        let mut router = router.clone();
        router.call(request)
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_LIMIT);
    let mut served = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
    let is_done = tokio::select! {
        // Whatever breaks is the client's; it has no more answer to read.
        _ = served.as_mut() => true,
        _ = closing.wait_for(|closing| *closing) => false,
    };
    if !is_done {
        served.as_mut().graceful_shutdown();
        let _ = served.await;
    }
}
