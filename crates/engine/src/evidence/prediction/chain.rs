//! The e-value from one failure to the next, as a Markov chain.
//!
//! With one share of the requests, both e-values depend on two counts: the candidate's failures, and all failures. All
//! failures number the links of the chain, the candidate's are its states. What a failure takes off a hypothesis depends on
//! the share: what earlier watches took off is kept as one of a few *offsets*, between which probability is divided. For
//! the first watch the chain is exact, and for the next it is off by what the tests measure.

use std::ops::Range;

use super::poisson::{at_least, farthest, poisson, whole};
use super::schedule::Stage;
use crate::evidence::error_test::ErrorSettings;
use crate::evidence::special::{ln_gamma, ln_sum_exp, number};

/// Links of the chain in the first watch at most, and in later ones with their many offsets: what would be more is
/// taken several failures at a time.
const LINKS: [usize; 2] = [2_000, 300];

/// Offsets, and how far they lie apart in standard deviations.
const OFFSETS: usize = 13;
const APART: f64 = 2.0 / 3.0;

/// Probabilities below this are dropped.
const NEGLIGIBLE: f64 = 1e-12;

/// How often the probabilities of all numbers of failures are listed for one watch.
const LISTS: f64 = 100.0;

/// One e-value's hypotheses under one share.
struct Bar {
    /// What a candidate's failure adds to each logarithm, and what any failure takes off it.
    slopes: Vec<(f64, f64)>,
    /// What the logarithm of their sum must reach.
    bar: f64,
}

impl Bar {
    fn new(null: f64, alternatives: &[f64], ratio: f64, log_bar: f64) -> Self {
        let slope = |alternative: &f64| {
            ((alternative / null).ln(), ((alternative - null) * ratio / (null * ratio + 1.0)).ln_1p())
        };
        let bar = log_bar + number(alternatives.len() as u64).ln();
        Self { slopes: alternatives.iter().map(slope).collect(), bar }
    }

    /// `earlier` is what earlier watches took off each hypothesis, `all` how many failures there were in this one.
    fn reached(&self, candidate: usize, earlier: &[f64], all: f64) -> bool {
        let candidate = number(candidate as u64);
        let logarithms = self.slopes.iter().zip(earlier);
        ln_sum_exp(logarithms.map(|((up, down), earlier)| candidate * up - earlier - all * down)) >= self.bar
    }
}

/// Both verdicts under one share.
struct Bars {
    worse: Bar,
    good: Option<Bar>,
    /// The hypothesis that is nearest to the truth: by what was taken off it offsets are told apart.
    nearest: usize,
}

impl Bars {
    fn new(settings: &ErrorSettings, ratio: f64, relative_risk: f64) -> Self {
        let bar = settings.log_bar();
        let worse = settings.worse();
        let distance = |index: &usize| (worse[*index].ln() - relative_risk.ln()).abs();
        let nearest = (0..worse.len()).min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap_or(0);
        Self {
            worse: Bar::new(settings.tolerated, &worse, ratio, bar),
            good: settings.good().map(|(null, alternatives)| Bar::new(null, &alternatives, ratio, bar)),
            nearest,
        }
    }

    /// What one failure takes off each hypothesis.
    fn downs(&self) -> impl Iterator<Item = f64> {
        self.worse.slopes.iter().chain(self.good.iter().flat_map(|good| &good.slopes)).map(|(_, down)| *down)
    }
}

/// What earlier watches took off each hypothesis, with the probabilities of the candidate's failures.
struct Offset {
    taken: Vec<f64>,
    states: Vec<f64>,
}

impl Offset {
    fn probability(&self) -> f64 {
        self.states.iter().sum()
    }
}

/// Verdicts by link: their probability, and with it the candidate's failures until then.
#[derive(Default, Clone)]
pub(super) struct Verdicts {
    pub probabilities: Vec<f64>,
    pub failed: Vec<f64>,
}

impl Verdicts {
    fn new(links: usize) -> Self {
        Self { probabilities: vec![0.0; links], failed: vec![0.0; links] }
    }

    /// Takes these states out.
    fn take(&mut self, link: usize, states: &mut [f64], range: Range<usize>) {
        for (candidate, state) in states.iter_mut().enumerate().take(range.end).skip(range.start) {
            let probability = std::mem::take(state);
            self.probabilities[link] += probability;
            self.failed[link] += probability * number(candidate as u64);
        }
    }
}

/// One watch played through.
pub(super) struct Played {
    /// Failures to a link.
    pub chunk: usize,
    pub worse: Verdicts,
    pub good: Verdicts,
}

