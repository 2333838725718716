//! The watches of a plan, and the traffic they will meet.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::evidence::prediction::{PredictionError, Traffic, Watch};
use crate::judge::Counts;
use crate::{Plan, Step};

/// Why nothing can be foretold.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum ForecastError {
    /// A number of the traffic is out of its range.
    #[error(transparent)]
    Prediction(#[from] PredictionError),
    /// Nothing is compared.
    #[error("`errors_vs_stable` is off, so that nothing is compared with the stable version")]
    NotCompared,
}

/// The traffic of the stable version as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CurrentTraffic {
    /// Requests a second, of all versions together.
    pub requests_per_second: f64,
    /// What the edge remembers of the stable version.
    pub known: Counts,
}

/// Looks come five times a second.
const LOOK_SECONDS: f64 = 0.2;
/// So many requests of either version make a look; see [`crate::evidence::Gathered`].
const REQUESTS_A_LOOK: f64 = 5.0;

impl CurrentTraffic {
    /// The share of the stable version's requests that fail; where none did, less than one in all that are known.
    #[expect(clippy::cast_precision_loss, reason = "counts of requests are far below 2^52")]
    pub fn failed_share(&self) -> f64 {
        let Counts { requests, bad } = self.known;
        ((bad as f64 + 0.5) / (requests as f64 + 1.0)).clamp(1e-6, 0.5)
    }

    pub(super) fn traffic(&self) -> Traffic {
        Traffic { requests_per_second: self.requests_per_second, failed_share: self.failed_share() }
    }

    /// A watch with a share of the candidate, in hundredths of a percent.
    pub(super) fn watch(&self, share: u32, duration: Duration) -> Watch {
        let share = f64::from(share) / 10_000.0;
        let rarer = self.requests_per_second * share.min(1.0 - share);
        let look_seconds =
            if rarer > 0.0 { (REQUESTS_A_LOOK / rarer).max(LOOK_SECONDS) } else { LOOK_SECONDS };
        Watch {
            share,
            seconds: duration.as_secs_f64(),
            look_seconds: look_seconds.min(duration.as_secs_f64()),
        }
    }
}

/// One watch of a plan.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Planned {
    /// The number of its step, from 0.
    pub step: usize,
    /// The candidate's share, in hundredths of a percent.
    pub share: u32,
    pub duration: Duration,
    pub soak: bool,
}

/// The watches of a plan in their order. Who is in a cohort is not known beforehand: only shares count.
pub(super) fn watches(plan: &Plan) -> Vec<Planned> {
    let mut share = 0;
    let mut watches = Vec::new();
    for (step, planned) in plan.steps.iter().enumerate() {
        match planned {
            Step::Route(split) => share = split.share(plan.candidate()),
            Step::Watch { duration, soak, .. } => {
                watches.push(Planned { step, share, duration: *duration, soak: *soak });
            }
            _ => {}
        }
    }
    watches
}
