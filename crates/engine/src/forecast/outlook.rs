//! What each watch sees, and what becomes of releases that are so many times as bad.

use pilotage_spec::RollBackWhen;
use serde::{Deserialize, Serialize};

use super::proposal::Proposal;
use super::schedule::{CurrentTraffic, ForecastError, Planned, watches};
use crate::Plan;
use crate::evidence::ErrorSettings;
use crate::evidence::prediction::{Prediction, Watch, power_below, smallest_share_above};
use crate::judge::{alone_limit, error_settings, rate_alpha};

/// The probabilities of finding a regression that are told.
const POWERS: [f64; 3] = [0.5, 0.8, 0.95];
/// The regressions that are followed.
const REGRESSIONS: [f64; 4] = [2.0, 5.0, 10.0, 50.0];

/// What a plan will be able to see.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// The traffic it is made for.
    pub traffic: CurrentTraffic,
    /// The share of the stable version's requests that is taken to fail.
    pub failed_share: f64,
    /// All watches together, the soak included, in seconds: the time the plan takes at least.
    pub total_seconds: f64,
    /// Each watch in which the candidate has a share of the traffic; nothing is foretold of cohorts and copies.
    pub watches: Vec<WatchOutlook>,
    /// Releases that fail so many times as often as the stable version.
    pub regressions: Vec<RegressionOutlook>,
    /// Other weights that see more in the same time, if there are any.
    pub proposal: Option<Proposal>,
}

/// What is seen by the end of one watch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WatchOutlook {
    /// The number of its step, from 0.
    pub step: usize,
    /// The candidate's share, in hundredths of a percent.
    pub share: u32,
    /// Its length in seconds.
    pub seconds: f64,
    /// Whether it is the soak.
    pub soak: bool,
    /// The smallest regressions, as multiples of the stable version's share of failures, that are found by its end with a
    /// probability of 50, 80 and 95 %; `None` where not even a release that fails everything is.
    pub detectable: [Option<f64>; 3],
    /// How likely a release as good as the stable version is to end it without a verdict.
    pub inconclusive: f64,
    /// Not even a release that fails every request would be noticed in it, with a probability of 80 %.
    pub blind: bool,
}

/// What becomes of a release that fails so many times as often as the stable version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RegressionOutlook {
    /// So many times.
    pub times: f64,
    /// The probability that it is found while both versions serve.
    pub found: f64,
    /// How many of its requests fail before it is taken back, in the mean of the rollouts in which it is.
    pub failed_requests: Option<f64>,
    /// After how many seconds half of such releases are found.
    pub median_seconds: Option<f64>,
}

impl Forecast {
    /// Foretells a plan; `None` where there is no stable version or no watch, and so nothing to foretell.
    ///
    /// # Errors
    /// Numbers out of their range, or a strategy that compares nothing.
    pub fn of(plan: &Plan, traffic: &CurrentTraffic) -> Result<Option<Self>, ForecastError> {
        let planned = watches(plan);
        if plan.stable().is_none_or(|stable| stable == plan.candidate()) || planned.is_empty() {
            return Ok(None);
        }
        let when = plan.roll_back_when();
        let settings = error_settings(when).ok_or(ForecastError::NotCompared)?;
        let beside = beside(traffic, &planned);
        let found = Found::on_a_grid(&settings, traffic, &beside)?;
        let regressions = REGRESSIONS
            .into_iter()
            .map(|times| regression(&settings, traffic, &beside, times))
            .collect::<Result<_, _>>()?;
        Ok(Some(Self {
            traffic: *traffic,
            failed_share: traffic.failed_share(),
            total_seconds: planned.iter().map(|watch| watch.duration.as_secs_f64()).sum(),
            // How many users a cohort has, or which requests are copied, is not known beforehand.
            watches: (0..planned.len())
                .filter(|index| planned[*index].share > 0)
                .map(|index| outlook(&found, when, traffic, &planned[..=index]))
                .collect::<Result<_, _>>()?,
            regressions,
            proposal: Proposal::better(plan, &settings, traffic)?,
        }))
    }
}

