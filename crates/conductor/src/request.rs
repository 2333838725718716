//! What is asked of the conductor, and what it says at once.

use std::sync::Arc;

use pilotage_engine::gate::GateResult;
use pilotage_engine::judge::Reading;
use pilotage_engine::{Asked, DeploymentId, Opinion, Outcome, Plan};
use pilotage_spec::{Digest, Identity, Project, StrategyName, Version, Workload};
use pilotage_targets::Artifact;
use serde::{Deserialize, Serialize};

/// Bring a release out.
#[derive(Debug, Clone)]
pub struct DeployRequest {
    /// The project as its file says now.
    pub project: Arc<Project>,
    /// What moves.
    pub workload: Workload,
    /// The version of the new release.
    pub version: Version,
    /// The artifact's file, folder or archive, or the image.
    pub artifact: Artifact,
    /// Another strategy than the environment's.
    pub strategy: Option<StrategyName>,
    /// The environment's name as typed for confirmation.
    pub confirmation: Option<String>,
    /// The name of the change ticket.
    pub ticket: Option<String>,
    /// Why gates are to be gone past, if it is an emergency.
    pub emergency: Option<String>,
    /// Who asks, as their credential says.
    pub by: Identity,
    /// The name under which that is recorded.
    pub actor: String,
    /// What they typed or called.
    pub command: String,
}

impl DeployRequest {
    /// What was given for the gates to look at.
    pub(crate) fn asked(&self) -> Asked {
        Asked {
            by: Some(self.by.clone()),
            confirmation: self.confirmation.clone(),
            ticket: self.ticket.clone(),
            emergency: self.emergency.clone(),
        }
    }
}

/// Say what one thinks of a plan that waits.
#[derive(Debug, Clone)]
pub struct OpinionRequest {
    /// Approve, reject or withdraw.
    pub opinion: Opinion,
    /// The hash of the plan that they had before them.
    pub plan_hash: Digest,
    /// Why.
    pub reason: Option<String>,
    /// Who, as their credential says.
    pub by: Identity,
}

/// Go back to a release that served before.
#[derive(Debug, Clone)]
pub struct RollbackRequest {
    /// What moves.
    pub workload: Workload,
    /// Which release; the one before the current one if not given.
    pub to: Option<Version>,
    /// Why.
    pub reason: Option<String>,
    /// Who asks, as their credential says.
    pub by: Identity,
    /// The name under which that is recorded.
    pub actor: String,
    /// What they typed or called.
    pub command: String,
}

/// A deployment that was recorded.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Started {
    /// Its name.
    pub id: DeploymentId,
    /// What it does; for a rollback of a deployment that is under way, the plan that is taken back.
    pub plan: Plan,
    /// What the gates said.
    pub gates: Vec<GateResult>,
    /// How it ended, if it has ended already, as when a gate refused it.
    pub outcome: Option<Outcome>,
}

/// What a deployment that is under way is doing right now; not recorded, for people who watch.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Live {
    /// What it waits for or does, in words.
    pub activity: String,
    /// What was measured since the current watch began.
    pub reading: Option<Reading>,
    /// Shares in use, newest version first, in hundredths of a percent.
    pub shares: Vec<(Version, u32)>,
    /// Ready instances by version.
    pub ready: Vec<(Version, u32)>,
}
