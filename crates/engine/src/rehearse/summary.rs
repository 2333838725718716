//! What became of many rollouts.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::course::Course;
use super::rollout::{End, Rollout};

/// What became of many rollouts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// How many were played.
    pub runs: u64,
    /// How many were taken back after they had had users.
    pub rolled_back: u64,
    /// How many were taken back because too little was seen.
    pub inconclusive: u64,
    /// How many were given up before they had users, or could not be taken back to the end.
    pub failed: u64,
    /// How many were trials that ended as planned.
    pub concluded: u64,
    /// How many still waited for evidence after one and a half times the planned time.
    pub held: u64,
    /// How many succeeded.
    pub succeeded: u64,
    /// How many of these went past a watch that had seen too little.
    pub succeeded_unsure: u64,
    /// When those that were taken back were, since the candidate's first request, in milliseconds.
    pub taken_back_after_ms: Option<Spread>,
    /// In which step that was.
    pub steps: Vec<StepCount>,
    /// How many each trigger took back; several may fire at once.
    pub triggers: BTreeMap<String, u64>,
    /// Users' requests that failed on the candidate, over all rollouts.
    pub failed_requests: Option<Spread>,
    /// Those beyond what the stable version would have failed.
    pub users_hurt: Option<Spread>,
}

/// A number that differs from rollout to rollout.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// As much or less in half of them.
    pub median: f64,
    /// As much or less in 95 % of them.
    pub p95: f64,
}

/// Rollouts that were taken back in one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct StepCount {
    /// The step, from 1; 0 is before the candidate's first request.
    pub step: usize,
    /// The candidate's share from that step on, in hundredths of a percent.
    pub share: u32,
    /// How many.
    pub taken_back: u64,
}

impl Summary {
    /// Sums up rollouts of a plan with this course.
    #[expect(clippy::cast_precision_loss, reason = "numbers of rollouts and requests are far below 2^52")]
    pub fn of(rollouts: &[Rollout], course: &Course) -> Self {
        let count =
            |wanted: fn(&Rollout) -> bool| rollouts.iter().filter(|rollout| wanted(rollout)).count() as u64;
        let taken_back = || rollouts.iter().filter_map(|rollout| rollout.taken_back.as_ref());
        let mut triggers = BTreeMap::new();
        for trigger in taken_back().flat_map(|taken| &taken.triggers) {
            *triggers.entry(trigger.clone()).or_default() += 1;
        }
        let mut steps: BTreeMap<usize, u64> = BTreeMap::new();
        taken_back().for_each(|taken| *steps.entry(taken.step).or_default() += 1);
        let share = |step: usize| {
            step.checked_sub(1).and_then(|index| course.stages.get(index)).map_or(0, |stage| stage.share)
        };
        Self {
            runs: rollouts.len() as u64,
            rolled_back: count(|rollout| rollout.end == End::RolledBack),
            inconclusive: count(|rollout| rollout.end == End::Inconclusive),
            failed: count(|rollout| rollout.end == End::Failed),
            concluded: count(|rollout| rollout.end == End::Concluded),
            held: count(|rollout| rollout.end == End::Held),
            succeeded: count(|rollout| rollout.end == End::Succeeded),
            succeeded_unsure: count(|rollout| rollout.end == End::Succeeded && rollout.unsure),
            taken_back_after_ms: Spread::of(taken_back().map(|taken| millis(taken.after)).collect()),
            steps: steps
                .into_iter()
                .map(|(step, taken_back)| StepCount { step, share: share(step), taken_back })
                .collect(),
            triggers,
            failed_requests: Spread::of(rollouts.iter().map(|rollout| rollout.failed as f64).collect()),
            users_hurt: Spread::of(rollouts.iter().map(|rollout| rollout.hurt).collect()),
        }
    }

    /// How many were taken back, for whatever reason.
    pub fn taken_back(&self) -> u64 {
        self.steps.iter().map(|step| step.taken_back).sum()
    }
}

impl Spread {
    /// `None` of no numbers.
    #[expect(clippy::cast_precision_loss, reason = "numbers of rollouts are far below 2^52")]
    fn of(mut numbers: Vec<f64>) -> Option<Self> {
        let count = numbers.len();
        let last = count.checked_sub(1)?;
        numbers.sort_by(f64::total_cmp);
        // The smallest number that so many percent do not exceed.
        let quantile = |percent: usize| numbers[(count * percent).div_ceil(100).saturating_sub(1).min(last)];
        let mean = numbers.iter().sum::<f64>() / count as f64;
        Some(Self {
            mean: to_hundredths(mean),
            median: to_hundredths(quantile(50)),
            p95: to_hundredths(quantile(95)),
        })
    }
}

/// Digits that mean nothing are left out.
fn to_hundredths(number: f64) -> f64 {
    // Minus zero is zero.
    (number * 100.0).round() / 100.0 + 0.0
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