impl Forecast {
    /// The watches in which nothing can be seen; the soak is not one of them.
    pub fn blind(&self) -> impl Iterator<Item = &WatchOutlook> {
        self.watches.iter().filter(|watch| watch.blind && !watch.soak)
    }
}

/// The steps of the watches in which not even a release that fails every request would be noticed; the soak is not one of them.
/// Far less work than the whole forecast.
///
/// # Errors
/// The same as for [`Forecast::of`].
pub fn blind_steps(plan: &Plan, traffic: &CurrentTraffic) -> Result<Vec<usize>, ForecastError> {
    let planned = watches(plan);
    if plan.stable().is_none_or(|stable| stable == plan.candidate()) {
        return Ok(Vec::new());
    }
    let when = plan.roll_back_when();
    let settings = error_settings(when).ok_or(ForecastError::NotCompared)?;
    let worst = Found::worst(&settings, traffic, &beside(traffic, &planned))?;
    let is_blind = |index: &usize| {
        let watch = &planned[*index];
        watch.share > 0 && !watch.soak && !sees(&worst, when, traffic, &planned[..=*index])
    };
    Ok((0..planned.len()).filter(is_blind).map(|index| planned[index].step).collect())
}

/// The watches in which both versions serve.
fn beside(traffic: &CurrentTraffic, planned: &[Planned]) -> Vec<Watch> {
    let both = planned.iter().filter(|watch| (1..10_000).contains(&watch.share));
    both.map(|watch| traffic.watch(watch.share, watch.duration)).collect()
}

/// How many regressions, from the tolerated one to all requests failing, are followed through all watches.
const GRID: u32 = 24;

/// For each of some regressions, rising, the probability over time that it is found beside the stable version.
struct Found(Vec<(f64, Prediction)>);

impl Found {
    fn on_a_grid(
        settings: &ErrorSettings,
        traffic: &CurrentTraffic,
        beside: &[Watch],
    ) -> Result<Self, ForecastError> {
        let (least, most) = (settings.tolerated.ln(), (1.0 / traffic.failed_share()).ln());
        let times = (1..=GRID).map(|step| (least + (most - least) * f64::from(step) / f64::from(GRID)).exp());
        times.map(|times| Self::one(settings, traffic, beside, times)).collect::<Result<_, _>>().map(Self)
    }

    /// Only a release that fails every request.
    fn worst(
        settings: &ErrorSettings,
        traffic: &CurrentTraffic,
        beside: &[Watch],
    ) -> Result<Self, ForecastError> {
        Ok(Self(vec![Self::one(settings, traffic, beside, 1.0 / traffic.failed_share())?]))
    }

    fn one(
        settings: &ErrorSettings,
        traffic: &CurrentTraffic,
        beside: &[Watch],
        times: f64,
    ) -> Result<(f64, Prediction), ForecastError> {
        Ok((times, Prediction::rough(settings, &traffic.traffic(), beside, times)?))
    }

    /// The smallest regression that is found by so many seconds with this probability, between two of the grid.
    fn smallest(&self, seconds: f64, power: f64) -> Option<f64> {
        let points: Vec<(f64, f64)> =
            self.0.iter().map(|(times, prediction)| (*times, prediction.worse_by(seconds))).collect();
        let after = points.iter().position(|(_, found)| *found >= power)?;
        let (times, found) = points[after];
        let Some((lower, less)) = after.checked_sub(1).map(|before| points[before]) else {
            return Some(times);
        };
        let part = (power - less) / (found - less).max(f64::MIN_POSITIVE);
        Some((lower.ln() + part * (times.ln() - lower.ln())).exp())
    }

    /// Whether a release that fails every request is found between two times with this probability, if it was not before.
    fn sees(&self, from: f64, to: f64, power: f64) -> bool {
        let Some((_, worst)) = self.0.last() else { return false };
        let (before, by) = (worst.worse_by(from), worst.worse_by(to));
        before > 0.99 || by - before >= power * (1.0 - before)
    }
}

