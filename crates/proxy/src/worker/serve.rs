//! One request of a client, from head to answer.

use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;

use http::header::CONNECTION;
use http::{HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use tokio::sync::{mpsc, watch};

use super::answer;
use super::body::ReplyBody;
use super::exchange::Exchange;
use super::guard::Watch;
use super::head::{ClientConnection, Outbound};
use super::thread::Worker;

/// A connected client.
pub(super) struct Visitor {
    pub(super) worker: Rc<Worker>,
    pub(super) connection: ClientConnection,
    pub(super) watch: Arc<Watch>,
    /// True once the client should take its next request elsewhere.
    pub(super) closing: watch::Receiver<bool>,
    /// The worker does not end before all of these are dropped.
    pub(super) _open: mpsc::Sender<()>,
}

/// Answers one request.
pub(super) async fn serve(
    visitor: Rc<Visitor>,
    request: Request<Incoming>,
) -> Result<Response<ReplyBody>, Infallible> {
    let mut response = respond(&visitor, request).await;
    if *visitor.closing.borrow() {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}

async fn respond(visitor: &Rc<Visitor>, request: Request<Incoming>) -> Response<ReplyBody> {
    if visitor.watch.refuses_next() {
        let text = "The request can be read in more than one way.\n";
        return answer::refused(StatusCode::BAD_REQUEST, text);
    }
    match Outbound::new(request, &visitor.connection) {
        Ok(outbound) => Exchange::new(visitor, outbound).run().await,
        Err(refusal) => *refusal,
    }
}
