//! One connection: HTTP/1.1, or HTTP/2 by prior knowledge.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use super::answer::Answerer;
use super::rewound::speaks_http2;

/// How long a stopping service waits for the first bytes of a connection that was opened just before.
const FIRST_BYTES_LIMIT: Duration = Duration::from_secs(1);

/// Serves a connection to its end; once `closed` says so, it ends after the requests in flight.
pub(super) async fn serve<S>(stream: S, answerer: Arc<Answerer>, mut closed: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut stop = closed.clone();
    let told = async {
        let _ = stop.wait_for(|closed| *closed).await;
        tokio::time::sleep(FIRST_BYTES_LIMIT).await;
    };
    let (is_http2, stream) = tokio::select! {
        seen = speaks_http2(stream) => match seen {
            Ok(seen) => seen,
            Err(_) => return,
        },
        () = told => return,
    };
    let service = service_fn(move |request| answerer.clone().answer(request));
    let stream = TokioIo::new(stream);
    // An error in what follows is a client that went away, which is its right.
    if is_http2 {
        let served = http2::Builder::new(TokioExecutor::new()).serve_connection(stream, service);
        let mut served = pin!(served);
        tokio::select! {
            _ = &mut served => return,
            _ = closed.wait_for(|closed| *closed) => served.as_mut().graceful_shutdown(),
        }
        let _ = served.await;
    } else {
        let served = http1::Builder::new().serve_connection(stream, service).with_upgrades();
        let mut served = pin!(served);
        tokio::select! {
            _ = &mut served => return,
            _ = closed.wait_for(|closed| *closed) => served.as_mut().graceful_shutdown(),
        }
        let _ = served.await;
    }
}
