//! Keeps known secrets out of what the server says of failures. Everything else that it answers comes out of the journal, or from
//! instances whose shims mask what they write; and no type of an answer has a place for a secret.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::context::Context;
use crate::error::ErrorBody;

/// Masks every error on its way out.
pub(crate) async fn mask_errors(State(context): State<Context>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    match response.extensions_mut().remove::<ErrorBody>() {
        Some(body) => body.masked(context.secrets.known()).into_response(),
        None => response,
    }
}
