//! One version in one interval, as a row of a file says it.

use pilotage_spec::Timestamp;

/// Which of the two versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The new one.
    Candidate,
    /// The one it is compared with.
    Stable,
}

/// One version in one interval. Rows of the same time that follow each other are one interval, and those of one version in it are added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// When the interval ended.
    pub at: Timestamp,
    /// Of which version this is.
    pub who: Who,
    /// What it did; `None` if that is not known, and then nothing of that interval is compared.
    pub figures: Option<Figures>,
}

/// What one version did in one interval.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Requests.
    pub requests: u64,
    /// Of these, failed ones.
    pub failed: u64,
    /// Of the failed ones, those that began a burst of their client. Where clients are not told apart, all of them.
    pub failed_clients: u64,
    /// How long its requests took.
    pub quantiles: Quantiles,
    /// Its share of the traffic, in hundredths of a percent, where that is known.
    pub share: Option<u32>,
}

/// How long requests took, in microseconds, as far as it is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quantiles {
    /// Half of them were faster.
    pub p50_micros: Option<u64>,
    /// 95 % were faster.
    pub p95_micros: Option<u64>,
    /// 99 % were faster.
    pub p99_micros: Option<u64>,
}
