//! One kind of bad request, compared between two versions: at the same time, or else with what was before.

use serde::{Deserialize, Serialize};

use crate::evidence::{
    ErrorSettings, Gathered, Increment, LimitStanding, LimitTest, RenewedErrorTest, RenewedLimitTest,
};

/// The part of the false alarms that is kept for the time after the stable version has lost its traffic.
pub(super) const ALONE_PART: f64 = 0.2;
/// With fewer requests before, nothing is known of the stable version.
const FEWEST_BEFORE: u64 = 50;
/// Where the confidence sequence for the stable version's share is sharpest.
const USUAL_SHARE: f64 = 0.01;

/// Bad requests of two versions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    alpha: f64,
    /// The candidate may have so many times the stable version's share.
    tolerated: f64,
    beside: RenewedErrorTest,
    gathered: Gathered,
    before: Counts,
    alone: Option<Alone>,
}

/// Requests, and bad ones among them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Requests.
    pub requests: u64,
    /// Bad ones.
    pub bad: u64,
}

/// The candidate without the stable version beside it, against a limit that was frozen when it was left alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alone {
    /// What was known of the stable version.
    pub before: Counts,
    /// The tests.
    pub test: RenewedLimitTest,
}

impl Comparison {
    /// Nothing if more is tolerated than can be tested for. `alpha` is for all of it together.
    pub(super) fn new(alpha: f64, tolerated: f64) -> Option<Self> {
        let settings =
            ErrorSettings { alpha: alpha * (1.0 - ALONE_PART), tolerated, ..ErrorSettings::default() };
        Some(Self {
            alpha,
            tolerated,
            beside: RenewedErrorTest::new(settings).ok()?,
            gathered: Gathered::default(),
            before: Counts::default(),
            alone: None,
        })
    }

    /// What was counted of the stable version before the comparison began.
    pub(super) fn known_before(&mut self, requests: u64, bad: u64) {
        self.before = self.before.plus(requests, bad);
    }

    /// Takes in a look. `floor` is a share that the candidate may have in any case when it is alone.
    pub(super) fn look(&mut self, look: Increment, beside: bool, floor: f64) {
        if beside {
            self.before = self.before.plus(look.stable_requests, look.stable_failed);
            self.alone = None;
            if let Some(complete) = self.gathered.add(&look) {
                self.observe(&complete);
            }
        } else if look.candidate_requests > 0 {
            self.alone = self.alone.take().or_else(|| self.left_alone(floor));
            if let Some(alone) = &mut self.alone {
                // What is handed in is consistent; were it not, it would be left out.
                let _ = alone.test.observe(look.candidate_requests, look.candidate_failed);
            }
        }
    }

    /// Looks of other shares do not go together with these.
    pub(super) fn shares_changed(&mut self) {
        let open = self.gathered.take();
        self.observe(&open);
    }

    fn observe(&mut self, complete: &Increment) {
        // What is handed in is consistent; were it not, it would be left out.
        let _ = self.beside.observe(complete);
    }

    /// The limit is what the stable version's share can be at most, times what is tolerated: half of this part of the
    /// false alarms goes into the one, half into the other.
    pub(super) fn left_alone(&self, floor: f64) -> Option<Alone> {
        let Counts { requests, bad } = self.before;
        if requests < FEWEST_BEFORE {
            return None;
        }
        let alpha = self.alpha * ALONE_PART / 2.0;
        let mut known = LimitTest::new(alpha, USUAL_SHARE).ok()?;
        known.observe(requests, bad).ok()?;
        let limit = (known.interval().1 * self.tolerated).max(floor).min(0.99);
        Some(Alone { before: self.before, test: RenewedLimitTest::new(alpha, limit).ok()? })
    }

    /// Whether the candidate was found worse than tolerated while the stable version was beside it.
    pub fn is_worse_beside(&self) -> bool {
        self.beside.is_worse()
    }

    /// Whether the candidate alone was found above what the stable version can have had before.
    pub fn is_worse_alone(&self) -> bool {
        self.alone.as_ref().is_some_and(|alone| alone.test.standing() == LimitStanding::Above)
    }

    /// The tests of both versions at the same time.
    pub const fn beside(&self) -> &RenewedErrorTest {
        &self.beside
    }

    /// What the candidate does alone, if it is.
    pub const fn alone(&self) -> Option<&Alone> {
        self.alone.as_ref()
    }
}

impl Counts {
    fn plus(self, requests: u64, bad: u64) -> Self {
        Self { requests: self.requests.saturating_add(requests), bad: self.bad.saturating_add(bad) }
    }
}
