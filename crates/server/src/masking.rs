//! Keeps known secrets out of what the server says of failures. Everything else that it answers comes out of the journal, or from
//! instances whose shims mask what they write; and no type of an answer has a place for a secret.

use axum::extract::{Request, State};
use axum::http::header::CONTENT_LENGTH;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::context::Context;
use crate::error::ErrorBody;

/// Masks every error on its way out.
pub(crate) async fn mask_errors(State(context): State<Context>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let Some(body) = response.extensions_mut().remove::<ErrorBody>() else { return response };
    let (said, content) = body.masked(context.secrets.known()).into_response().into_parts();
    // What stands in the head beside the words, such as when to try again, stays.
    let (mut head, _) = response.into_parts();
    head.headers.remove(CONTENT_LENGTH);
    head.headers.extend(said.headers);
    Response::from_parts(head, content)
}