/// Plays the watches one after the other; `None` if that takes more multiplications than `budget`. `relative_risk` is the true one.
pub(super) fn play(
    settings: &ErrorSettings,
    stages: &[Stage],
    relative_risk: f64,
    budget: f64,
) -> Option<Vec<Played>> {
    if cost(stages) > budget {
        return None;
    }
    let hypotheses =
        settings.worse().len() + settings.good().map_or(0, |(_, alternatives)| alternatives.len());
    let mut offsets = vec![Offset { taken: vec![0.0; hypotheses], states: vec![1.0] }];
    let played = stages.iter().map(|stage| {
        let Some(ratio) = stage.ratio.filter(|_| stage.compared() * stage.seconds > 0.0) else {
            return Played { chunk: 1, worse: Verdicts::new(1), good: Verdicts::new(1) };
        };
        let (played, after) = watch(&Bars::new(settings, ratio, relative_risk), stage, &offsets);
        offsets = after;
        played
    });
    Some(played.collect())
}

/// About how many multiplications it takes.
fn cost(stages: &[Stage]) -> f64 {
    let (mut offsets, mut variance, mut sum) = (1, 0.0, 0.0);
    for stage in stages.iter().filter(|stage| stage.compared() * stage.seconds > 0.0) {
        let failures = stage.compared() * stage.seconds;
        let spread = stage.candidates() * (1.0 - stage.candidates());
        variance += failures * spread;
        let chunk = number(chunk(stage, offsets) as u64);
        let links = failures / chunk;
        let kernel = 2.0 + 14.0 * (chunk * spread).sqrt();
        sum += number(offsets as u64) * links * (10.0 + 14.0 * variance.sqrt()) * kernel + LISTS * failures;
        offsets = OFFSETS;
    }
    sum
}

/// Failures to a link: those of one look, or of more if there would be too many links.
fn chunk(stage: &Stage, offsets: usize) -> usize {
    let links = LINKS[if offsets > 1 { 1 } else { 0 }];
    let most = farthest(stage.compared() * stage.seconds);
    most.div_ceil(links).max(whole(stage.compared() * stage.look_seconds).min(most)).max(1)
}

/// Plays one watch from some offsets to those after it.
fn watch(bars: &Bars, stage: &Stage, offsets: &[Offset]) -> (Played, Vec<Offset>) {
    let mean = stage.compared() * stage.seconds;
    let chunk = chunk(stage, offsets.len());
    let ends: Vec<f64> = poisson(mean).chunks(chunk).map(|chunk| chunk.iter().sum()).collect();
    let kernel = binomial(chunk, stage.candidates());
    let mut after = Lattice::new(bars, offsets, mean);
    let mut played = Played { chunk, worse: Verdicts::new(ends.len()), good: Verdicts::new(ends.len()) };
    for offset in offsets {
        follow(bars, &kernel, offset, &ends, &mut played, &mut after);
    }
    (played, after.offsets())
}

/// Follows one offset's states through all links.
fn follow(
    bars: &Bars,
    kernel: &[f64],
    offset: &Offset,
    ends: &[f64],
    played: &mut Played,
    after: &mut Lattice,
) {
    let (earlier_worse, earlier_good) = offset.taken.split_at(bars.worse.slopes.len());
    let mut states = offset.states.clone();
    // States below `good` are good enough, from `worse` on they are worse, and below `first` there is none left.
    let (mut first, mut good, mut worse) = (0, 0, 0);
    for (link, end) in ends.iter().enumerate() {
        let all = number((link * played.chunk) as u64);
        if link > 0 {
            states = step(&states, kernel, &mut first);
            while !bars.worse.reached(worse, earlier_worse, all) {
                worse += 1;
            }
            while bars.good.as_ref().is_some_and(|bar| bar.reached(good, earlier_good, all)) {
                good += 1;
            }
            played.worse.take(link, &mut states, worse..usize::MAX);
            played.good.take(link, &mut states, first..good);
        }
        if *end > NEGLIGIBLE {
            after.add(&states, *end, &offset.taken, bars, all);
        }
        if states.iter().skip(first).all(|probability| *probability < NEGLIGIBLE) {
            break;
        }
    }
}

