//! Every route there is, and what it needs. A route that is not in the table cannot be served: the guard looks here.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::Method;
use axum::routing::{MethodRouter, get, post};
use pilotage_signals::hooks::BODY_LIMIT_BYTES as HOOK_LIMIT_BYTES;
use pilotage_spec::Verb;

use super::{
    access, audit, deploy, down, events, health, history, hooks, logs, opinion, request, rollout, session,
    status, targets, token, traffic, up,
};
use crate::context::Context;
use crate::error::{ErrorBody, ErrorKind};

/// What a route needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: the handler looks for itself at a proof that the request holds, or tells no secret.
    Nobody,
    /// To be known.
    Somebody,
    /// To be allowed to do this to what the request is about.
    Verb(Verb, About),
}

/// What a request is about, and where that stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// All there is.
    Everything,
    /// As much as the caller may see; the handler leaves out the rest.
    WhatMayBeSeen,
    /// The workload in the body.
    Body,
    /// The workload in the query.
    Query,
    /// The deployment in the path.
    Deployment,
}

/// A route, as tests and pages see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouteInfo {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The path, with names in braces.
    pub path: &'static str,
    /// What it needs.
    pub needs: Needs,
}

struct Row {
    info: RouteInfo,
    handler: fn() -> MethodRouter<Context>,
}

const fn row(
    method: &'static str,
    path: &'static str,
    needs: Needs,
    handler: fn() -> MethodRouter<Context>,
) -> Row {
    Row { info: RouteInfo { method, path, needs }, handler }
}

const NOBODY: Needs = Needs::Nobody;
const SOMEBODY: Needs = Needs::Somebody;

const fn may(verb: Verb, about: About) -> Needs {
    Needs::Verb(verb, about)
}

const TABLE: &[Row] = {
    use About::{Body, Deployment, Everything, Query, WhatMayBeSeen};
    use Verb::{Admin, Approve, Audit, Deploy, Pause, Plan, Promote, Read, Rollback};
    &[
        // A kubelet has no credential.
        row("GET", "/v1/live", NOBODY, || get(health::live)),
        row("GET", "/v1/health", SOMEBODY, || get(health::health)),
        row("GET", "/v1/whoami", SOMEBODY, || get(access::whoami)),
        row("GET", "/v1/sign-in", NOBODY, || get(session::sign_ins)),
        row("POST", "/v1/session", NOBODY, || post(session::begin)),
        row("POST", "/v1/session/end", SOMEBODY, || post(session::end)),
        row("GET", "/v1/tokens", SOMEBODY, || get(token::list)),
        row("POST", "/v1/tokens", SOMEBODY, || post(token::create)),
        row("POST", "/v1/tokens/{id}/revoke", SOMEBODY, || post(token::revoke)),
        row("POST", "/v1/up", may(Admin, Everything), || post(up::up)),
        row("POST", "/v1/down", may(Admin, Everything), || post(down::down)),
        row("GET", "/v1/status", may(Read, WhatMayBeSeen), || get(status::status)),
        row("GET", "/v1/targets", may(Read, WhatMayBeSeen), || get(targets::targets)),
        row("GET", "/v1/clusters", may(Read, Everything), || get(targets::clusters)),
        row("POST", "/v1/clusters/forget", may(Admin, Everything), || post(targets::forget)),
        row("POST", "/v1/plan", may(Plan, Body), || post(deploy::plan)),
        row("GET", "/v1/traffic", may(Read, Query), || get(traffic::traffic)),
        row("POST", "/v1/deployments", may(Deploy, Body), || post(deploy::deploy)),
        row("GET", "/v1/deployments/{id}", may(Read, Deployment), || get(status::deployment)),
        row("GET", "/v1/deployments/{id}/explanation", may(Read, Deployment), || get(history::explanation)),
        row("POST", "/v1/deployments/{id}/promote", may(Promote, Deployment), || post(request::promote)),
        row("POST", "/v1/deployments/{id}/abort", may(Rollback, Deployment), || post(request::abort)),
        row("POST", "/v1/deployments/{id}/pause", may(Pause, Deployment), || post(request::pause)),
        row("POST", "/v1/deployments/{id}/resume", may(Pause, Deployment), || post(request::resume)),
        row("POST", "/v1/deployments/{id}/opinion", may(Approve, Deployment), || post(opinion::say)),
        row("GET", "/v1/waiting", may(Read, WhatMayBeSeen), || get(opinion::waiting)),
        row("POST", "/v1/rehearsals", may(Deploy, Body), || post(deploy::rehearse)),
        row("POST", "/v1/rollback", may(Rollback, Body), || post(deploy::rollback)),
        row("GET", "/v1/rollout", may(Read, Query), || get(rollout::show)),
        row("POST", "/v1/rollout/promote", may(Promote, Body), || post(rollout::promote)),
        row("POST", "/v1/rollout/abort", may(Rollback, Body), || post(rollout::abort)),
        // What begins again is brought out once more.
        row("POST", "/v1/rollout/retry", may(Deploy, Body), || post(rollout::retry)),
        row("GET", "/v1/history", may(Read, WhatMayBeSeen), || get(history::history)),
        row("GET", "/v1/events", may(Read, WhatMayBeSeen), || get(events::events)),
        // Each delivery proves itself by its signature or token.
        row("POST", "/v1/hooks/{name}", NOBODY, || {
            post(hooks::deliver).layer(DefaultBodyLimit::max(HOOK_LIMIT_BYTES))
        }),
        row("GET", "/v1/logs", may(Read, Query), || get(logs::logs)),
        row("GET", "/v1/audit", may(Audit, WhatMayBeSeen), || get(audit::audit)),
        row("GET", "/v1/audit/verify", may(Audit, Everything), || get(audit::verify)),
        row("POST", "/v1/backup", may(Admin, Everything), || post(audit::backup)),
    ]
};

/// Every route there is, in the order of the table.
pub fn route_table() -> impl Iterator<Item = RouteInfo> {
    TABLE.iter().map(|row| row.info)
}

/// What a request needs that matched a path; `None` if the table does not have it.
pub(crate) fn needs(method: &Method, path: &str) -> Option<Needs> {
    route_table().find(|route| route.method == method.as_str() && route.path == path).map(|route| route.needs)
}

/// Every route there is, as a router.
pub(crate) fn all() -> Router<Context> {
    let served = TABLE.iter().fold(Router::new(), |router, row| router.route(row.info.path, (row.handler)()));
    served.fallback(unknown_path)
}

/// What is said at a path that is not there.
pub(crate) async fn unknown_path() -> ErrorBody {
    ErrorBody::new(ErrorKind::Unknown, "there is nothing at this path")
        .help("client and server may be of different versions: restart the server")
}
