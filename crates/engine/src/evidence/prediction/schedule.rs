//! What is asked about: the traffic, and the watches of a rollout.

use serde::{Deserialize, Serialize};

use crate::evidence::error_test::{ErrorSettings, SettingsError};

/// Why nothing can be predicted.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum PredictionError {
    /// The test itself cannot be made.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// There is no such traffic.
    #[error("{0} requests a second; give a finite number, 0 or more")]
    Requests(f64),
    /// Nothing is a multiple of a rate of zero.
    #[error("the stable version's share of failures is {0}; give a share above 0 and below 1, such as 0.001")]
    Failures(f64),
    /// There is no such watch.
    #[error(
        "a watch of {} s with a share of {}, looked at every {} s; give a share from 0 to 1 and finite times",
        .0.seconds, .0.share, .0.look_seconds
    )]
    Watch(Watch),
    /// There is no such candidate.
    #[error("the relative risk is {0}; give a finite number above 0")]
    RelativeRisk(f64),
    /// There is no such probability.
    #[error("the power is {0}; give a probability above 0 and below 1, such as 0.8")]
    Power(f64),
}

/// The traffic of both versions together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Traffic {
    /// Requests a second.
    pub requests_per_second: f64,
    /// The share of the stable version's requests that fail, above 0.
    pub failed_share: f64,
}

/// One watch of a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Watch {
    /// The candidate's share of the requests. At 0 and at 1 there is nothing to compare.
    pub share: f64,
    /// Its length in seconds.
    pub seconds: f64,
    /// The judge looks so often, in seconds; 0 for after every failure.
    pub look_seconds: f64,
}

/// A watch with what happens in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stage {
    pub seconds: f64,
    pub look_seconds: f64,
    /// The candidate's failures a second.
    pub candidate: f64,
    /// The stable version's failures a second.
    pub stable: f64,
    /// The candidate's requests to each of the stable version's; `None` if one of them has none.
    pub ratio: Option<f64>,
}

impl Stage {
    /// Failures a second that can be compared.
    pub(super) fn compared(&self) -> f64 {
        if self.ratio.is_some() { self.candidate + self.stable } else { 0.0 }
    }

    /// The probability that a failure is the candidate's.
    pub(super) fn candidates(&self) -> f64 {
        if self.candidate == 0.0 { 0.0 } else { self.candidate / (self.candidate + self.stable) }
    }
}

/// The watches with a candidate that fails so many times as often, as far as that is possible.
pub(super) fn stages(
    settings: &ErrorSettings,
    traffic: &Traffic,
    watches: &[Watch],
    relative_risk: f64,
) -> Result<Vec<Stage>, PredictionError> {
    settings.checked()?;
    let Traffic { requests_per_second, failed_share } = *traffic;
    if !(requests_per_second.is_finite() && requests_per_second >= 0.0) {
        return Err(PredictionError::Requests(requests_per_second));
    }
    if !(failed_share > 0.0 && failed_share < 1.0) {
        return Err(PredictionError::Failures(failed_share));
    }
    if !(relative_risk.is_finite() && relative_risk > 0.0) {
        return Err(PredictionError::RelativeRisk(relative_risk));
    }
    let stage = |watch: &Watch| {
        let Watch { share, seconds, look_seconds } = *watch;
        let is_time = |seconds: f64| seconds.is_finite() && seconds >= 0.0;
        if !((0.0..=1.0).contains(&share) && is_time(seconds) && is_time(look_seconds)) {
            return Err(PredictionError::Watch(*watch));
        }
        Ok(Stage {
            seconds,
            look_seconds,
            candidate: requests_per_second * share * (relative_risk * failed_share).min(1.0),
            stable: requests_per_second * (1.0 - share) * failed_share,
            ratio: (share > 0.0 && share < 1.0).then(|| share / (1.0 - share)),
        })
    };
    watches.iter().map(stage).collect()
}
