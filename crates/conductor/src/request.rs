//! What is asked of the conductor, and what it says at once.

use std::path::PathBuf;
use std::sync::Arc;

use pilotage_engine::gate::GateResult;
use pilotage_engine::judge::Reading;
use pilotage_engine::{DeploymentId, Outcome, Plan};
use pilotage_spec::{Project, StrategyName, Version, Workload};
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
    /// The artifact's file, folder or archive.
    pub artifact: PathBuf,
    /// Another strategy than the environment's.
    pub strategy: Option<StrategyName>,
    /// The environment's name as typed for confirmation.
    pub confirmation: Option<String>,
    /// Who asks.
    pub actor: String,
    /// What they typed or called.
    pub command: String,
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
    /// Who asks.
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
