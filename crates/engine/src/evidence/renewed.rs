//! Tests that begin again whenever they have become sure of the good: for regressions that come late.
//!
//! A test that has seen an hour of health needs long to be convinced of the opposite, since all of that hour speaks against it.
//! So whenever the good is certain, a new test takes over, which has seen nothing yet. The false alarms that all of them together may
//! raise are shared out beforehand: the k-th gets `6 / (π² k²)` of them, which add up to one. Each test is valid from
//! where it begins, so by the union bound all together are, however often they are looked at.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use super::counts::{CountError, Increment};
use super::error_test::{ErrorSettings, ErrorTest, SettingsError, Standing};
use super::limit_test::{LimitError, LimitStanding, LimitTest};
use super::special::finite_exp;

/// A test that has come to think the candidate no worse by this factor begins again. Candidates that are a little worse than tolerated
/// stay far from it, so that they are found as one test alone would, which is what is predicted.
const SURE: f64 = 1e12;

/// The part of all false alarms that the k-th test may raise, counted from 1.
fn part(k: u32) -> f64 {
    6.0 / (PI * f64::from(k)).powi(2)
}

/// [`ErrorTest`]s of one comparison, one after the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RenewedErrorTest {
    settings: ErrorSettings,
    /// The number of the test that runs now.
    number: u32,
    current: ErrorTest,
    worse: bool,
    compared: Increment,
}

impl RenewedErrorTest {
    /// Tests that have seen nothing yet. `settings.alpha` is for all of them together.
    ///
    /// # Errors
    /// Settings out of their range.
    pub fn new(settings: ErrorSettings) -> Result<Self, SettingsError> {
        Ok(Self {
            settings: settings.checked()?,
            number: 1,
            current: nth(settings, 1)?,
            worse: false,
            compared: Increment::default(),
        })
    }

    /// Takes in the requests since the last look; see [`ErrorTest::observe`].
    ///
    /// # Errors
    /// More failures than requests; nothing has changed.
    pub fn observe(&mut self, increment: &Increment) -> Result<(), CountError> {
        self.current.observe(increment)?;
        if increment.compares() {
            self.compared = self.compared.plus(increment);
        }
        self.worse |= self.current.standing() == Standing::Worse;
        if !self.worse && self.current.log_e() < -SURE.ln() {
            let next = self.number.saturating_add(1);
            if let Ok(test) = nth(self.settings, next) {
                (self.number, self.current) = (next, test);
            }
        }
        Ok(())
    }

    /// Whether the candidate was found worse than tolerated, at this look or an earlier one.
    pub const fn is_worse(&self) -> bool {
        self.worse
    }

    /// The logarithm of the e-value of all that was ever seen to speak against the candidate: that of the test that runs now, divided
    /// by what its turn costs, so that it compares with `1 / alpha`.
    pub fn log_e(&self) -> f64 {
        self.current.log_e() + part(self.number).ln()
    }

    /// The e-value; never infinite.
    pub fn e_value(&self) -> f64 {
        finite_exp(self.log_e())
    }

    /// What was compared since the beginning: increments with requests of both versions, added up.
    pub const fn compared(&self) -> &Increment {
        &self.compared
    }

    /// What all the tests together hold to.
    pub const fn settings(&self) -> &ErrorSettings {
        &self.settings
    }

    /// What the first of the tests holds to: by this a rollout is predicted.
    pub fn first(settings: ErrorSettings) -> ErrorSettings {
        ErrorSettings { alpha: settings.alpha * part(1), ..settings }
    }
}

fn nth(settings: ErrorSettings, number: u32) -> Result<ErrorTest, SettingsError> {
    ErrorTest::new(ErrorSettings { alpha: settings.alpha * part(number), ..settings })
}

/// [`LimitTest`]s of one limit, one after the other, and one over all of the time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RenewedLimitTest {
    alpha: f64,
    limit: f64,
    number: u32,
    current: LimitTest,
    whole: LimitTest,
    above: bool,
}

