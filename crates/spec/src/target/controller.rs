//! Controllers that run rollouts themselves, and what they are told.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A controller of a cluster that runs rollouts itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RolloutController {
    /// Argo Rollouts, with its Rollouts.
    ArgoRollouts,
    /// Flagger, with its Canaries.
    Flagger,
}

impl fmt::Display for RolloutController {
    /// What it calls itself.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::ArgoRollouts => "Argo Rollouts",
            Self::Flagger => "Flagger",
        })
    }
}

/// What such a controller is told about the rollout of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ControllerOrder {
    /// On to the next step: out of the pause, or past the step that is being done.
    Promote,
    /// The new version gets everything, without what is left of steps, pauses and analyses.
    PromoteFully,
    /// The stable version gets everything back.
    Abort,
    /// Begin again after an abort or a failure.
    Retry,
}

impl ControllerOrder {
    /// The word by which it is recorded.
    pub fn name(self) -> &'static str {
        match self {
            Self::Promote => "promote",
            Self::PromoteFully => "promote_fully",
            Self::Abort => "abort",
            Self::Retry => "retry",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_recorded_by_its_word() {
        use ControllerOrder::{Abort, Promote, PromoteFully, Retry};
        for order in [Promote, PromoteFully, Abort, Retry] {
            assert_eq!(serde_json::to_value(order).unwrap(), order.name());
        }
    }
}
