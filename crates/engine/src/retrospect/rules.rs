//! What other rules would have said of the same rows.

use std::time::Duration;

use super::account::{Rule, RuleSeen, RuleVerdict, TakenBack};
use crate::evidence::ThresholdRule;
use crate::evidence::kayenta::{self, Direction, JudgeSettings, Judged, MetricSettings};
use crate::judge::Side;

/// The rules look at points of this length.
const POINT: Duration = Duration::from_secs(60);
/// Kayenta's judge is asked every so many points.
const KAYENTA_EVERY: usize = 5;
/// An analysis by Kayenta has an end: here after so many points, three hours.
const KAYENTA_POINTS: usize = 180;

/// Rules that look at the same points.
#[derive(Debug)]
pub(super) struct Rules {
    rules: Vec<State>,
    open: Duration,
    sides: [Side; 2],
}

#[derive(Debug)]
struct State {
    seen: RuleSeen,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Share(ThresholdRule),
    Kayenta(Points),
}

/// The figures of the points so far, the candidate's and the stable version's. What is not known is no number.
#[derive(Debug, Default)]
struct Points {
    failed: [Vec<f64>; 2],
    p99: [Vec<f64>; 2],
}

impl Rules {
    pub(super) fn new(rules: &[Rule]) -> Self {
        let state = |rule: &Rule| State {
            seen: RuleSeen { rule: *rule, verdict: RuleVerdict::NoData, taken_back: None },
            kind: match rule {
                Rule::Share(hundredths) => {
                    Kind::Share(ThresholdRule::new(f64::from(*hundredths) / 10_000.0, 1, 1))
                }
                Rule::Kayenta => Kind::Kayenta(Points::default()),
            },
        };
        Self { rules: rules.iter().map(state).collect(), open: Duration::ZERO, sides: Default::default() }
    }

    /// Takes in an interval. `now` is what a rollback at its end would be.
    pub(super) fn look(&mut self, sides: [&Side; 2], length: Duration, now: TakenBack) {
        if self.rules.is_empty() {
            return;
        }
        for (sum, side) in self.sides.iter_mut().zip(sides) {
            sum.add(side);
        }
        self.open = self.open.saturating_add(length);
        if self.open >= POINT {
            let sides = std::mem::take(&mut self.sides);
            self.open = Duration::ZERO;
            self.rules.iter_mut().for_each(|rule| rule.point(&sides, now));
        }
    }

    pub(super) fn finish(mut self, end: TakenBack) -> Vec<RuleSeen> {
        for state in &mut self.rules {
            if let (Kind::Kayenta(points), None) = (&state.kind, state.seen.taken_back) {
                let verdict = points.judge();
                state.seen.say(verdict, end);
            }
        }
        self.rules.into_iter().map(|state| state.seen).collect()
    }
}

impl State {
    fn point(&mut self, sides: &[Side; 2], now: TakenBack) {
        if self.seen.taken_back.is_some() {
            return;
        }
        let verdict = match &mut self.kind {
            Kind::Share(rule) => {
                let [candidate, _] = sides;
                if candidate.requests == 0 {
                    return;
                }
                match rule.observe(candidate.requests, candidate.failed) {
                    true => RuleVerdict::RolledBack,
                    false => RuleVerdict::Pass,
                }
            }
            Kind::Kayenta(points) => {
                if !points.add(sides) {
                    return;
                }
                points.judge()
            }
        };
        self.seen.say(verdict, now);
    }
}

impl RuleSeen {
    fn say(&mut self, verdict: RuleVerdict, now: TakenBack) {
        self.verdict = verdict;
        self.taken_back = (verdict == RuleVerdict::RolledBack).then_some(now);
    }
}

impl Points {
    /// Whether it is time to judge.
    fn add(&mut self, sides: &[Side; 2]) -> bool {
        if self.len() == KAYENTA_POINTS {
            return false;
        }
        for (index, side) in sides.iter().enumerate() {
            self.failed[index].push(side.failed_share().unwrap_or(f64::NAN));
            self.p99[index].push(p99(side).unwrap_or(f64::NAN));
        }
        self.len().is_multiple_of(KAYENTA_EVERY)
    }

    fn len(&self) -> usize {
        self.failed[0].len()
    }

    fn judge(&self) -> RuleVerdict {
        let metric = |name: &str, group: &str| MetricSettings {
            direction: Direction::Increase,
            ..MetricSettings::new(name, group)
        };
        let [ours, theirs] = &self.failed;
        let mut metrics = vec![(metric("failed share", "errors"), ours.as_slice(), theirs.as_slice())];
        let [ours, theirs] = &self.p99;
        // A metric that nobody measures has no place in the score.
        if [ours, theirs].into_iter().all(|values| values.iter().any(|value| value.is_finite())) {
            metrics.push((metric("p99", "latency"), ours.as_slice(), theirs.as_slice()));
        }
        match kayenta::judge(&JudgeSettings::default(), &metrics).judged {
            Judged::Pass => RuleVerdict::Pass,
            Judged::Marginal => RuleVerdict::Marginal,
            Judged::Fail => RuleVerdict::RolledBack,
            Judged::NoData => RuleVerdict::NoData,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "microseconds far below 2^53")]
fn p99(side: &Side) -> Option<f64> {
    side.quantile(990).map(|micros| micros as f64)
}
