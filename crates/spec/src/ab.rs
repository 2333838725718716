//! An A/B test: two versions side by side, and which of them is better at something that is counted.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Condition, duration_ms};

/// An A/B test. The stable version is A, the new one is B.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbTrial {
    /// Who gets B.
    pub arm: Arm,
    /// How long it takes at most.
    #[serde(with = "duration_ms", rename = "for_ms")]
    pub lasts: Duration,
    /// What is compared.
    pub goal: Goal,
    /// How often a winner may be named though there is none, in hundredths of a percent.
    pub alpha: u32,
    /// Differences up to this are none that matter, in hundredths of a percent.
    pub indifference: u32,
    /// Whether B gets everything if it wins.
    pub promotes: bool,
}

/// Who gets B.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arm {
    /// So many of the clients, drawn by chance, in hundredths of a percent.
    Share(u32),
    /// Clients with something in their requests. They are not drawn by chance.
    Cohort(Condition),
}

impl Arm {
    /// Whether chance alone decides who gets B, so that a difference can only be the version's.
    pub fn is_by_chance(&self) -> bool {
        matches!(self, Self::Share(_))
    }
}

/// What is compared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// Requests that fail at the edge: fewer are better.
    #[default]
    Errors,
    /// Successes among units: more are better.
    Successes(GoalQueries),
}

/// PromQL for counters that only grow, of the version `$VERSION`. `$SERVICE` and `$ENVIRONMENT` are substituted too; `$$` is a
/// dollar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoalQueries {
    /// Units that succeeded, such as orders.
    pub successes: String,
    /// All units, such as visits.
    pub units: String,
}
