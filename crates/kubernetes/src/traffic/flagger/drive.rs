//! Orders to a Canary. Flagger has no commands of its own; its controller acts on these fields at its next interval.

use pilotage_targets::TargetError;
use serde_json::{Value, json};

use super::super::kind::CANARY;
use super::super::objects::{Changed, Objects};
use super::super::refusal::Refusal;
use super::super::scene::text;
use super::read::{CanaryPhase, CanaryState, PROMOTED};
use crate::cluster::Cluster;

/// What a Canary is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CanaryOrder {
    /// The new version becomes the stable one without further analysis. It stays so until [`CanaryOrder::Analyse`].
    Promote,
    /// Analyses count again, if it was [`CanaryOrder::Promote`] that has ended them.
    Analyse,
    /// Take the release back: as many checks as may have failed.
    Abort,
    /// Begin again after a failure: the pods' template is marked with this text, which makes a new release of it.
    Retry(String),
}

/// The annotation of the pods' template that makes a new release of the same one.
const RETRY: &str = "pilotage.dev/retry";

/// A patch (RFC 7386), and of what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// Of the Canary.
    Canary(Value),
    /// Of the Canary's status, which is a resource of its own.
    Status(Value),
    /// Of the Deployment of this name.
    Deployment(String, Value),
}

/// The change of an order, given the Canary as it is; `None` if it has nothing to do.
///
/// # Errors
/// Fails on an order that the Canary cannot follow as it is.
pub(super) fn change(canary: &Value, order: &CanaryOrder) -> Result<Option<Change>, Refusal> {
    let state = CanaryState::of(canary);
    match order {
        CanaryOrder::Promote => Ok((!state.skips_analysis).then(|| skip(true))),
        CanaryOrder::Analyse => Ok(state.skips_by_order.then(|| skip(false))),
        CanaryOrder::Abort => abort(&state),
        CanaryOrder::Retry(mark) => {
            let deployment = text(canary, "/spec/targetRef/name").unwrap_or_default().to_owned();
            let template = json!({ "metadata": { "annotations": { RETRY: mark } } });
            Ok(Some(Change::Deployment(deployment, json!({ "spec": { "template": template } }))))
        }
    }
}

fn skip(skip: bool) -> Change {
    let mark = skip.then_some("true");
    Change::Canary(json!({
        "metadata": { "annotations": { PROMOTED: mark } },
        "spec": { "skipAnalysis": skip },
    }))
}

fn abort(state: &CanaryState) -> Result<Option<Change>, Refusal> {
    if state.suspended {
        return Err(Refusal::new(
            "an abort of a Canary that is suspended, which Flagger does not look at",
            "set `suspend: false` on it first",
        ));
    }
    match state.phase {
        CanaryPhase::Progressing | CanaryPhase::WaitingPromotion => {
            let failed = state.threshold.max(1);
            Ok(Some(Change::Status(json!({ "status": { "failedChecks": failed } }))))
        }
        CanaryPhase::Promoting | CanaryPhase::Finalising => Err(Refusal::new(
            "an abort of a Canary whose new version is the stable one already",
            "deploy the older version",
        )),
        _ => Ok(None),
    }
}

/// Gives the order to the Canary of this name.
pub(crate) async fn drive(
    cluster: &Cluster,
    name: &str,
    order: &CanaryOrder,
) -> Result<CanaryState, TargetError> {
    let objects = Objects::need(cluster, &CANARY).await?;
    let gone = |what: &str| TargetError::Failed {
        doing: format!("drive Canary {name}"),
        reason: format!("{what} is not there; create it first"),
    };
    let canary = objects.get(name).await?.ok_or_else(|| gone("it"))?;
    match change(&canary, order)? {
        None => Ok(CanaryState::of(&canary)),
        Some(Change::Status(change)) => Ok(CanaryState::of(&objects.change_status(name, &change).await?)),
        Some(Change::Canary(change)) => match objects.change(name, &change).await? {
            Changed::Done(canary) => Ok(CanaryState::of(&canary)),
            Changed::Stale | Changed::Missing => Err(gone("it")),
        },
        Some(Change::Deployment(deployment, change)) => {
            let api = cluster.api::<k8s_openapi::api::apps::v1::Deployment>();
            match cluster.patch(&api, &deployment, &change).await? {
                crate::cluster::Patched::Done(_) => Ok(CanaryState::of(&canary)),
                _ => Err(gone(&format!("its Deployment {deployment}"))),
            }
        }
    }
}
