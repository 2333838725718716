//! What the gates are asked about.

use pilotage_engine::gate::{self, GateResult};
use pilotage_engine::{Asked, Deployment, Plan, Statement};

use super::facts;
use crate::ConductorError;
use crate::conductor::Inner;

/// A plan with what was given and said with it.
pub(crate) struct Subject<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) asked: &'a Asked,
    pub(crate) statements: &'a [Statement],
}

impl<'a> Subject<'a> {
    /// A deployment as it stands.
    pub(crate) fn of(deployment: &'a Deployment) -> Self {
        Self { plan: &deployment.plan, asked: &deployment.asked, statements: &deployment.statements }
    }
}

/// Asks every gate that applies.
pub(crate) async fn check(inner: &Inner, subject: &Subject<'_>) -> Result<Vec<GateResult>, ConductorError> {
    let facts = facts::gather(inner, subject).await?;
    Ok(gate::check(subject.plan, &facts))
}
