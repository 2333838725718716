//! Whether a route is for a caller: its verb must be allowed for what the request is about.

use axum::body::{Body, to_bytes};
use axum::extract::{Query, Request};
use axum::http::Uri;
use pilotage_access::Caller;
use pilotage_spec::{Verb, Workload};
use pilotage_views as views;
use serde::Deserialize;

use super::refusal::forbidden;
use crate::context::{Context, blocking};
use crate::error::{ErrorBody, ErrorKind};
use crate::routes::{About, Needs};

/// The longest body of a request, in bytes.
pub(crate) const BODY_LIMIT_BYTES: usize = 64 * 1024;

/// The part of a body or query that says what it is about. Whatever else is in it is the handler's.
#[derive(Debug, Deserialize)]
struct Named {
    service: String,
    environment: String,
}

/// Lets a caller through to a route, with the roles that hold there; or refuses.
pub(super) async fn authorise(
    context: &Context,
    needs: Needs,
    caller: &mut Caller,
    request: Request,
) -> Result<Request, ErrorBody> {
    let (verb, about) = match needs {
        Needs::Nobody | Needs::Somebody => return Ok(request),
        Needs::Verb(verb, about) => (verb, about),
    };
    let (request, workload) = match about {
        About::Everything => return everywhere(caller, verb).map(|()| request),
        About::WhatMayBeSeen => return somewhere(caller, verb).map(|()| request),
        About::Body => of_body(context, request).await?,
        About::Query => {
            let workload = of_query(context, request.uri().clone()).await;
            (request, workload)
        }
        About::Deployment => {
            let workload = of_deployment(context, request.uri().path().to_owned()).await;
            (request, workload)
        }
    };
    match workload {
        Some(Workload { environment, service }) => {
            let (environment, service) = (environment.as_str(), service.as_str());
            if !caller.may(verb, environment, service) {
                let who = &caller.identity.principal;
                return Err(forbidden(format!("`{who}` may not `{verb}` {service} in {environment}")));
            }
            caller.identity.roles = caller.permissions.roles_at(environment, service);
        }
        // What it is about cannot be found out. Whoever may do it to everything learns from the handler why.
        None => everywhere(caller, verb)?,
    }
    Ok(request)
}

fn everywhere(caller: &Caller, verb: Verb) -> Result<(), ErrorBody> {
    let refused = || forbidden(format!("`{}` may not `{verb}` everywhere", caller.identity.principal));
    caller.permissions.everywhere(verb).then_some(()).ok_or_else(refused)
}

fn somewhere(caller: &Caller, verb: Verb) -> Result<(), ErrorBody> {
    let refused = || forbidden(format!("`{}` may not `{verb}` anything", caller.identity.principal));
    caller.permissions.somewhere(verb).then_some(()).ok_or_else(refused)
}

/// Reads the body, looks at what it is about, and puts it back as it was.
async fn of_body(context: &Context, request: Request) -> Result<(Request, Option<Workload>), ErrorBody> {
    let (parts, body) = request.into_parts();
    let bytes = to_bytes(body, BODY_LIMIT_BYTES).await.map_err(|_| {
        let message = format!(
            "the body did not come, or is longer than {BODY_LIMIT_BYTES} bytes (length limit exceeded)"
        );
        ErrorBody::new(ErrorKind::Usage, message)
    })?;
    let workload = match serde_json::from_slice::<Named>(&bytes) {
        Ok(named) => workload(context, named).await,
        Err(_) => None,
    };
    Ok((Request::from_parts(parts, Body::from(bytes)), workload))
}

async fn of_query(context: &Context, uri: Uri) -> Option<Workload> {
    let Query(named) = Query::<Named>::try_from_uri(&uri).ok()?;
    workload(context, named).await
}

async fn workload(context: &Context, named: Named) -> Option<Workload> {
    let project = context.project().await.ok()?;
    context.workload(&project, &named.environment, &named.service).ok()
}

/// The workload of the deployment whose id follows `/v1/deployments/` in the path.
async fn of_deployment(context: &Context, path: String) -> Option<Workload> {
    let id = path.strip_prefix("/v1/deployments/")?.split('/').next()?.parse().ok()?;
    let reader = context.reader();
    let record = blocking(move || Ok(views::load(&reader, id)?)).await.ok()?;
    Some(record.deployment.plan.request.workload)
}
