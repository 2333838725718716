//! What an edge pod answers to the control plane and the kubelet, over plain HTTP: numbers and names, no secrets.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use pilotage_proxy::EdgeClient;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::state::State;

/// Whoever opens more connections waits until others are closed.
const MOST_CONNECTIONS: usize = 64;
const HEAD_WITHIN: Duration = Duration::from_secs(5);
/// How long an edge that lives takes at most to say who it is.
const EDGE_ANSWERS_WITHIN: Duration = Duration::from_secs(3);
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(100);

/// Serves the pages for as long as the process lives.
pub(super) async fn serve(listener: TcpListener, edge: EdgeClient, state: Arc<State>) {
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        let Ok((stream, peer)) = listener.accept().await else {
            // For want of descriptors, say.
            tokio::time::sleep(PAUSE_AFTER_ERROR).await;
            continue;
        };
        let (edge, state) = (edge.clone(), Arc::clone(&state));
        tokio::spawn(async move {
            let answer = service_fn(|request| page(request, peer, &edge, &state));
            let mut server = http1::Builder::new();
            server.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN).keep_alive(true);
            // Whoever breaks off is not missed.
            let _ = server.serve_connection(TokioIo::new(stream), answer).await;
            drop(place);
        });
    }
}

async fn page<B>(
    request: Request<B>,
    peer: SocketAddr,
    edge: &EdgeClient,
    state: &State,
) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(match (request.method(), request.uri().path()) {
        (&Method::GET, "/applied") => json(&state.applied()),
        (&Method::GET, "/stats") => match edge.stats().await {
            Ok(stats) => json(&stats),
            Err(error) => text(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
        },
        (&Method::GET, "/ready") => match state.not_ready() {
            None => text(StatusCode::OK, "ready"),
            Some(reason) => text(StatusCode::SERVICE_UNAVAILABLE, reason),
        },
        (&Method::GET, "/live") => live(edge).await,
        // Asked from inside the pod, before it is stopped. Others must not be able to empty it.
        (&Method::POST, "/leave") if peer.ip().to_canonical().is_loopback() => {
            state.leave();
            text(StatusCode::OK, "no new connections are wanted here")
        }
        _ => text(StatusCode::NOT_FOUND, "here are /applied, /stats, /ready and /live"),
    })
}

async fn live(edge: &EdgeClient) -> Response<Full<Bytes>> {
    match tokio::time::timeout(EDGE_ANSWERS_WITHIN, edge.identify()).await {
        Ok(Ok(_)) => text(StatusCode::OK, "alive"),
        Ok(Err(error)) => text(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
        Err(_) => text(StatusCode::SERVICE_UNAVAILABLE, "the edge does not answer"),
    }
}

fn json(value: &impl Serialize) -> Response<Full<Bytes>> {
    match serde_json::to_vec(value) {
        Ok(body) => answer(StatusCode::OK, "application/json", body),
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

fn text(status: StatusCode, words: impl Into<String>) -> Response<Full<Bytes>> {
    answer(status, "text/plain; charset=utf-8", words.into().into_bytes())
}

fn answer(status: StatusCode, kind: &'static str, body: Vec<u8>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    response
}
