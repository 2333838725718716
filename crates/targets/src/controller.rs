//! Rollouts that a controller of somebody else's runs, where a target leaves them to one.

use pilotage_spec::RolloutController;
use serde::{Deserialize, Serialize};

use crate::TargetError;

/// How the rollout of a workload is, as its controller says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControllerRollout {
    /// Who runs it.
    pub controller: RolloutController,
    /// How it is, in the controller's word.
    pub phase: String,
    /// Why, in the controller's words; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// What it waits for; empty while it waits for nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waits_for: Vec<String>,
    /// How many of its steps are done.
    pub step: usize,
    /// How many steps there are; 0 where the controller does not count them.
    pub steps: usize,
    /// The share of the new version in percent.
    pub weight: u32,
    /// Whether it was taken back: by a person, or by what the controller measured.
    pub aborted: bool,
}

impl TargetError {
    /// What a target says that leaves rollouts to nobody.
    pub fn without_controller() -> Self {
        Self::Unsupported {
            what: "asking a controller about a rollout".to_owned(),
            mend: "only targets with `traffic: argo-rollouts` or `traffic: { flagger: … }` leave rollouts to one; `pilotage \
                   promote` and `pilotage abort` are for deployments"
                .to_owned(),
        }
    }
}