impl RenewedLimitTest {
    /// Tests that have seen nothing yet. `alpha` is for all of them together.
    ///
    /// # Errors
    /// A number that is not strictly between 0 and 1.
    pub fn new(alpha: f64, limit: f64) -> Result<Self, LimitError> {
        let whole = LimitTest::new(alpha, limit)?;
        let current = LimitTest::new(alpha * part(1), limit)?;
        Ok(Self { alpha, limit, number: 1, current, whole, above: false })
    }

    /// Takes in the requests since the last look.
    ///
    /// # Errors
    /// More failures than requests; nothing has changed.
    pub fn observe(&mut self, requests: u64, failed: u64) -> Result<(), CountError> {
        self.whole.observe(requests, failed)?;
        self.current.observe(requests, failed)?;
        match self.current.standing() {
            LimitStanding::Above => self.above = true,
            LimitStanding::Below => {
                let next = self.number.saturating_add(1);
                if let Ok(test) = LimitTest::new(self.alpha * part(next), self.limit) {
                    (self.number, self.current) = (next, test);
                }
            }
            LimitStanding::Undecided => {}
        }
        Ok(())
    }

    /// Above, at this look or an earlier one; below, if all that was seen is; or neither.
    pub fn standing(&self) -> LimitStanding {
        match self.whole.standing() {
            _ if self.above => LimitStanding::Above,
            LimitStanding::Below => LimitStanding::Below,
            _ => LimitStanding::Undecided,
        }
    }

    /// The logarithm of the e-value of the test that runs now, divided by what its turn costs.
    pub fn log_e(&self) -> f64 {
        self.current.log_e() + part(self.number).ln()
    }

    /// Requests since the beginning, and how many of them failed.
    pub const fn counted(&self) -> (u64, u64) {
        self.whole.counted()
    }

    /// What the first of the tests holds to: by this a rollout is predicted.
    pub fn first_alpha(&self) -> f64 {
        self.alpha * part(1)
    }

    /// The limit, as a share.
    pub const fn limit(&self) -> f64 {
        self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(candidate_failed: u64) -> Increment {
        Increment { candidate_requests: 100, stable_requests: 900, candidate_failed, stable_failed: 9 }
    }

    #[test]
    fn the_parts_add_up_to_one() {
        let sum: f64 = (1..100_000).map(part).sum();
        assert!((0.9999..1.0).contains(&sum), "{sum}");
    }

    #[test]
    fn hours_of_health_do_not_hide_a_late_regression() {
        let settings = ErrorSettings { tolerated: 2.0, ..ErrorSettings::default() };
        let (mut renewed, mut alone) =
            (RenewedErrorTest::new(settings).unwrap(), ErrorTest::new(settings).unwrap());
        for _ in 0..10_000 {
            renewed.observe(&look(1)).unwrap();
            alone.observe(&look(1)).unwrap();
        }
        assert!(!renewed.is_worse());
        let needed = (1..1_000).find(|_| {
            renewed.observe(&look(10)).unwrap();
            alone.observe(&look(10)).unwrap();
            renewed.is_worse()
        });
        assert!(needed.is_some_and(|looks| looks < 20), "{needed:?}");
        assert_eq!(alone.standing(), Standing::Undecided, "one test alone is still convinced of the good");
    }

    #[test]
    fn a_limit_that_is_broken_late_is_noticed() {
        let mut test = RenewedLimitTest::new(0.01, 0.05).unwrap();
        for _ in 0..10_000 {
            test.observe(100, 0).unwrap();
        }
        assert_eq!(test.standing(), LimitStanding::Below);
        let needed = (1..100).find(|_| {
            test.observe(100, 20).unwrap();
            test.standing() == LimitStanding::Above
        });
        assert!(needed.is_some_and(|looks| looks < 10), "{needed:?}");
    }
}
