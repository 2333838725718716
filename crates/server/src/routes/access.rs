//! Who asks.

use axum::extract::State;
use axum::{Extension, Json};
use pilotage_access::{Caller, Credential};

use crate::api::WhoAmI;
use crate::context::Context;
use crate::error::ErrorBody;

pub(crate) async fn whoami(
    State(context): State<Context>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<WhoAmI>, ErrorBody> {
    let credential = match &caller.credential {
        Credential::Peer => "socket",
        Credential::Token(_) => "token",
        Credential::Session(_) => "session",
        Credential::Workload => "workload",
    };
    let verbs = caller.permissions.verbs();
    let everywhere = verbs.iter().copied().filter(|verb| caller.permissions.everywhere(*verb)).collect();
    Ok(Json(WhoAmI {
        project: context.guard.current().await?.project,
        credential: credential.to_owned(),
        identity: caller.identity,
        verbs,
        everywhere,
    }))
}
