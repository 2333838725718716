//! How soon a regression is found, beside a threshold and beside Kayenta's judge on the same requests.
//!
//! Both rules are set so that they take back no more equal versions than the error test does on the same requests; for
//! that they are told the failure rate, which nobody knows before a rollout and the error test does not need.

use pilotage_engine::evidence::Gathered;
use pilotage_engine::evidence::kayenta::{Class, JudgeSettings, MetricSettings, judge};

use crate::false_alarms::{observe, test};
use crate::figure::{Goal, print, print_beside};
use crate::traffic::{Seen, increment, versions};
use pilotage_engine::simulate::Random;

const SHARE: f64 = 0.1;
const FAILED_SHARE: f64 = 0.001;
const LOOK_SECONDS: f64 = 10.0;
const LOOKS_A_MINUTE: usize = 6;
const MINUTES: usize = 30;
/// Kayenta's judge is asked so often; a month of its answers would not be better for more.
const MINUTES_A_JUDGEMENT: usize = 5;

/// One rollout: what candidate and stable version did in each look.
type Rollout = Vec<[Seen; 2]>;

/// A cell in which nobody finds this many regressions in a hundred says nothing.
const SEEN: f64 = 10.0;

/// The ways to judge that are compared: a share of failures above a bar in one look, in one minute, in three of five minutes in a row,
/// and Kayenta's judge.
const RULES: [&str; 4] = ["10 s", "1 min", "3 of 5 min", "kayenta"];

pub fn run(quick: bool) {
    let (equal, worse) = if quick { (1_000, 300) } else { (4_000, 1_000) };
    for requests_per_second in [1.0, 20.0, 100.0, 1_000.0, 10_000.0] {
        let draw = |risk: f64, rollouts: u64| -> Vec<Rollout> {
            (0..rollouts).map(|seed| rollout(seed, requests_per_second, risk)).collect()
        };
        let bars = Bars::set(&draw(1.0, equal));
        let alarms = 100.0 * share(bars.alarms, equal);
        print(
            &format!("detection.{requests_per_second}rps.false_rollbacks"),
            alarms,
            "%",
            &Goal::AtMost(1.0),
        );
        for risk in [2.0, 5.0, 10.0, 50.0] {
            compare(&format!("detection.{requests_per_second}rps.{risk}x"), &bars, &draw(risk, worse));
        }
    }
}

fn rollout(seed: u64, requests_per_second: f64, risk: f64) -> Rollout {
    let mut draws = Random::new(seed);
    let versions = versions(requests_per_second, SHARE, FAILED_SHARE, risk);
    let looks = MINUTES * LOOKS_A_MINUTE;
    (0..looks).map(|_| versions.map(|version| version.seen(LOOK_SECONDS, 1.0, &mut draws))).collect()
}

/// What the rules are set to.
struct Bars {
    /// Equal versions that the error test took back.
    alarms: u64,
    rules: [f64; 4],
}

impl Bars {
    /// The lowest bars that no more equal versions exceed than the error test takes back.
    fn set(equal: &[Rollout]) -> Self {
        let alarms = equal.iter().filter(|rollout| evidence(rollout).is_some()).count();
        let rules = std::array::from_fn(|rule| {
            let mut highest: Vec<f64> = equal
                .iter()
                .map(|rollout| values(rule, rollout).into_iter().map(|(_, value)| value).fold(0.0, f64::max))
                .collect();
            highest.sort_by(|a, b| b.total_cmp(a));
            highest.get(alarms).copied().unwrap_or(0.0)
        });
        Self { alarms: alarms as u64, rules }
    }
}

/// The look at which the error test finds the candidate worse.
fn evidence(rollout: &Rollout) -> Option<usize> {
    let mut test = test();
    let mut gathered = Gathered::default();
    rollout.iter().position(|[candidate, stable]| {
        let seen = increment((candidate.requests, candidate.failed), (stable.requests, stable.failed));
        gathered.add(&seen).iter().for_each(|increment| observe(&mut test, increment));
        test.is_worse()
    })
}

