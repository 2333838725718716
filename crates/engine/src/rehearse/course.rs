//! The course that a plan would take if nothing went wrong.

use std::time::Duration;

use pilotage_spec::{Cohort, Version};

use crate::plan::Step;
use crate::{Plan, Split};

/// How long an instance is taken to start, where the course is not played.
const START: Duration = Duration::from_secs(5);
/// The share of the clients that a cohort is taken to be, in hundredths of a percent: nobody knows before they come.
const COHORT: u32 = 300;

/// The candidate's part in the traffic over the planned time.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    /// Its stages, in the order of time.
    pub stages: Vec<Stage>,
    /// From the candidate's first request to the end of the last watch.
    pub after_first_request: Duration,
    /// The whole planned time.
    pub whole: Duration,
}

/// A switch that gives the candidate requests, and all until the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    /// What it has from then on, in hundredths of a percent: of users, or of copies where no user meets it.
    pub share: u32,
    /// When, from the candidate's first request on.
    pub at: Duration,
}

impl Course {
    /// The course of a plan.
    pub fn of(plan: &Plan) -> Self {
        let candidate = plan.candidate();
        let mut stages: Vec<Stage> = Vec::new();
        let (mut now, mut first) = (Duration::ZERO, None);
        for step in &plan.steps {
            match step {
                Step::Route(split) => {
                    let share = Load::of(split, candidate).seen();
                    if share > 0 {
                        let first = *first.get_or_insert(now);
                        stages.push(Stage { share, at: now - first });
                    }
                }
                Step::Watch { duration, .. } => now += *duration,
                Step::Check { .. } => now += START,
                _ => {}
            }
        }
        Self { stages, after_first_request: now - first.unwrap_or(now), whole: now }
    }

    /// The greatest share that the candidate is to have, in hundredths of a percent.
    pub fn greatest(&self) -> u32 {
        self.stages.iter().map(|stage| stage.share).max().unwrap_or(0)
    }
}

/// Which part of all requests a version gets, in hundredths of a percent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Load {
    /// Of users.
    pub(super) users: u32,
    /// As copies.
    pub(super) copies: u32,
}

impl Load {
    pub(super) fn of(split: &Split, version: &Version) -> Self {
        if split.shares.is_empty() {
            return Self::default();
        }
        let taken = |cohort: &Cohort| COHORT * cohort.share / 10_000;
        let in_cohorts: u32 = split.cohorts.iter().map(taken).sum::<u32>().min(10_000);
        let own = split.cohorts.iter().filter(|cohort| cohort.version == *version);
        let of_cohorts: u32 = own.map(taken).sum();
        let rest = (10_000 - in_cohorts) * split.share(version) / 10_000;
        let copied = split.mirror.as_ref().filter(|mirror| mirror.version == *version);
        Self { users: (of_cohorts + rest).min(10_000), copies: copied.map_or(0, |mirror| mirror.share) }
    }

    /// What the judge sees of it.
    pub(super) const fn seen(self) -> u32 {
        if self.users > 0 { self.users } else { self.copies }
    }
}
