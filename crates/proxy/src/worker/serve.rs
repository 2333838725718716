//! One request of a client, from head to answer.

use std::convert::Infallible;
use std::rc::Rc;

use http::header::CONNECTION;
use http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use tokio::sync::watch;

use super::body::ReplyBody;
use super::exchange::Exchange;
use super::head::{ClientConnection, Outbound};
use super::thread::Worker;

/// A connected client.
pub(super) struct Visitor {
    pub(super) worker: Rc<Worker>,
    pub(super) connection: ClientConnection,
    /// True once the client should take its next request elsewhere.
    pub(super) closing: watch::Receiver<bool>,
}

/// Answers one request.
pub(super) async fn serve(
    visitor: Rc<Visitor>,
    request: Request<Incoming>,
) -> Result<Response<ReplyBody>, Infallible> {
    let mut response = match Outbound::new(request, &visitor.connection) {
        Ok(outbound) => Exchange::new(&visitor.worker, visitor.connection.listen, outbound).run().await,
        Err(refusal) => *refusal,
    };
    if *visitor.closing.borrow() {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}
