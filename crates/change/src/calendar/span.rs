//! Stretches of time, and the limits within which they are looked for.

use std::sync::Arc;

use jiff::Timestamp;

/// From a moment up to another, which is not part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    pub start: Timestamp,
    pub end: Timestamp,
    /// Where it comes from, in words.
    pub name: Arc<str>,
}

/// What is looked at: all spans are wanted that touch this time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Period {
    pub from: Timestamp,
    pub to: Timestamp,
}

/// The spans that have been found for one range, and how much may still be looked at.
#[derive(Debug)]
pub(super) struct Finds {
    pub spans: Vec<Span>,
    period: Period,
    /// How many more candidates may be looked at.
    left: usize,
}

/// More was looked at than is allowed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Exhausted;

/// So many candidates are looked at for one range.
pub(super) const CANDIDATE_LIMIT: usize = 200_000;

impl Finds {
    pub fn new(period: Period) -> Self {
        Self { spans: Vec::new(), period, left: CANDIDATE_LIMIT }
    }

    pub fn period(&self) -> Period {
        self.period
    }

    /// Counts a candidate.
    pub fn count(&mut self) -> Result<(), Exhausted> {
        self.left = self.left.checked_sub(1).ok_or(Exhausted)?;
        Ok(())
    }

    /// Whether a stretch of time has a length and touches the period.
    pub fn wants(&self, start: Timestamp, end: Timestamp) -> bool {
        start < end && end > self.period.from && start <= self.period.to
    }

    /// Keeps a stretch of time if it is wanted.
    pub fn keep(&mut self, start: Timestamp, end: Timestamp, name: &Arc<str>) {
        if self.wants(start, end) {
            self.spans.push(Span { start, end, name: Arc::clone(name) });
        }
    }
}
