//! Other weights for the same time.

use pilotage_spec::StrategyKind;
use serde::{Deserialize, Serialize};

use super::schedule::{CurrentTraffic, ForecastError, watches};
use crate::Plan;
use crate::evidence::ErrorSettings;
use crate::evidence::prediction::{Prediction, Watch};

/// What bad releases are like: so many times as many failures, each as likely as the others.
const REGRESSIONS: [f64; 4] = [2.0, 5.0, 10.0, 50.0];
/// How the weights of a proposal may begin, and by what each is larger than the one before.
const FIRST: [u32; 6] = [50, 100, 200, 500, 1_000, 2_000];
const FACTORS: [u32; 4] = [2, 3, 5, 10];
/// The most weights of a proposal before 100 %.
const MOST_WEIGHTS: usize = 6;
/// A proposal that spares less than this part of the failed requests is not worth a change.
const WORTH: f64 = 0.1;
/// A watch shorter than this has no time to be looked at by anybody.
const SHORTEST_SECONDS: f64 = 1.0;

/// A canary that takes as long as the plan, and lets a bad release fail fewer requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// The candidate's shares in hundredths of a percent, with 10,000 at the end.
    pub weights: Vec<u32>,
    /// The length of each watch, in seconds.
    pub watch_seconds: f64,
    /// Failed requests of bad releases with the plan as it is, in the mean over releases 2, 5, 10 and 50 times as bad.
    pub failed_requests_now: f64,
    /// The same with the proposal.
    pub failed_requests: f64,
}

impl Proposal {
    /// The best of many canaries, if it is clearly better than the plan. Only a canary is compared with: what other strategies are
    /// chosen for is not what a canary does better.
    pub(super) fn better(
        plan: &Plan,
        settings: &ErrorSettings,
        traffic: &CurrentTraffic,
    ) -> Result<Option<Self>, ForecastError> {
        let StrategyKind::Canary { .. } = plan.request.strategy.kind else { return Ok(None) };
        let planned: Vec<_> = watches(plan).into_iter().filter(|watch| !watch.soak).collect();
        let soak = plan.request.strategy.soak.as_secs_f64();
        let seconds: f64 = planned.iter().map(|watch| watch.duration.as_secs_f64()).sum();
        let given: Vec<Watch> =
            planned.iter().map(|watch| traffic.watch(watch.share, watch.duration)).collect();
        let failed_requests_now = failed(settings, traffic, &given, soak)?;
        let mut best: Option<Self> = None;
        for weights in candidates() {
            let watch_seconds = seconds / f64::from(u32::try_from(weights.len()).unwrap_or(1));
            if watch_seconds < SHORTEST_SECONDS {
                continue;
            }
            // In seconds as they are written.
            let watch_seconds = watch_seconds.floor();
            let duration = std::time::Duration::from_secs_f64(watch_seconds);
            let proposed: Vec<Watch> = weights.iter().map(|share| traffic.watch(*share, duration)).collect();
            let failed_requests = failed(settings, traffic, &proposed, soak)?;
            let better_than =
                best.as_ref().map_or(failed_requests_now * (1.0 - WORTH), |best| best.failed_requests);
            if failed_requests < better_than {
                best = Some(Self { weights, watch_seconds, failed_requests_now, failed_requests });
            }
        }
        Ok(best)
    }
}

/// Weights that rise by a constant factor.
fn candidates() -> impl Iterator<Item = Vec<u32>> {
    let rising = |first: u32, factor: u32| {
        let mut weights: Vec<u32> = std::iter::successors(Some(first), |weight| weight.checked_mul(factor))
            .take_while(|weight| *weight <= 5_000)
            .take(MOST_WEIGHTS)
            .collect();
        weights.push(10_000);
        weights
    };
    FIRST.into_iter().flat_map(move |first| FACTORS.map(|factor| rising(first, factor)))
}

/// How many requests more than the stable version's share bad releases fail: until they are found, or else to the end of the soak.
fn failed(
    settings: &ErrorSettings,
    traffic: &CurrentTraffic,
    watches: &[Watch],
    soak_seconds: f64,
) -> Result<f64, ForecastError> {
    let share = traffic.failed_share();
    let beside: Vec<Watch> = watches.iter().filter(|watch| watch.share < 1.0).copied().collect();
    let alone: f64 = watches.iter().filter(|watch| watch.share >= 1.0).map(|watch| watch.seconds).sum();
    let mut sum = 0.0;
    for times in REGRESSIONS {
        let prediction = Prediction::rough(settings, &traffic.traffic(), &beside, times)?;
        let failing = (times * share).min(1.0);
        let excess = (failing - share) / failing;
        let unfound = 1.0 - prediction.worse();
        let later = traffic.requests_per_second * failing * (alone + soak_seconds);
        sum += excess * (prediction.failed_requests() + unfound * later);
    }
    Ok(sum / f64::from(u32::try_from(REGRESSIONS.len()).unwrap_or(1)))
}