/// What a rule goes by, with the look at which it is known: it takes back what exceeds its bar.
fn values(rule: usize, rollout: &Rollout) -> Vec<(usize, f64)> {
    if rule == 0 {
        let shares = rollout.iter().map(|look| failed_share(std::iter::once(look[0])));
        return shares.enumerate().filter(|(_, share)| share.is_finite()).collect();
    }
    let minutes: Vec<[f64; 2]> = rollout
        .chunks(LOOKS_A_MINUTE)
        .map(|looks| [0, 1].map(|version| failed_share(looks.iter().map(|look| look[version]))))
        .collect();
    let look = |minute: usize| (minute + 1) * LOOKS_A_MINUTE - 1;
    let candidate = |minute: usize| if minutes[minute][0].is_nan() { 0.0 } else { minutes[minute][0] };
    match rule {
        1 => (0..MINUTES).map(|minute| (look(minute), candidate(minute))).collect(),
        2 => (4..MINUTES)
            .map(|minute| {
                let mut last: Vec<f64> = (minute - 4..=minute).map(candidate).collect();
                last.sort_by(|a, b| b.total_cmp(a));
                (look(minute), last[2])
            })
            .collect(),
        _ => (MINUTES_A_JUDGEMENT..=MINUTES)
            .step_by(MINUTES_A_JUDGEMENT)
            .map(|minutes_so_far| (look(minutes_so_far - 1), kayenta(&minutes[..minutes_so_far])))
            .collect(),
    }
}

/// The share of failed requests; not a number if there are none.
#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn failed_share(looks: impl Iterator<Item = Seen>) -> f64 {
    let (failed, requests) = looks.fold((0, 0), |sum, seen| (sum.0 + seen.failed, sum.1 + seen.requests));
    failed as f64 / requests as f64
}

/// The size of the effect if Kayenta calls the error rate high; infinite if it cannot tell the size.
fn kayenta(minutes: &[[f64; 2]]) -> f64 {
    let [candidate, baseline]: [Vec<f64>; 2] =
        [0, 1].map(|version| minutes.iter().map(|minute| minute[version]).collect());
    let metrics = [(MetricSettings::new("errors", "quality"), candidate.as_slice(), baseline.as_slice())];
    let compared = judge(&JudgeSettings::default(), &metrics).metrics[0].compared;
    if compared.class == Class::High { compared.effect.unwrap_or(f64::INFINITY) } else { 0.0 }
}

/// How a way to judge fared with some rollouts.
#[derive(Default, Clone, Copy)]
struct Fared {
    found: u64,
    seconds: f64,
    failed: f64,
}

impl Fared {
    /// A rollout that was taken back at this look, or never.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    fn add(&mut self, rollout: &Rollout, look: Option<usize>) {
        let looks = look.map_or(rollout.len(), |look| look + 1);
        self.found += u64::from(look.is_some());
        self.seconds += looks as f64 * LOOK_SECONDS;
        self.failed += rollout[..looks].iter().map(|look| look[0].failed).sum::<u64>() as f64;
    }
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn share(part: u64, all: u64) -> f64 {
    part as f64 / all as f64
}

fn compare(name: &str, bars: &Bars, rollouts: &[Rollout]) {
    let mut ours = Fared::default();
    let mut theirs = [Fared::default(); 4];
    for rollout in rollouts {
        ours.add(rollout, evidence(rollout));
        for (rule, fared) in theirs.iter_mut().enumerate() {
            let above = values(rule, rollout).into_iter().find(|(_, value)| *value > bars.rules[rule]);
            fared.add(rollout, above.map(|(look, _)| look));
        }
    }
    let all = rollouts.len() as u64;
    let mean = |sum: f64| sum / share(all, 1);
    let found = |fared: &Fared| 100.0 * share(fared.found, all);
    for (rule, fared) in ["error test"].iter().chain(&RULES).zip(std::iter::once(&ours).chain(&theirs)) {
        let Fared { seconds, failed, .. } = fared;
        eprintln!("{name} {rule}: {:.1} % {:.0} s {:.1} failed", found(fared), mean(*seconds), mean(*failed));
    }
    print(&format!("{name}.found"), found(&ours), "%", &Goal::None);
    // Where next to nothing is ever found there is nothing to compare.
    let seen = theirs.iter().chain([&ours]).any(|fared| found(fared) >= SEEN);
    let goal = if seen { Goal::AtMost(1.0) } else { Goal::None };
    let best = |of: fn(&Fared) -> f64| {
        let rules = RULES.into_iter().zip(theirs.map(|fared| mean(of(&fared))));
        rules.min_by(|a, b| a.1.total_cmp(&b.1))
    };
    print_beside(&format!("{name}.seconds"), mean(ours.seconds), "s", best(|fared| fared.seconds), &goal);
    print_beside(
        &format!("{name}.failed_requests"),
        mean(ours.failed),
        "requests",
        best(|fared| fared.failed),
        &goal,
    );
}
