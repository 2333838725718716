//! An A/B test: which of two versions is better at a goal. It takes nothing back: what users must not meet is up to the triggers.

use pilotage_spec::{AbTrial, Goal, Version};
use serde::{Deserialize, Serialize};

use super::goal::{Counters, GoalReading};
use super::words::count;
use super::{Case, Finding, Known, Reading, Verdict};
use crate::evidence::{AbIncrement, AbStanding, AbTest, Gathered, Increment, Interval};
use crate::plan::percent;

/// An A/B test with all that it has seen. A is the stable version, B the new one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    alpha: u32,
    indifference: u32,
    by_chance: bool,
    /// What is counted are failures, of which fewer are better.
    errors: bool,
    test: AbTest,
    gathered: Gathered,
    counters: Counters,
    /// Whether both versions are in use.
    on: bool,
}

impl Trial {
    /// The name of its finding.
    pub(super) const TRIGGER: &str = "ab";

    /// Nothing if its settings are out of their range, which no file can bring about.
    pub(super) fn new(settings: &AbTrial) -> Option<Self> {
        let share = |hundredths: u32| f64::from(hundredths) / 10_000.0;
        Some(Self {
            alpha: settings.alpha,
            indifference: settings.indifference,
            by_chance: settings.arm.is_by_chance(),
            errors: settings.goal == Goal::Errors,
            test: AbTest::new(share(settings.alpha), share(settings.indifference)).ok()?,
            gathered: Gathered::default(),
            counters: Counters::default(),
            on: true,
        })
    }

    /// Takes in the requests of a look, failures folded by client.
    pub(super) fn look(&mut self, folded: &Increment, beside: bool) {
        self.on = beside;
        if self.on && self.errors {
            self.gather(folded);
        }
    }

    /// Takes in an answer about the goal's counters.
    pub(super) fn goal(&mut self, answer: &Known<GoalReading>) {
        if !self.on || self.errors {
            return;
        }
        if let Some(added) = self.counters.take(answer) {
            self.gather(&added);
        }
    }

    /// What was counted with other shares does not go together with what comes now.
    pub(super) fn shares_changed(&mut self) {
        let open = self.gathered.take();
        self.observe(&open);
        self.counters.restart();
    }

    fn gather(&mut self, added: &Increment) {
        if let Some(complete) = self.gathered.add(added) {
            self.observe(&complete);
        }
    }

    fn observe(&mut self, complete: &Increment) {
        if !complete.compares() {
            return;
        }
        // What is handed in is consistent; were it not, it would be left out.
        let _ = self.test.observe(&AbIncrement {
            a_units: complete.stable_requests,
            a_successes: complete.stable_failed,
            b_units: complete.candidate_requests,
            b_successes: complete.candidate_failed,
        });
    }

    /// How it stands: who is better.
    pub fn standing(&self) -> AbStanding {
        match (self.test.standing(), self.errors) {
            (AbStanding::AWins, true) => AbStanding::BWins,
            (AbStanding::BWins, true) => AbStanding::AWins,
            (standing, _) => standing,
        }
    }

    /// How it stands, in words with numbers. `undecided` is what to say if that is not known.
    pub fn words(&self, a: &Version, b: &Version, undecided: &str) -> String {
        let ratio = self.ratio_words(a, b);
        let told = match self.standing() {
            AbStanding::AWins => format!("{ratio}: {a} wins"),
            AbStanding::BWins => format!("{ratio}: {b} wins"),
            AbStanding::NoDifference => {
                format!("no difference that matters (within {}): {ratio}", percent(self.indifference))
            }
            AbStanding::Inconclusive => format!("{undecided}: {ratio}"),
        };
        let by_choice = match self.by_chance {
            true => "",
            false => "; its users are not drawn by chance, so that the difference may be theirs",
        };
        let unknown = self.counters.unknown();
        let unknown =
            unknown.map(|reason| format!("; the last round is not known: {reason}")).unwrap_or_default();
        format!("A/B: {told}{by_choice}{unknown}")
    }

