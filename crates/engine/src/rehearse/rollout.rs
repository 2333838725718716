//! What became of one rehearsed rollout.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What became of one rehearsed rollout.
#[derive(Debug, Clone, PartialEq)]
pub struct Rollout {
    /// How it ended.
    pub end: End,
    /// When and why it was taken back, if it was.
    pub taken_back: Option<TakenBack>,
    /// A watch ended though too little had been seen in it, and the plan went on.
    pub unsure: bool,
    /// Users' requests that failed on the candidate.
    pub failed: u64,
    /// Those beyond what the stable version would have failed at the same time; by luck it may be less than none.
    pub hurt: f64,
}

/// How a rehearsed rollout ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The candidate serves everybody.
    Succeeded,
    /// It was taken back after it had had users.
    RolledBack,
    /// It was taken back because too little was seen.
    Inconclusive,
    /// It was given up before it had users, or the way back could not be finished.
    Failed,
    /// It was a trial, and ended as planned.
    Concluded,
    /// It waited for evidence for half as long again as the plan takes.
    Held,
}

/// When and why a rollout was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenBack {
    /// Since the candidate's first request.
    pub after: Duration,
    /// The switch that had been made last, from 1, of those that give the candidate requests; 0 before the first.
    pub step: usize,
    /// The triggers that fired; none if it was not a verdict's doing.
    pub triggers: Vec<String>,
}
