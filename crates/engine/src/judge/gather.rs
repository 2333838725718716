//! What all looks together say: the tests behind the triggers.

use pilotage_spec::{RollBackWhen, Strategy, StrategyKind};
use serde::{Deserialize, Serialize};

use super::comparison::{ALONE_PART, Comparison};
use super::look::{Look, Side};
use super::series::Series;
use super::slow::SlowRequests;
use super::{GoalReading, Known, Trial};
use crate::evidence::{
    ErrorSettings, ErrorTest, Gathered, Increment, RenewedErrorTest, RenewedLimitTest, Standing,
};

/// The tests of one deployment. Whoever counts requests feeds it look by look: the conductor from the edge, a simulation from its
/// model, a look back from a file; all three then say the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    errors: Option<Comparison>,
    /// Failures as they were counted, not folded to bursts, of both versions at the same time.
    unfolded: Increment,
    rate: Option<RenewedLimitTest>,
    slow: Vec<SlowRequests>,
    early: Option<Early>,
    series: Option<Series>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trial: Option<Trial>,
}

/// Whether a watch may end early.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Early {
    settings: ErrorSettings,
    gathered: Gathered,
    /// Begins again with every change of the shares: what one share bears another may not.
    test: ErrorTest,
}

impl Evidence {
    /// Tests that have seen nothing, for what a strategy asks.
    pub fn new(strategy: &Strategy) -> Self {
        let when = &strategy.roll_back_when;
        let alpha = Alpha::of(when);
        let share = |hundredths: u32| f64::from(hundredths) / 10_000.0;
        let slow = |quantile, multiple: Option<u32>| SlowRequests::new(quantile, multiple?, alpha.other);
        Self {
            errors: when
                .errors_vs_stable
                .and_then(|multiple| Comparison::new(alpha.errors, tolerated(multiple))),
            unfolded: Increment::default(),
            rate: when.error_rate.and_then(|limit| RenewedLimitTest::new(alpha.other, share(limit)).ok()),
            slow: [slow(990, when.p99_vs_stable), slow(950, when.p95_vs_stable)]
                .into_iter()
                .flatten()
                .collect(),
            early: strategy.early_promotion.and_then(|multiple| Early::new(when, multiple)),
            series: when.kayenta.as_ref().map(Series::new),
            trial: match &strategy.kind {
                StrategyKind::Ab { trial } => Trial::new(trial),
                _ => None,
            },
        }
    }

    /// What was counted of the stable version before the new one had any traffic.
    pub fn known_before(&mut self, stable: &Side) {
        if let Some(errors) = &mut self.errors {
            errors.known_before(stable.requests, stable.failed_clients);
        }
        self.slow.iter_mut().for_each(|slow| slow.known_before(stable));
    }

    /// Takes in what has happened since the last look.
    pub fn look(&mut self, look: Look) {
        let look = Look { candidate: look.candidate.consistent(), stable: look.stable.consistent(), ..look };
        let folded = increment(&look, |side| side.failed_clients);
        if let Some(errors) = &mut self.errors {
            errors.look(folded, look.beside, 0.0);
        }
        if look.beside {
            self.unfolded = self.unfolded.plus(&increment(&look, |side| side.failed));
            if let Some(early) = &mut self.early {
                early.look(&folded);
            }
        }
        if let Some(trial) = &mut self.trial {
            trial.look(&folded, look.beside);
        }
        if let Some(rate) = &mut self.rate {
            // What is handed in is consistent.
            let _ = rate.observe(look.candidate.requests, look.candidate.failed);
        }
        self.slow.iter_mut().for_each(|slow| slow.look(&look));
        if let Some(series) = &mut self.series {
            series.look(&look);
        }
    }

    /// Takes in what was answered about the goal of an A/B test.
    pub fn goal(&mut self, answer: &Known<GoalReading>) {
        if let Some(trial) = &mut self.trial {
            trial.goal(answer);
        }
    }

    /// The shares of the traffic have changed.
    pub fn shares_changed(&mut self) {
        if let Some(errors) = &mut self.errors {
            errors.shares_changed();
        }
        self.slow.iter_mut().for_each(SlowRequests::shares_changed);
        self.early = self.early.take().and_then(|early| early.anew());
        if let Some(trial) = &mut self.trial {
            trial.shares_changed();
        }
    }

