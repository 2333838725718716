//! What came of a look back.

use std::time::Duration;

use pilotage_spec::Timestamp;
use serde::Serialize;

use crate::judge::Judgement;

/// What would have happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// The judge's word: when the candidate was taken back, else at the end of the rows.
    pub judgement: Judgement,
    /// When the candidate would have been taken back; `None` if it would not.
    pub taken_back: Option<TakenBack>,
    /// When the first interval with requests to the candidate began.
    pub began: Option<Timestamp>,
    /// How long the rows go on after that.
    pub watched: Duration,
    /// The candidate in all rows.
    pub candidate: Totals,
    /// The stable version in all rows.
    pub stable: Totals,
    /// Intervals in all.
    pub intervals: u64,
    /// Intervals in which both versions had a part of the traffic.
    pub beside: u64,
    /// Intervals that were left out because a count is not known.
    pub unknown: u64,
    /// Some row says how long requests took.
    pub has_latencies: bool,
    /// What other rules would have said, where that was asked.
    pub rules: Vec<RuleSeen>,
}

/// The moment of a rollback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakenBack {
    /// The end of the interval that decided it.
    pub at: Timestamp,
    /// Since the candidate's first interval began.
    pub after: Duration,
    /// The candidate until then.
    pub candidate: Totals,
}

/// Requests, and failed ones among them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Requests.
    pub requests: u64,
    /// Failed ones.
    pub failed: u64,
    /// The last row.
    pub last: Option<Timestamp>,
}

impl Totals {
    pub(super) const fn add(&mut self, requests: u64, failed: u64) {
        self.requests = self.requests.saturating_add(requests);
        self.failed = self.failed.saturating_add(failed);
    }
}

/// A rule to compare with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The share of failures in one minute is above a limit, in hundredths of a percent.
    Share(u32),
    /// Kayenta's judge by one-minute points, every five minutes.
    Kayenta,
}

/// What a rule would have said.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleSeen {
    /// Which rule.
    pub rule: Rule,
    /// What it said last, or when it took the candidate back.
    pub verdict: RuleVerdict,
    /// When it would have taken the candidate back.
    pub taken_back: Option<TakenBack>,
}

/// What a rule would have said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleVerdict {
    /// It takes the candidate back.
    RolledBack,
    /// It lets the candidate go on.
    Pass,
    /// Good enough to stay, not to go on: Kayenta's word.
    Marginal,
    /// It had too little to go by.
    NoData,
}
