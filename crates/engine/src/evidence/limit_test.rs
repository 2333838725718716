//! Whether a share lies above or below an absolute limit: a confidence sequence for one proportion.

use serde::{Deserialize, Serialize};

use super::counts::CountError;
use super::special::{bisect, ln_beta, number};

/// Why a limit cannot be tested.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum LimitError {
    /// Alpha is no probability that can be acted upon.
    #[error("alpha is {0}; give a probability above 0 and below 1, such as 0.01")]
    Alpha(f64),
    /// A limit of none or all can be neither kept nor broken.
    #[error("the limit is {0}; give a share above 0 and below 1, such as 0.05")]
    Limit(f64),
}

/// Where a share stands to its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitStanding {
    /// Above it, beyond the doubt that alpha allows.
    Above,
    /// Below it, beyond the doubt that alpha allows.
    Below,
    /// Neither is known yet.
    Undecided,
}

/// A test of one version's share of failures against an absolute limit, valid at every look.
///
/// The likelihood ratio of a beta distribution of shares to the one at the limit (Robbins 1970: with the uniform
/// distribution it is `1 / ((n + 1) C(n, s) p^s (1 − p)^(n − s))`). The distribution is centred on the limit and worth
/// half a failure, so that small limits are decided on early. The shares that it does not rule out at α are an interval
/// which holds the true share at all looks together with probability 1 − α, and the limit is judged by that interval. The
/// share is taken to stay the same: after a change, begin a new test. Failures must not cause each other; see [`Bursts`](super::Bursts).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LimitTest {
    alpha: f64,
    limit: f64,
    requests: u64,
    failed: u64,
    /// The largest logarithm of the e-value at a look with a share above the limit, and with one below.
    peaks: [f64; 2],
}

impl LimitTest {
    /// A test that has seen nothing yet.
    ///
    /// # Errors
    /// A number that is not strictly between 0 and 1.
    pub fn new(alpha: f64, limit: f64) -> Result<Self, LimitError> {
        if !(alpha > 0.0 && alpha < 1.0) {
            return Err(LimitError::Alpha(alpha));
        }
        if !(limit > 0.0 && limit < 1.0) {
            return Err(LimitError::Limit(limit));
        }
        Ok(Self { alpha, limit, requests: 0, failed: 0, peaks: [0.0; 2] })
    }

    /// Takes in the requests since the last look.
    ///
    /// # Errors
    /// More failures than requests; the test is as it was.
    pub fn observe(&mut self, requests: u64, failed: u64) -> Result<(), CountError> {
        if failed > requests {
            return Err(CountError::MoreFailuresThanRequests { requests, failed });
        }
        self.requests = self.requests.saturating_add(requests);
        self.failed = self.failed.saturating_add(failed);
        let above = number(self.failed) > self.limit * number(self.requests);
        let log_e = self.log_e();
        let peak = &mut self.peaks[usize::from(!above)];
        *peak = peak.max(log_e);
        Ok(())
    }

    /// What is known, at this look or an earlier one.
    pub fn standing(&self) -> LimitStanding {
        let bar = -self.alpha.ln();
        match self.peaks {
            [above, _] if above >= bar => LimitStanding::Above,
            [_, below] if below >= bar => LimitStanding::Below,
            _ => LimitStanding::Undecided,
        }
    }

    /// The logarithm of the e-value against "the share is the limit".
    pub fn log_e(&self) -> f64 {
        log_e(self.limit, self.prior(), self.requests, self.failed)
    }

    /// The shares that are not ruled out, from the lowest to the highest.
    pub fn interval(&self) -> (f64, f64) {
        if self.requests == 0 {
            return (0.0, 1.0);
        }
        let bar = -self.alpha.ln();
        let inside = |share: f64| log_e(share, self.prior(), self.requests, self.failed) < bar;
        let observed = number(self.failed) / number(self.requests);
        let lower = if self.failed == 0 { 0.0 } else { bisect(0.0, observed, |share| !inside(share)) };
        let upper = if self.failed == self.requests { 1.0 } else { bisect(observed, 1.0, inside) };
        (lower, upper)
    }

    /// Requests so far, and how many of them failed.
    pub const fn counted(&self) -> (u64, u64) {
        (self.requests, self.failed)
    }

    /// The beta distribution's parameters.
    fn prior(&self) -> (f64, f64) {
        (0.5, 0.5 * (1.0 - self.limit) / self.limit)
    }
}

fn log_e(share: f64, (a, b): (f64, f64), requests: u64, failed: u64) -> f64 {
    let (failed, passed) = (number(failed), number(requests - failed));
    let times = |count: f64, logarithm: f64| if count == 0.0 { 0.0 } else { count * logarithm };
    ln_beta(a + failed, b + passed)
        - ln_beta(a, b)
        - times(failed, share.ln())
        - times(passed, (-share).ln_1p())
}
