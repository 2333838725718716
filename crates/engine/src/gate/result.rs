//! What a gate says.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a gate decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateOutcome {
    /// The plan may go on.
    Passed,
    /// It would not have, but somebody who may has declared an emergency.
    BrokenGlass,
    /// Not yet: somebody else, or the time, can still let it pass.
    Waiting,
    /// It may not, and the finding says why.
    Refused,
    /// It cannot be told; that is no pass.
    Error,
}

impl GateOutcome {
    /// Whether the gate stands in nobody's way.
    pub fn lets_pass(self) -> bool {
        matches!(self, Self::Passed | Self::BrokenGlass)
    }
}

/// What a gate found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateResult {
    /// The gate's id.
    pub gate: String,
    /// Its decision.
    pub outcome: GateOutcome,
    /// What it saw, in words.
    pub finding: String,
    /// What to do, unless it passes.
    pub remedy: Option<String>,
    /// What it went by, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub evidence: BTreeMap<String, String>,
}

impl GateResult {
    pub(super) fn new(id: &str, checked: Result<Finding, Refusal>) -> Self {
        let gate = id.to_owned();
        match checked {
            Ok(Finding { words, evidence }) => {
                Self { gate, outcome: GateOutcome::Passed, finding: words, remedy: None, evidence }
            }
            Err(Refusal { outcome, finding, remedy, evidence }) => {
                Self { gate, outcome, finding, remedy: Some(remedy), evidence }
            }
        }
    }
}

/// Whether nothing but somebody's word, or the time, is missing.
pub fn may_pass_later(results: &[GateResult]) -> bool {
    let outcomes = || results.iter().map(|gate| gate.outcome);
    outcomes().any(|outcome| outcome == GateOutcome::Waiting)
        && outcomes().all(|outcome| outcome.lets_pass() || outcome == GateOutcome::Waiting)
}

/// Why a gate lets a plan pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub(super) words: String,
    pub(super) evidence: BTreeMap<String, String>,
}

impl Finding {
    pub(super) fn new(words: impl Into<String>) -> Self {
        Self { words: words.into(), evidence: BTreeMap::new() }
    }

    pub(super) fn evidence(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        self.evidence.insert(name.into(), value.to_string());
        self
    }
}

/// Why a gate does not, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub(super) outcome: GateOutcome,
    pub(super) finding: String,
    pub(super) remedy: String,
    pub(super) evidence: BTreeMap<String, String>,
}

impl Refusal {
    /// The plan may not be carried out.
    pub(super) fn refused(finding: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(GateOutcome::Refused, finding, remedy)
    }

    /// The plan may not be carried out yet.
    pub(super) fn waits(finding: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(GateOutcome::Waiting, finding, remedy)
    }

    /// It cannot be told.
    pub(super) fn unknown(finding: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(GateOutcome::Error, finding, remedy)
    }

    fn new(outcome: GateOutcome, finding: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { outcome, finding: finding.into(), remedy: remedy.into(), evidence: BTreeMap::new() }
    }

    pub(super) fn evidence(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        self.evidence.insert(name.into(), value.to_string());
        self
    }
}
