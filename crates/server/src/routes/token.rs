//! Tokens: one's own, those one answers for, and for admins all.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use pilotage_access::{
    Caller, Directory, Scope, TokenError, TokenId, TokenKind, TokenRecord, TokenRequest, USUAL_LIFE,
};
use pilotage_spec::{EnvironmentName, PrincipalName, Project, ServiceName, Verb};

use super::extract::Body;
use crate::api::{TokenBody, TokenDone};
use crate::context::Context;
use crate::error::{ErrorBody, ErrorKind};
use crate::guard::now;

/// Those that count now.
pub(crate) async fn list(
    State(context): State<Context>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Vec<TokenRecord>>, ErrorBody> {
    let directory = context.guard.current().await?.directory;
    let mut tokens = context.guard.tokens().live(now());
    tokens.retain(|token| governs(&caller, &directory, &token.principal));
    Ok(Json(tokens))
}

pub(crate) async fn create(
    State(context): State<Context>,
    Extension(caller): Extension<Caller>,
    Body(body): Body<TokenBody>,
) -> Result<Json<TokenDone>, ErrorBody> {
    let directory = context.guard.current().await?.directory;
    let project = context.project().await?;
    let principal: PrincipalName = match &body.principal {
        Some(name) => name.parse()?,
        None => caller.identity.principal.clone(),
    };
    if !caller.is_present() {
        let message = "a token cannot issue another: whoever finds one could keep themselves in for ever";
        return Err(ErrorBody::new(ErrorKind::Forbidden, message)
            .help("do it over the unix socket where the server runs, or after `pilotage login`"));
    }
    if !governs(&caller, &directory, &principal) {
        let message = format!("`{}` may not issue tokens to `{principal}`", caller.identity.principal);
        return Err(ErrorBody::new(ErrorKind::Forbidden, message)
            .help("an admin may, and the person who answers for it (`for` in pilotage.yaml)"));
    }
    if !directory.has(&principal) {
        let message = format!("`{principal}` is not in the file: there is nobody to issue a token to");
        return Err(ErrorBody::new(ErrorKind::Unknown, message)
            .help("name it under `access` in pilotage.yaml, with its roles"));
    }
    let request = TokenRequest {
        kind: TokenKind::Api,
        principal,
        purpose: body.purpose.unwrap_or_default(),
        scope: scope(&project, body.verbs, body.environments, body.services)?,
        life: body.expires_seconds.map_or(USUAL_LIFE, Duration::from_secs),
    };
    let tokens = context.guard.tokens();
    let (token, record) = tokens.issue(request, project.name, caller.identity.principal, now()).await?;
    Ok(Json(TokenDone { token: token.reveal().to_owned(), record }))
}

pub(crate) async fn revoke(
    State(context): State<Context>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<TokenRecord>, ErrorBody> {
    let directory = context.guard.current().await?.directory;
    let id: TokenId = id.parse().map_err(|error: pilotage_access::TokenTextError| {
        ErrorBody::new(ErrorKind::Usage, error.to_string())
    })?;
    let known = context.guard.tokens().get(&id);
    // What somebody may not know of is not there.
    let known = known.filter(|token| governs(&caller, &directory, &token.principal));
    if known.is_none() {
        return Err(TokenError::Unknown { id }.into());
    }
    Ok(Json(context.guard.tokens().revoke(&id, &caller.identity.principal).await?))
}

/// Whether the tokens of a principal are a caller's business.
fn governs(caller: &Caller, directory: &Directory, principal: &PrincipalName) -> bool {
    caller.permissions.everywhere(Verb::Admin)
        || caller.identity.principal == *principal
        || directory.answers_for(&caller.identity, principal)
}

/// What a token is for, under the names that things really have.
fn scope(
    project: &Project,
    verbs: Option<BTreeSet<Verb>>,
    environments: Option<Vec<String>>,
    services: Option<Vec<String>>,
) -> Result<Scope, ErrorBody> {
    let environment = |name: &String| Ok(project.environment(name)?.0.clone());
    let service = |name: &String| Ok(project.service(name)?.0.clone());
    let environments: Option<Result<BTreeSet<EnvironmentName>, ErrorBody>> =
        environments.map(|names| names.iter().map(environment).collect());
    let services: Option<Result<BTreeSet<ServiceName>, ErrorBody>> =
        services.map(|names| names.iter().map(service).collect());
    Ok(Scope { verbs, environments: environments.transpose()?, services: services.transpose()? })
}
