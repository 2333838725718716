//! What becomes of a rollout, over time.

use serde::{Deserialize, Serialize};

use super::chain::{Played, play};
use super::closed_form;
use super::schedule::{PredictionError, Stage, Traffic, Watch, stages};
use crate::evidence::error_test::ErrorSettings;

/// Moments at which each watch is looked at.
const MOMENTS: u32 = 40;

/// Multiplications that a prediction may take, and a rough one.
const BUDGET: f64 = 4e7;
const ROUGH_BUDGET: f64 = 1e6;

/// How things stand at one moment of a rollout.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Moment {
    /// Seconds since the rollout began.
    pub seconds: f64,
    /// The probability that the candidate was found worse by now.
    pub worse: f64,
    /// The probability that it was found good enough by now.
    pub good_enough: f64,
    /// How many requests the candidate is expected to have failed by now, none after a verdict.
    pub failed_requests: f64,
}

/// What becomes of a rollout of a candidate with a certain relative risk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// From the beginning to the end of the last watch.
    pub moments: Vec<Moment>,
    /// How many requests fail on the candidate before it is found worse, in the mean of those rollouts in which it is;
    /// `None` if that never happens.
    pub failed_before_worse: Option<f64>,
}

impl Prediction {
    /// Works out a rollout through some watches, one after the other.
    ///
    /// # Errors
    /// A number that is out of its range.
    pub fn of(
        settings: &ErrorSettings,
        traffic: &Traffic,
        watches: &[Watch],
        relative_risk: f64,
    ) -> Result<Self, PredictionError> {
        Self::within(BUDGET, settings, traffic, watches, relative_risk)
    }

    /// The same in a small part of the time, by the formula for many failures from fewer failures on: for comparing many
    /// schedules.
    ///
    /// # Errors
    /// A number that is out of its range.
    pub fn rough(
        settings: &ErrorSettings,
        traffic: &Traffic,
        watches: &[Watch],
        relative_risk: f64,
    ) -> Result<Self, PredictionError> {
        Self::within(ROUGH_BUDGET, settings, traffic, watches, relative_risk)
    }

    fn within(
        budget: f64,
        settings: &ErrorSettings,
        traffic: &Traffic,
        watches: &[Watch],
        relative_risk: f64,
    ) -> Result<Self, PredictionError> {
        let stages = stages(settings, traffic, watches, relative_risk)?;
        Ok(match play(settings, &stages, relative_risk, budget) {
            Some(played) => Self::exact(&stages, &played),
            None => Self::approximate(settings, &stages),
        })
    }

    /// The probability that the candidate was found worse by so many seconds.
    pub fn worse_by(&self, seconds: f64) -> f64 {
        let until = self.moments.iter().take_while(|moment| moment.seconds <= seconds + 1e-6);
        until.last().map_or(0.0, |moment| moment.worse)
    }

    /// The probability that the candidate is found worse before the end: the power, or the share of false alarms for a
    /// candidate that is not.
    pub fn worse(&self) -> f64 {
        self.end().worse
    }

    /// The probability that the candidate is found good enough before the end.
    pub fn good_enough(&self) -> f64 {
        self.end().good_enough
    }

    /// The probability that the rollout ends without a verdict.
    pub fn undecided(&self) -> f64 {
        (1.0 - self.worse() - self.good_enough()).max(0.0)
    }

    /// How many requests fail on the candidate until a verdict or the end.
    pub fn failed_requests(&self) -> f64 {
        self.end().failed_requests
    }

    /// After how many seconds the candidate is found worse in this share of the rollouts; `None` if it is not in so many.
    pub fn seconds_until_worse(&self, share: f64) -> Option<f64> {
        let after = self.moments.iter().position(|moment| moment.worse >= share)?;
        let right = self.moments.get(after)?;
        let left = self.moments.get(after.checked_sub(1)?)?;
        let part = (share - left.worse) / (right.worse - left.worse).max(f64::MIN_POSITIVE);
        Some(left.seconds + part * (right.seconds - left.seconds))
    }

    fn end(&self) -> Moment {
        self.moments.last().copied().unwrap_or_default()
    }

    fn exact(stages: &[Stage], played: &[Played]) -> Self {
        let mut course = Course::default();
        let (mut worse, mut good, mut failed) = (0.0, 0.0, 0.0);
        for (stage, played) in stages.iter().zip(played) {
            let verdicts = |seconds: f64| {
                let expected = stage.compared() * seconds;
                (
                    worse + played.worse.by(expected, played.chunk),
                    good + played.good.by(expected, played.chunk),
                )
            };
            course.follow(stage, verdicts);
            let expected = stage.compared() * stage.seconds;
            worse += played.worse.by(expected, played.chunk);
            good += played.good.by(expected, played.chunk);
            failed += played.worse.failed_by(expected, played.chunk);
        }
        Self { moments: course.moments, failed_before_worse: (worse > 0.0).then(|| failed / worse) }
    }

    fn approximate(settings: &ErrorSettings, stages: &[Stage]) -> Self {
        let mut course = Course::default();
        let mut before: Vec<Stage> = Vec::new();
        for stage in stages {
            let verdicts = |seconds: f64| {
                let so_far = [before.as_slice(), &[Stage { seconds, ..*stage }]].concat();
                closed_form::verdicts(settings, &so_far)
            };
            course.follow(stage, verdicts);
            before.push(*stage);
        }
        let failed_before_worse = course.failed_before_worse();
        Self { moments: course.moments, failed_before_worse }
    }
}

/// The moments so far.
struct Course {
    moments: Vec<Moment>,
    /// Candidate's failures up to each moment, if no verdict came.
    unstopped: Vec<f64>,
}

impl Default for Course {
    fn default() -> Self {
        Self { moments: vec![Moment::default()], unstopped: vec![0.0] }
    }
}

impl Course {
    /// Follows one watch, given the probabilities of both verdicts so many seconds into it.
    fn follow(&mut self, stage: &Stage, verdicts: impl Fn(f64) -> (f64, f64)) {
        let start = self.moments.last().copied().unwrap_or_default();
        let failed = self.unstopped.last().copied().unwrap_or_default();
        let mut last = start;
        for index in 1..=MOMENTS {
            let seconds = stage.seconds * f64::from(index) / f64::from(MOMENTS);
            let (worse, good_enough) = verdicts(seconds);
            let goes_on = 1.0 - 0.5 * (worse + good_enough + last.worse + last.good_enough);
            let between = start.seconds + seconds - last.seconds;
            last = Moment {
                seconds: start.seconds + seconds,
                worse,
                good_enough,
                failed_requests: last.failed_requests + stage.candidate * between * goes_on.max(0.0),
            };
            self.moments.push(last);
            self.unstopped.push(failed + stage.candidate * seconds);
        }
    }

    /// The candidate's failures until it is found worse, in the mean, from when that happens.
    fn failed_before_worse(&self) -> Option<f64> {
        let worse = self.moments.last()?.worse;
        let pairs = self.moments.windows(2).zip(self.unstopped.windows(2));
        let failed: f64 = pairs
            .map(|(moments, failed)| {
                (moments[1].worse - moments[0].worse) * f64::midpoint(failed[0], failed[1])
            })
            .sum();
        (worse > 0.0).then(|| failed / worse)
    }
}