    fn ratio_words(&self, a: &Version, b: &Version) -> String {
        let totals = self.test.totals();
        let does = if self.errors { "fails" } else { "succeeds" };
        let counts = format!(
            "{} of {} against {} of {}",
            count(totals.b_successes),
            count(totals.b_units),
            count(totals.a_successes),
            count(totals.a_units)
        );
        let often = match self.test.ratio() {
            Interval { estimate: Some(estimate), upper: Some(upper), lower } => {
                let sure = percent(10_000 - self.alpha);
                let [lower, upper, times] = [lower, upper, estimate].map(multiple);
                return format!(
                    "{b} {does} {times} times as often as {a} ({sure} of the time between {lower} and {upper}, at every look; \
                     {counts})"
                );
            }
            Interval { lower, .. } if lower > 0.0 => {
                format!("at least {} times as often as {a}", multiple(lower))
            }
            _ if totals.b_units == 0 => {
                return format!("nothing was counted of {a} and {b} at the same time yet");
            }
            _ => return format!("too few to compare {b} with {a} ({counts})"),
        };
        format!("{b} {does} {often} ({counts})")
    }
}

/// The finding of a trial that is on.
pub(super) fn finding(case: &Case<'_>, reading: &Reading) -> Option<Finding> {
    let trial = reading.evidence()?.trial().filter(|trial| trial.on)?;
    let verdict = match trial.standing() {
        AbStanding::BWins | AbStanding::NoDifference => Verdict::Pass,
        AbStanding::AWins | AbStanding::Inconclusive => Verdict::Inconclusive,
    };
    let words = trial.words(case.stable?, case.candidate, "no winner yet");
    Some(Finding { trigger: Trial::TRIGGER.to_owned(), verdict, words, dry_run: false, weight: None })
}

