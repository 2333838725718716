//! Signing in and out. Whoever begins a session is not known yet: the id token in the body is the proof.

use axum::extract::State;
use axum::{Extension, Json};
use pilotage_access::{Caller, Credential, SESSION_LIFE, Scope, TokenKind, TokenRequest};

use super::extract::Body;
use crate::api::{Empty, SessionBody, SignInPlace, TokenDone};
use crate::context::Context;
use crate::error::{ErrorBody, ErrorKind};
use crate::guard::now;

/// Where people sign in. It is no secret: whoever comes to the provider's page reads it in the address.
pub(crate) async fn sign_ins(State(context): State<Context>) -> Result<Json<Vec<SignInPlace>>, ErrorBody> {
    let current = context.guard.current().await?;
    let places = current.directory.sign_ins();
    let places = places.map(|(name, sign_in)| SignInPlace { name: name.clone(), sign_in: sign_in.clone() });
    Ok(Json(places.collect()))
}

pub(crate) async fn begin(
    State(context): State<Context>,
    Body(body): Body<SessionBody>,
) -> Result<Json<TokenDone>, ErrorBody> {
    let person = context.signed_in(&body.id_token, &body.nonce).await?;
    let request = TokenRequest {
        kind: TokenKind::Session,
        principal: person.clone(),
        purpose: "signed in".to_owned(),
        scope: Scope::default(),
        life: SESSION_LIFE,
    };
    let project = context.project().await?.name;
    let (token, record) = context.guard.tokens().issue(request, project, person, now()).await?;
    Ok(Json(TokenDone { token: token.reveal().to_owned(), record }))
}

pub(crate) async fn end(
    State(context): State<Context>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Empty>, ErrorBody> {
    let Credential::Session(id) = &caller.credential else {
        return Err(ErrorBody::new(
            ErrorKind::Refused,
            "this is no session: there is nothing to sign out of",
        ));
    };
    context.guard.tokens().revoke(id, &caller.identity.principal).await?;
    Ok(Json(Empty {}))
}