fn outlook(
    found: &Found,
    when: &RollBackWhen,
    traffic: &CurrentTraffic,
    up_to: &[Planned],
) -> Result<WatchOutlook, ForecastError> {
    let Some(watch) = up_to.last() else { return Err(ForecastError::NotCompared) };
    let end = seconds_beside(traffic, up_to);
    let detectable = POWERS.map(|power| {
        smaller(found.smallest(end, power).filter(|_| end > 0.0), alone(when, traffic, up_to, power))
    });
    Ok(WatchOutlook {
        step: watch.step,
        share: watch.share,
        seconds: watch.duration.as_secs_f64(),
        soak: watch.soak,
        detectable,
        inconclusive: inconclusive(when, traffic, up_to),
        blind: !sees(found, when, traffic, up_to),
    })
}

/// How long both versions have served by the end of the last of some watches, in seconds.
fn seconds_beside(traffic: &CurrentTraffic, watches: &[Planned]) -> f64 {
    beside(traffic, watches).iter().map(|watch| watch.seconds).sum()
}

/// Whether a release that fails every request is noticed in the last of some watches.
fn sees(found: &Found, when: &RollBackWhen, traffic: &CurrentTraffic, up_to: &[Planned]) -> bool {
    let before = &up_to[..up_to.len().saturating_sub(1)];
    let (start, end) = (seconds_beside(traffic, before), seconds_beside(traffic, up_to));
    match end > start {
        true => found.sees(start, end, POWERS[1]),
        false => alone(when, traffic, up_to, POWERS[1]).is_some(),
    }
}

fn smaller(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// The smallest regression that the candidate alone is found with: by what the stable version can have had before.
fn alone(when: &RollBackWhen, traffic: &CurrentTraffic, up_to: &[Planned], power: f64) -> Option<f64> {
    let share = traffic.failed_share();
    let of = |watches: &dyn Fn(&&Planned) -> bool, part: &dyn Fn(u32) -> u32| -> f64 {
        let seconds = up_to.iter().filter(watches);
        let sum = seconds.map(|watch| f64::from(part(watch.share)) / 10_000.0 * watch.duration.as_secs_f64());
        sum.sum::<f64>() * traffic.requests_per_second
    };
    let requests = whole(of(&|watch| watch.share == 10_000, &|share| share));
    let before = traffic.known.requests + whole(of(&|watch| watch.share < 10_000, &|share| 10_000 - share));
    let (alpha, limit) = alone_limit(when, before, expected(before, share))?;
    Some(smallest_share_above(alpha, limit, requests, power)? / share)
}

fn inconclusive(when: &RollBackWhen, traffic: &CurrentTraffic, up_to: &[Planned]) -> f64 {
    let Some(limit) = when.error_rate else { return 1.0 };
    let part = |watch: &Planned| f64::from(watch.share) / 10_000.0 * watch.duration.as_secs_f64();
    let requests = whole(up_to.iter().map(part).sum::<f64>() * traffic.requests_per_second);
    if requests < when.min_requests {
        return 1.0;
    }
    let limit = f64::from(limit) / 10_000.0;
    1.0 - power_below(rate_alpha(when), limit, requests, traffic.failed_share())
}

fn regression(
    settings: &ErrorSettings,
    traffic: &CurrentTraffic,
    beside: &[Watch],
    times: f64,
) -> Result<RegressionOutlook, ForecastError> {
    let prediction = Prediction::rough(settings, &traffic.traffic(), beside, times)?;
    Ok(RegressionOutlook {
        times,
        found: prediction.worse(),
        failed_requests: prediction.failed_before_worse,
        median_seconds: prediction.seconds_until_worse(0.5),
    })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of requests, cut off")]
fn whole(count: f64) -> u64 {
    count as u64
}

#[expect(clippy::cast_precision_loss, reason = "counts of requests are far below 2^52")]
fn expected(requests: u64, share: f64) -> u64 {
    whole(requests as f64 * share)
}
