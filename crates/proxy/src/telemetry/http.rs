//! The smallest server that serves a few pages to a few readers.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

/// Connections at a time; further ones wait.
const MOST_CONNECTIONS: u32 = 32;
/// How long a reader may take to ask.
const REQUEST_LIMIT: Duration = Duration::from_secs(30);
/// After so long a connection is closed behind the next answer, so that none is held for ever.
const CONNECTION_LIMIT: Duration = Duration::from_secs(300);
/// How long a page may take to be read.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);
/// How long a connection may still ask when nothing more is accepted: what it asks may be on its way already.
const LINGER: Duration = Duration::from_millis(250);
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) content_type: &'static str,
    pub(crate) body: String,
}

impl Page {
    /// A line of text.
    pub(crate) fn text(status: StatusCode, line: impl std::fmt::Display) -> Self {
        Self { status, content_type: "text/plain; charset=utf-8", body: format!("{line}\n") }
    }
}

/// Answers GET and HEAD by a function of the path until `closed` becomes true. Then nothing more is accepted, and this
/// returns when every connection has had its last answer.
pub(crate) async fn serve<F, A>(listener: TcpListener, mut closed: watch::Receiver<bool>, answer: F)
where
    F: Fn(String) -> A + Clone + Send + 'static,
    A: Future<Output = Page> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS as usize));
    loop {
        let accept = async { (Arc::clone(&places).acquire_owned().await, listener.accept().await) };
        let (place, accepted) = tokio::select! {
            accepted = accept => accepted,
            _ = closed.wait_for(|closed| *closed) => break,
        };
        match accepted {
            Ok((stream, _)) => {
                let (answer, closed) = (answer.clone(), closed.clone());
                tokio::spawn(async move {
                    converse(stream, closed, answer).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection to the admin address could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    // Fails only when the semaphore is closed, which it never is.
    let _ = places.acquire_many(MOST_CONNECTIONS).await;
}

async fn converse<F, A>(stream: TcpStream, mut closed: watch::Receiver<bool>, answer: F)
where
    F: Fn(String) -> A + Clone + Send + 'static,
    A: Future<Output = Page> + Send + 'static,
{
    let leaving = closed.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let (answer, leaving) = (answer.clone(), leaving.clone());
        async move {
            let page = match *request.method() {
                Method::GET | Method::HEAD => answer(request.uri().path().to_owned()).await,
                _ => Page::text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are answered here"),
            };
            Ok::<_, Infallible>(response(page, *leaving.borrow()))
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(REQUEST_LIMIT)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    // A connection that breaks is its reader's affair.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = tokio::time::sleep(CONNECTION_LIMIT) => {}
        () = async {
            // An error means that whoever could say so is gone.
            let _ = closed.wait_for(|closed| *closed).await;
            tokio::time::sleep(LINGER).await;
        } => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = tokio::time::timeout(ANSWER_LIMIT, connection).await;
}

fn response(page: Page, last: bool) -> Response<Full<Bytes>> {
    let refused = page.status == StatusCode::METHOD_NOT_ALLOWED;
    let mut response = Response::new(Full::new(Bytes::from(page.body)));
    *response.status_mut() = page.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(page.content_type));
    if last {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    if refused {
        headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    response
}
