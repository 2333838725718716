//! Which of two versions is better at something that is counted: a test that ends by itself, or may be ended any time.

use serde::{Deserialize, Serialize};

use super::counts::{CountError, Increment};
use super::risk_ratio::{Interval, RiskRatio};

/// Why an A/B test cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum AbError {
    /// Alpha is no probability that can be acted upon.
    #[error("alpha is {0}; give a probability above 0 and below 1, such as 0.05")]
    Alpha(f64),
    /// The indifference is no share.
    #[error("the indifference is {0}; give a share above 0 and below 1, such as 0.02 for 2 %")]
    Indifference(f64),
}

/// Units of two arms and how many of them succeeded, since the last look.
///
/// A unit is what was assigned to an arm: a user or a session rather than a request, for requests of one user
/// do not come independently.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbIncrement {
    /// Units of the arm that is compared with.
    pub a_units: u64,
    /// Of these, successes.
    pub a_successes: u64,
    /// Units of the arm that is new.
    pub b_units: u64,
    /// Of these, successes.
    pub b_successes: u64,
}

/// How an A/B test stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AbStanding {
    /// Arm A succeeds more often.
    AWins,
    /// Arm B succeeds more often.
    BWins,
    /// Whatever difference there is lies within the indifference.
    NoDifference,
    /// None of these is known yet.
    Inconclusive,
}

/// A sequential comparison of two shares of successes, by their ratio.
///
/// The ratio is that of B's share to A's, with an interval that holds at every look (see [`RiskRatio::interval`]): under
/// shares of the units that change, and under success rates that rise and fall for both arms. Where most units succeed, count what
/// does *not* happen instead and read the verdict the other way round: the interval treats
/// successes as rare and is up to `1 / sqrt(1 − share)` times wider than it had to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AbTest {
    alpha: f64,
    indifference: f64,
    ratio: RiskRatio,
    totals: AbIncrement,
}

impl AbTest {
    /// A test that has seen nothing. `alpha` is the probability of any false verdict; a ratio between `1 − indifference`
    /// and `1 / (1 − indifference)` is no difference that anybody cares about.
    ///
    /// # Errors
    /// A number that is not strictly between 0 and 1.
    pub fn new(alpha: f64, indifference: f64) -> Result<Self, AbError> {
        if !(alpha > 0.0 && alpha < 1.0) {
            return Err(AbError::Alpha(alpha));
        }
        if !(indifference > 0.0 && indifference < 1.0) {
            return Err(AbError::Indifference(indifference));
        }
        Ok(Self { alpha, indifference, ratio: RiskRatio::default(), totals: AbIncrement::default() })
    }

    /// Takes in the units since the last look. Where one arm had none, nothing can be compared.
    ///
    /// # Errors
    /// More successes than units; the test is as it was.
    pub fn observe(&mut self, added: &AbIncrement) -> Result<(), CountError> {
        let increment = Increment {
            candidate_requests: added.b_units,
            stable_requests: added.a_units,
            candidate_failed: added.b_successes,
            stable_failed: added.a_successes,
        }
        .checked()?;
        self.ratio.observe(&increment);
        let totals = &mut self.totals;
        totals.a_units = totals.a_units.saturating_add(added.a_units);
        totals.a_successes = totals.a_successes.saturating_add(added.a_successes);
        totals.b_units = totals.b_units.saturating_add(added.b_units);
        totals.b_successes = totals.b_successes.saturating_add(added.b_successes);
        Ok(())
    }

    /// B's share of successes as a multiple of A's.
    pub fn ratio(&self) -> Interval {
        self.ratio.interval(self.alpha)
    }

    /// How it stands at this look. A difference that is certain but within the indifference is none.
    pub fn standing(&self) -> AbStanding {
        let Interval { lower, upper, .. } = self.ratio();
        let upper = upper.unwrap_or(f64::INFINITY);
        let least = 1.0 - self.indifference;
        if lower >= least && upper <= 1.0 / least {
            AbStanding::NoDifference
        } else if lower > 1.0 {
            AbStanding::BWins
        } else if upper < 1.0 {
            AbStanding::AWins
        } else {
            AbStanding::Inconclusive
        }
    }

    /// Everything counted so far.
    pub const fn totals(&self) -> &AbIncrement {
        &self.totals
    }
}