/// Two digits behind the point, or more for what is small.
fn multiple(number: f64) -> String {
    match number {
        number if number >= 100.0 => format!("{number:.0}"),
        number if number >= 0.1 || number == 0.0 => format!("{number:.2}"),
        number => format!("{number:.4}"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use pilotage_spec::{Arm, Condition, GoalQueries, RollBackWhen, Source, Strategy, StrategyKind, Test};

    use super::*;
    use crate::judge::{Evidence, GoalCounts, Look, Side, judge};

    fn settings(goal: Goal) -> AbTrial {
        let lasts = Duration::from_secs(60);
        AbTrial { arm: Arm::Share(5_000), lasts, goal, alpha: 500, indifference: 200, promotes: false }
    }

    fn orders() -> Goal {
        Goal::Successes(GoalQueries { successes: "a".to_owned(), units: "b".to_owned() })
    }

    fn evidence(trial: AbTrial) -> Evidence {
        let minute = Duration::from_secs(60);
        Evidence::new(&Strategy::new(StrategyKind::Ab { trial }, minute, minute))
    }

    fn look(candidate: (u64, u64), stable: (u64, u64)) -> Look {
        let side =
            |(requests, failed)| Side { requests, failed, failed_clients: failed, latencies: Vec::new() };
        Look { candidate: side(candidate), stable: side(stable), beside: true, micros: 1 }
    }

    fn told(evidence: &Evidence) -> (AbStanding, String) {
        let trial = evidence.trial().unwrap();
        let [a, b] = ["1.0.0", "1.1.0"].map(|text| text.parse().unwrap());
        (trial.standing(), trial.words(&a, &b, "no winner yet"))
    }

    /// `successes` of 1,000 units are added for B, and of 1,000 for A, in each of ten rounds.
    fn counted(settings: AbTrial, b: u64, a: u64) -> Evidence {
        let mut evidence = evidence(settings);
        for round in 0..=10 {
            let counts = |successes| GoalCounts { units: 7 + round * 1_000, successes: successes * round };
            evidence.goal(&Known::Value(GoalReading { candidate: counts(b), stable: counts(a) }));
        }
        evidence
    }

    #[test]
    fn fewer_failures_win_and_it_is_said_by_how_much() {
        let mut evidence = evidence(settings(Goal::Errors));
        for _ in 0..20 {
            evidence.look(look((50, 2), (50, 10)));
        }
        let (standing, words) = told(&evidence);
        assert_eq!(standing, AbStanding::BWins);
        assert!(
            words.starts_with("A/B: 1.1.0 fails 0.20 times as often as 1.0.0 (95 % of the time between "),
            "{words}"
        );
        assert!(words.ends_with("at every look; 40 of 1,000 against 200 of 1,000): 1.1.0 wins"), "{words}");
    }

    #[test]
    fn a_version_that_alone_fails_loses_however_little_is_known_of_the_ratio() {
        let mut evidence = evidence(settings(Goal::Errors));
        for _ in 0..10 {
            evidence.look(look((50, 10), (50, 0)));
        }
        let (standing, words) = told(&evidence);
        assert_eq!(standing, AbStanding::AWins);
        assert!(words.starts_with("A/B: 1.1.0 fails at least "), "{words}");
        assert!(words.ends_with("(100 of 500 against 0 of 500): 1.0.0 wins"), "{words}");
    }

    #[test]
    fn more_successes_win() {
        let evidence = counted(settings(orders()), 130, 100);
        let (standing, words) = told(&evidence);
        assert_eq!(standing, AbStanding::BWins, "{words}");
        assert!(
            words.starts_with("A/B: 1.1.0 succeeds 1.30 times as often as 1.0.0 (95 % of the time"),
            "{words}"
        );
        assert_eq!(told(&counted(settings(orders()), 100, 130)).0, AbStanding::AWins);
    }

    #[test]
    fn a_small_difference_is_none_that_matters_once_that_is_known() {
        let wide = AbTrial { indifference: 1_500, ..settings(orders()) };
        let (standing, words) = told(&counted(wide, 400, 400));
        assert_eq!(standing, AbStanding::NoDifference, "{words}");
        assert!(
            words.starts_with("A/B: no difference that matters (within 15 %): 1.1.0 succeeds 1.00 times"),
            "{words}"
        );
        let (standing, words) = told(&counted(settings(orders()), 10, 10));
        assert_eq!(standing, AbStanding::Inconclusive);
        assert!(words.starts_with("A/B: no winner yet: 1.1.0 succeeds 1.00 times as often"), "{words}");
    }

    #[test]
    fn that_users_were_not_drawn_by_chance_and_what_is_not_known_are_said() {
        let when = Condition { source: Source::Header("X-Beta".to_owned()), test: Test::Present(true) };
        let mut evidence = counted(AbTrial { arm: Arm::Cohort(when), ..settings(orders()) }, 130, 100);
        evidence.goal(&Known::Unknown("the query returns nothing".to_owned()));
        let words = told(&evidence).1;
        assert!(words.contains("1.1.0 wins; its users are not drawn by chance"), "{words}");
        assert!(words.ends_with("the last round is not known: the query returns nothing"), "{words}");
    }

    #[test]
    fn it_takes_nothing_back_and_is_silent_once_the_new_version_has_everything() {
        let [a, b]: [Version; 2] = ["1.0.0", "1.1.0"].map(|text| text.parse().unwrap());
        let when = RollBackWhen { errors_vs_stable: None, error_rate: None, ..RollBackWhen::default() };
        let judged = |evidence: &Evidence| {
            let tests = Some(Box::new(evidence.clone()));
            let case = Case { when: &when, candidate: &b, stable: Some(&a) };
            judge(&case, &Reading { tests, ..Reading::default() })
        };
        let mut evidence = evidence(settings(Goal::Errors));
        for _ in 0..10 {
            evidence.look(look((50, 10), (50, 0)));
        }
        let judgement = judged(&evidence);
        assert_eq!(judgement.verdict, Verdict::Inconclusive, "{judgement:?}");
        assert!(judgement.findings.iter().any(|finding| finding.trigger == Trial::TRIGGER));
        evidence.look(Look { beside: false, ..look((50, 10), (0, 0)) });
        assert!(judged(&evidence).findings.iter().all(|finding| finding.trigger != Trial::TRIGGER));
    }

    #[test]
    fn what_is_recorded_is_read_back() {
        let evidence = counted(settings(orders()), 130, 100);
        let text = serde_json::to_string(&evidence).unwrap();
        assert_eq!(serde_json::from_str::<Evidence>(&text).unwrap(), evidence);
    }
}
