//! Whether the new version fails more often than the stable one beside it: a test that may be looked at any time.

use serde::{Deserialize, Serialize};

use super::counts::{CountError, Increment};
use super::mixture::Mixture;
use super::risk_ratio::{Interval, RiskRatio};
use super::special::finite_exp;

/// Relative risks that count as evidence of a worse candidate, as far as they lie above the tolerated one.
const WORSE: [f64; 8] = [1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0];

/// Relative risks that count as evidence of a candidate that is good enough, besides the geometric mean of 1 and the
/// unacceptable one.
const GOOD: [f64; 2] = [0.5, 1.0];

/// Why a test cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum SettingsError {
    /// Alpha is no probability that can be acted upon.
    #[error("alpha is {0}; give a probability above 0 and below 1, such as 0.01")]
    Alpha(f64),
    /// The tolerated relative risk leaves nothing to test for.
    #[error("the tolerated relative risk is {0}; give a number above 0 and below 100, such as 1")]
    Tolerated(f64),
    /// The unacceptable relative risk does not lie above the tolerated one, or not above 1.
    #[error(
        "the unacceptable relative risk is {0}; give a finite number above 1 and above the tolerated one, such as 2"
    )]
    Unacceptable(f64),
}

/// What a test is to hold to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ErrorSettings {
    /// How probable a verdict [`Standing::Worse`] may be, over all looks together, on a candidate that is no worse than
    /// tolerated; and likewise [`Standing::GoodEnough`] on one that is unacceptable. Above 0, below 1.
    pub alpha: f64,
    /// The candidate may fail so many times as often as the stable version. 1: no more often.
    pub tolerated: f64,
    /// A candidate that fails so many times as often must not be promoted early. `None`: none is promoted early.
    pub unacceptable: Option<f64>,
}

impl Default for ErrorSettings {
    /// One false verdict in a hundred rollouts, nothing tolerated, no early promotion.
    fn default() -> Self {
        Self { alpha: 0.01, tolerated: 1.0, unacceptable: None }
    }
}

impl ErrorSettings {
    /// The relative risks that the test looks for, above the tolerated one.
    pub(super) fn worse(&self) -> Vec<f64> {
        WORSE.into_iter().filter(|risk| *risk > self.tolerated).collect()
    }

    /// The relative risks that speak for early promotion, below the unacceptable one, with that one.
    pub(super) fn good(&self) -> Option<(f64, Vec<f64>)> {
        let unacceptable = self.unacceptable?;
        Some((unacceptable, GOOD.into_iter().chain([unacceptable.sqrt()]).collect()))
    }

    /// The logarithm that an e-value must reach.
    pub(super) fn log_bar(&self) -> f64 {
        -self.alpha.ln()
    }

    /// The same, if a test can be made of it.
    ///
    /// # Errors
    /// The first number that is out of its range.
    pub fn checked(self) -> Result<Self, SettingsError> {
        if !(self.alpha > 0.0 && self.alpha < 1.0) {
            return Err(SettingsError::Alpha(self.alpha));
        }
        if !(self.tolerated > 0.0 && self.tolerated < 100.0) {
            return Err(SettingsError::Tolerated(self.tolerated));
        }
        match self.unacceptable {
            Some(risk) if !(risk.is_finite() && risk > 1.0 && risk > self.tolerated) => {
                Err(SettingsError::Unacceptable(risk))
            }
            _ => Ok(self),
        }
    }
}

/// What is known so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The candidate fails more often than tolerated, beyond the doubt that alpha allows.
    Worse,
    /// The candidate is not as bad as unacceptable, beyond the doubt that alpha allows.
    GoodEnough,
    /// Neither is known yet.
    Undecided,
}

/// A one-sided sequential test of the candidate's failures against the stable version's at the same time.
///
/// Each failed request is a coin flip: the candidate's with odds `relative risk × its requests / the stable version's`,
/// where both are those of the same increment. Against "no worse than tolerated" stands a mixture of relative risks, and
/// the e-value is their mean likelihood ratio. If the candidate's mean failure rate in an increment is at most the
/// tolerated multiple of the stable version's, the expected factor of that increment is at most
/// `Π(1 + p(a − 1)) ≤ exp(Σp(a − 1)) ≤ 1`, whatever the rates are, how they change from one increment to the next, and
/// how the shares do; so by Ville's inequality the e-value *ever* reaches 1/α with probability α at most. It may be
/// looked at as often as one likes, no baseline rate is needed, an outage of something shared cancels out.
/// It is a discrete one-sided form of the test of Lindon and Malek (Anytime-Valid Inference for Multinomial Count Data,
/// NeurIPS 2022).
///
/// What it cannot do without: failures that do not cause each other. See [`Bursts`](super::Bursts).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErrorTest {
    settings: ErrorSettings,
    worse: Mixture,
    good: Option<Mixture>,
    ratio: RiskRatio,
    compared: Increment,
}

impl ErrorTest {
    /// A test that has seen nothing yet.
    ///
    /// # Errors
    /// Settings out of their range.
    pub fn new(settings: ErrorSettings) -> Result<Self, SettingsError> {
        let settings = settings.checked()?;
        Ok(Self {
            worse: Mixture::new(settings.tolerated, settings.worse()),
            good: settings.good().map(|(null, alternatives)| Mixture::new(null, alternatives)),
            ratio: RiskRatio::default(),
            compared: Increment::default(),
            settings,
        })
    }

    /// Takes in the requests since the last look. Where one of the versions had none, nothing can be compared, and the
    /// increment changes nothing.
    ///
    /// # Errors
    /// More failures than requests; the test is as it was.
    pub fn observe(&mut self, increment: &Increment) -> Result<(), CountError> {
        let increment = increment.checked()?;
        if increment.compares() {
            self.worse.observe(&increment);
            if let Some(good) = &mut self.good {
                good.observe(&increment);
            }
            self.ratio.observe(&increment);
            self.compared = self.compared.plus(&increment);
        }
        Ok(())
    }

    /// What is known, at this look or an earlier one. That it is worse outweighs that it is not as bad as could be.
    pub fn standing(&self) -> Standing {
        let reached = |mixture: &Mixture| mixture.peak() >= self.settings.log_bar();
        if reached(&self.worse) {
            Standing::Worse
        } else if self.good.as_ref().is_some_and(reached) {
            Standing::GoodEnough
        } else {
            Standing::Undecided
        }
    }

    /// The logarithm of the e-value against "no worse than tolerated".
    pub fn log_e(&self) -> f64 {
        self.worse.log_e()
    }

    /// The e-value: how many times better "worse than tolerated" explains the failures. Never infinite.
    pub fn e_value(&self) -> f64 {
        finite_exp(self.log_e())
    }

    /// The logarithm of the e-value against "as bad as unacceptable", if there is such a setting.
    pub fn log_e_good(&self) -> Option<f64> {
        self.good.as_ref().map(Mixture::log_e)
    }

    /// One over the largest e-value so far: a p-value that holds at every look.
    pub fn p_value(&self) -> f64 {
        (-self.worse.peak()).exp()
    }

    /// The relative risk with an interval that holds at every look; see [`RiskRatio::interval`].
    pub fn relative_risk(&self) -> Interval {
        self.ratio.interval(self.settings.alpha)
    }

    /// What was compared so far: increments with requests of both versions, added up.
    pub const fn compared(&self) -> &Increment {
        &self.compared
    }

    /// What the test holds to.
    pub const fn settings(&self) -> &ErrorSettings {
        &self.settings
    }
}
