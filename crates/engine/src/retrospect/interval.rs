//! All rows of one time.

use pilotage_spec::Timestamp;

use super::latencies::latencies;
use super::row::{Row, Who};
use crate::judge::Side;

/// What both versions did in one interval.
#[derive(Debug, Clone, Default)]
pub(super) struct Interval {
    /// When it ended.
    pub at: Timestamp,
    pub candidate: Part,
    pub stable: Part,
}

/// What one version did in one interval.
#[derive(Debug, Clone, Default)]
pub(super) struct Part {
    pub side: Side,
    /// In hundredths of a percent.
    pub share: Option<u32>,
    /// There is a row, be it one without requests.
    pub present: bool,
    /// A row says that it is not known.
    pub unknown: bool,
}

impl Interval {
    pub(super) fn of(row: &Row) -> Self {
        let mut interval = Self { at: row.at, ..Self::default() };
        interval.add(row);
        interval
    }

    pub(super) fn add(&mut self, row: &Row) {
        let part = match row.who {
            Who::Candidate => &mut self.candidate,
            Who::Stable => &mut self.stable,
        };
        part.add(row);
    }

    pub(super) const fn is_known(&self) -> bool {
        !self.candidate.unknown && !self.stable.unknown
    }

    /// Whether the shares that are given say that the stable version has some of the traffic; `None` if none is given.
    pub(super) fn shared(&self) -> Option<bool> {
        match (self.stable.share, self.candidate.share) {
            (Some(stable), _) => Some(stable > 0),
            (None, Some(candidate)) => Some(candidate < 10_000),
            (None, None) => None,
        }
    }
}

impl Part {
    fn add(&mut self, row: &Row) {
        self.present = true;
        let Some(figures) = &row.figures else {
            self.unknown = true;
            return;
        };
        self.side.add(&Side {
            requests: figures.requests,
            failed: figures.failed,
            failed_clients: figures.failed_clients,
            latencies: latencies(figures.requests, &figures.quantiles),
        });
        self.share = figures.share.or(self.share);
    }
}
