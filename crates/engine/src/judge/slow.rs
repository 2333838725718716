//! Latency as a share of slow requests: slower than a cut-off that was frozen beforehand.

use serde::{Deserialize, Serialize};

use super::comparison::Comparison;
use super::look::{Look, Side, merge};
use crate::evidence::{Bucket, Increment, LatencyCutOff, LimitStanding, RenewedLimitTest};

/// Differences below this are noise of the machine, not of the release. In microseconds.
const FLOOR_MICROS: u64 = 5_000;
/// A tail is made of few requests: a quantile means something only once some ten lie above it.
const REQUESTS_ABOVE: u64 = 10;

/// A quantile of the latency that must stay within a multiple of the stable version's.
///
/// The cut-off is that multiple of the stable version's quantile, frozen before anything is compared. A candidate whose
/// quantile lies above it has more slow requests than the quantile leaves room for: that must be certain. And that
/// it is the candidate's doing, and not that of something both share, must be certain too: it has more slow requests than the stable version at
/// the same time. Either alone is no verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SlowRequests {
    /// The quantile in thousandths, such as 990.
    quantile: u32,
    /// In thousandths.
    multiple: u32,
    /// The stable version's latencies until the cut-off is frozen.
    before: Vec<(u64, u64)>,
    frozen: Option<Frozen>,
    comparison: Comparison,
    limit: RenewedLimitTest,
}

/// What requests are measured by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frozen {
    /// The stable version's quantile when it was frozen, in microseconds.
    pub stable_micros: u64,
    /// Slower requests are slow.
    pub cut_off: LatencyCutOff,
}

impl SlowRequests {
    /// Nothing if such a quantile cannot be tested. `alpha` is for all of it together.
    pub(super) fn new(quantile: u32, multiple: u32, alpha: f64) -> Option<Self> {
        Some(Self {
            quantile,
            multiple,
            before: Vec::new(),
            frozen: None,
            comparison: Comparison::new(alpha, 1.0)?,
            limit: RenewedLimitTest::new(alpha, room(quantile)).ok()?,
        })
    }

    /// What was measured of the stable version before the comparison began.
    pub(super) fn known_before(&mut self, stable: &Side) {
        if self.frozen.is_none() {
            merge(&mut self.before, &stable.latencies);
            self.freeze();
        }
    }

    pub(super) fn look(&mut self, look: &Look) {
        let Some(frozen) = self.frozen else { return self.known_before(&look.stable) };
        let cut_off = frozen.cut_off.micros();
        let (candidate_requests, candidate_failed) = look.candidate.slower_than(cut_off);
        let (stable_requests, stable_failed) = look.stable.slower_than(cut_off);
        let increment = Increment { candidate_requests, stable_requests, candidate_failed, stable_failed };
        self.comparison.look(increment, look.beside, room(self.quantile));
        // Slow requests are among those that were measured.
        let _ = self.limit.observe(candidate_requests, candidate_failed);
    }

    pub(super) fn shares_changed(&mut self) {
        self.comparison.shares_changed();
    }

    fn freeze(&mut self) {
        let mut requests = 0;
        let buckets: Vec<Bucket> = self
            .before
            .iter()
            .map(|(micros, count)| {
                requests += count;
                Bucket { micros: *micros, requests }
            })
            .collect();
        if requests < self.needed() {
            return;
        }
        let quantile = LatencyCutOff::freeze(&buckets, f64::from(self.quantile) / 1_000.0);
        self.frozen = quantile.map(|quantile| {
            let stable_micros = quantile.micros();
            let allowed = stable_micros.saturating_mul(u64::from(self.multiple)) / 1_000;
            let cut_off = LatencyCutOff::at(allowed.max(stable_micros.saturating_add(FLOOR_MICROS)));
            Frozen { stable_micros, cut_off }
        });
        self.before = Vec::new();
    }

    /// The stable version's requests that must have been measured before its quantile means anything.
    pub fn needed(&self) -> u64 {
        REQUESTS_ABOVE * 1_000 / u64::from(1_000 - self.quantile.min(999))
    }

    /// Whether the candidate is slower than allowed, and not because of something that both share. Its first requests, which warm
    /// it up, do not make that verdict.
    pub fn is_slower(&self) -> bool {
        if self.counted().0 < self.needed() {
            return false;
        }
        let above = self.limit.standing() == LimitStanding::Above;
        (above && self.comparison.is_worse_beside()) || self.comparison.is_worse_alone()
    }

    /// Whether the candidate's quantile certainly lies within what is allowed.
    pub fn is_within(&self) -> bool {
        self.limit.standing() == LimitStanding::Below
    }

    /// The candidate's requests that were measured, and the slow ones among them.
    pub const fn counted(&self) -> (u64, u64) {
        self.limit.counted()
    }

    /// What requests are measured by, once the stable version's quantile is known.
    pub const fn frozen(&self) -> Option<&Frozen> {
        self.frozen.as_ref()
    }

    /// The comparison with the stable version.
    pub const fn comparison(&self) -> &Comparison {
        &self.comparison
    }

    /// `p99`.
    pub fn name(&self) -> String {
        format!("p{}", self.quantile / 10)
    }
}

/// The share of requests that may be slower than a quantile.
fn room(quantile: u32) -> f64 {
    1.0 - f64::from(quantile) / 1_000.0
}