    /// Failures beside the stable version's.
    pub const fn errors(&self) -> Option<&Comparison> {
        self.errors.as_ref()
    }

    /// All failures of both versions at the same time, where those of one client are not folded.
    pub const fn unfolded(&self) -> &Increment {
        &self.unfolded
    }

    /// The share of failures against its limit.
    pub const fn rate(&self) -> Option<&RenewedLimitTest> {
        self.rate.as_ref()
    }

    /// Slow requests.
    pub fn slow(&self) -> &[SlowRequests] {
        &self.slow
    }

    /// The points for Kayenta's judge.
    pub const fn series(&self) -> Option<&Series> {
        self.series.as_ref()
    }

    /// The A/B test, if this is one.
    pub const fn trial(&self) -> Option<&Trial> {
        self.trial.as_ref()
    }

    /// Whether the candidate is certainly not as bad as would have to be noticed, since the shares last changed.
    pub fn may_promote_early(&self) -> bool {
        self.early.as_ref().is_some_and(|early| early.test.standing() == Standing::GoodEnough)
    }
}

impl Early {
    fn new(when: &RollBackWhen, multiple: u32) -> Option<Self> {
        let settings = ErrorSettings {
            alpha: f64::from(when.alpha) / 10_000.0,
            tolerated: 1.0,
            unacceptable: Some(tolerated(multiple)),
        };
        Some(Self { settings, gathered: Gathered::default(), test: ErrorTest::new(settings).ok()? })
    }

    fn anew(self) -> Option<Self> {
        let test = ErrorTest::new(self.settings).ok()?;
        Some(Self { test, gathered: Gathered::default(), ..self })
    }

    fn look(&mut self, look: &Increment) {
        if let Some(complete) = self.gathered.add(look) {
            // What is handed in is consistent.
            let _ = self.test.observe(&complete);
        }
    }
}

/// How the false alarms are shared among the tests that are on: half of them for the comparison of errors, which finds most,
/// and the rest evenly among the others.
#[derive(Debug, Clone, Copy)]
struct Alpha {
    errors: f64,
    other: f64,
}

impl Alpha {
    fn of(when: &RollBackWhen) -> Self {
        let all = f64::from(when.alpha) / 10_000.0;
        let others = [when.error_rate, when.p99_vs_stable, when.p95_vs_stable];
        let others = u32::try_from(others.iter().flatten().count()).unwrap_or(1);
        match (when.errors_vs_stable, others) {
            (Some(_), 0) => Self { errors: all, other: all },
            (Some(_), others) => Self { errors: all / 2.0, other: all / 2.0 / f64::from(others) },
            (None, others) => Self { errors: all, other: all / f64::from(others.max(1)) },
        }
    }
}

/// What the first test of errors holds to, by which a rollout is predicted; `None` if the comparison is off.
pub fn error_settings(when: &RollBackWhen) -> Option<ErrorSettings> {
    let alpha = Alpha::of(when).errors * (1.0 - ALONE_PART);
    let settings =
        ErrorSettings { alpha, tolerated: tolerated(when.errors_vs_stable?), ..ErrorSettings::default() };
    RenewedErrorTest::first(settings).checked().ok()
}

fn tolerated(thousandths: u32) -> f64 {
    f64::from(thousandths) / 1_000.0
}

fn increment(look: &Look, failed: fn(&Side) -> u64) -> Increment {
    Increment {
        candidate_requests: look.candidate.requests,
        stable_requests: look.stable.requests,
        candidate_failed: failed(&look.candidate),
        stable_failed: failed(&look.stable),
    }
}

/// What the test of the share of failures holds to.
pub(crate) fn rate_alpha(when: &RollBackWhen) -> f64 {
    Alpha::of(when).other
}

/// What the first test of the candidate alone would hold to, and its limit, had the stable version so many requests before of which
/// so many failed; `None` if that is too little.
pub(crate) fn alone_limit(when: &RollBackWhen, requests: u64, failed: u64) -> Option<(f64, f64)> {
    let mut comparison = Comparison::new(Alpha::of(when).errors, tolerated(when.errors_vs_stable?))?;
    comparison.known_before(requests, failed);
    let alone = comparison.left_alone(0.0)?;
    Some((alone.test.first_alpha(), alone.test.limit()))
}
