//! The layer itself.

use std::time::Duration;

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use pilotage_access::Credential;

use super::authorisation::authorise;
use super::refusal::{Refusal, forbidden};
use super::{Origin, hosts};
use crate::context::Context;
use crate::error::{ErrorBody, ErrorKind};
use crate::routes::{self, Needs};

/// A request that takes longer to arrive is given up.
const ARRIVAL_LIMIT: Duration = Duration::from_secs(30);

/// Lets through whom the table of routes is for, and puts the [`Caller`](pilotage_access::Caller) into the request.
pub(crate) async fn guard(State(context): State<Context>, request: Request, next: Next) -> Response {
    match tokio::time::timeout(ARRIVAL_LIMIT, admit(&context, request)).await {
        Ok(Ok(request)) => next.run(request).await,
        Ok(Err(refusal)) => refusal.into_response(),
        Err(_) => ErrorBody::new(ErrorKind::Usage, "the request did not arrive in time").into_response(),
    }
}

async fn admit(context: &Context, request: Request) -> Result<Request, Refusal> {
    let guard = &context.guard;
    let origin = request.extensions().get::<ConnectInfo<Origin>>().map(|ConnectInfo(origin)| origin.clone());
    let origin = origin.ok_or_else(|| forbidden("nobody knows where this request comes from"))?;
    if matches!(origin, Origin::Network(_)) {
        hosts::check(request.headers(), &guard.0.hosts)?;
    }
    let path = request.extensions().get::<MatchedPath>();
    let needs = path.and_then(|path| routes::needs(request.method(), path.as_str()));
    if needs == Some(Needs::Nobody) {
        guard.0.limits.unknown(origin.source(), guard.elapsed())?;
        return Ok(request);
    }
    let mut caller = guard.authenticate(&origin, &request.headers().clone()).await?;
    // Whoever sits at the socket has the whole machine to be busy with.
    if caller.credential != Credential::Peer {
        guard.0.limits.known(&caller.identity.principal, guard.elapsed())?;
    }
    let mut request = match needs {
        Some(needs) => authorise(context, needs, &mut caller, request).await?,
        None => return Err(routes::unknown_path().await.into()),
    };
    request.extensions_mut().insert(caller);
    Ok(request)
}