/// The states one link later. States before `first` are empty.
fn step(states: &[f64], kernel: &[f64], first: &mut usize) -> Vec<f64> {
    while states.get(*first).is_some_and(|probability| *probability < NEGLIGIBLE) {
        *first += 1;
    }
    let kept = states.iter().rposition(|probability| *probability >= NEGLIGIBLE).map_or(0, |last| last + 1);
    let mut next = vec![0.0; kept + kernel.len() - 1];
    for (candidate, probability) in states.iter().enumerate().take(kept).skip(*first) {
        for (more, chance) in kernel.iter().enumerate() {
            next[candidate + more] += probability * chance;
        }
    }
    next
}

/// The offsets after a watch, told apart by what was taken off one hypothesis.
struct Lattice {
    /// What was taken off it at the first offset, and between one and the next.
    start: f64,
    gap: f64,
    offsets: Vec<Offset>,
}

impl Lattice {
    /// Empty offsets around what is expected after so many more failures.
    fn new(bars: &Bars, before: &[Offset], mean: f64) -> Self {
        let down = bars.worse.slopes[bars.nearest].1;
        let all = before.iter().map(Offset::probability).sum::<f64>().max(NEGLIGIBLE);
        let expected = |value: &dyn Fn(f64) -> f64| {
            let values = before.iter().map(|offset| offset.probability() * value(offset.taken[bars.nearest]));
            values.sum::<f64>() / all
        };
        let centre = expected(&|taken| taken);
        let variance = expected(&|taken| (taken - centre).powi(2)) + mean * down * down;
        let gap = APART * variance.sqrt();
        let start = centre + mean * down - gap * number(OFFSETS as u64 - 1) / 2.0;
        let empty = || Offset { taken: vec![0.0; bars.downs().count()], states: Vec::new() };
        Self { start, gap, offsets: std::iter::repeat_with(empty).take(OFFSETS).collect() }
    }

    /// Adds states that a watch ends with, with this probability, to the two offsets beside what was taken off so far.
    fn add(&mut self, states: &[f64], end: f64, earlier: &[f64], bars: &Bars, all: f64) {
        let probability: f64 = states.iter().sum();
        let key = earlier[bars.nearest] + all * bars.worse.slopes[bars.nearest].1;
        let place = ((key - self.start) / self.gap).clamp(0.0, number(OFFSETS as u64 - 1));
        for (index, offset) in self.offsets.iter_mut().enumerate() {
            let part = end * (1.0 - (place - number(index as u64)).abs());
            if part <= 0.0 {
                continue;
            }
            offset.states.resize(offset.states.len().max(states.len()), 0.0);
            for (sum, state) in offset.states.iter_mut().zip(states) {
                *sum += state * part;
            }
            for ((sum, earlier), down) in offset.taken.iter_mut().zip(earlier).zip(bars.downs()) {
                *sum += probability * part * (earlier + all * down);
            }
        }
    }

    /// What was added, where there is any: what was taken off is a mean, weighted by probability.
    fn offsets(self) -> Vec<Offset> {
        let mut offsets = self.offsets;
        offsets.retain(|offset| offset.probability() > NEGLIGIBLE);
        for offset in &mut offsets {
            let probability = offset.probability();
            offset.taken.iter_mut().for_each(|taken| *taken /= probability);
        }
        offsets
    }
}

/// The probabilities of `0, 1, 2, …` of so many failures being the candidate's, as far as they count.
fn binomial(failures: usize, share: f64) -> Vec<f64> {
    let n = number(failures as u64);
    let logarithm = |count: usize| {
        let k = number(count as u64);
        let times = |count: f64, probability: f64| if count == 0.0 { 0.0 } else { count * probability.ln() };
        ln_gamma(n + 1.0) - ln_gamma(k + 1.0) - ln_gamma(n - k + 1.0)
            + times(k, share)
            + times(n - k, 1.0 - share)
    };
    let mut probabilities: Vec<f64> = (0..=failures).map(|count| logarithm(count).exp()).collect();
    let last = probabilities.iter().rposition(|probability| *probability > NEGLIGIBLE).unwrap_or(0);
    probabilities.truncate(last + 1);
    probabilities
}

impl Verdicts {
    /// The probability of this verdict by a time at which so many failures are expected.
    pub(super) fn by(&self, expected: f64, chunk: usize) -> f64 {
        self.probabilities
            .iter()
            .zip(at_least(expected, chunk))
            .map(|(probability, tail)| probability * tail)
            .sum()
    }

    /// The candidate's failures until this verdict, weighted by its probability.
    pub(super) fn failed_by(&self, expected: f64, chunk: usize) -> f64 {
        self.failed.iter().zip(at_least(expected, chunk)).map(|(failed, tail)| failed * tail).sum()
    }
}
