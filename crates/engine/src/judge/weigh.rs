//! From findings to the verdict. What counts alone decides alone; the rest is drawn together into a score.
//!
//! The score is the mean over the groups, by their weights, of the share of good findings in each, by their weights. Findings
//! that say nothing are left out of it; where they are half of the weight or more, there is no score. It passes only with
//! more than half of all the weight on good findings, so that a bad finding in place of an unknown one never helps.

use std::collections::BTreeMap;

use pilotage_spec::{Score, WEIGHT_ONE};

use super::{Finding, Judgement, Verdict, Weight};

/// What is lost in the last digits of shares that are added up.
const ROUNDING: f64 = 1e-9;

/// The trigger under which the score is told.
const SCORE: &str = "score";

/// Draws the verdict; the score, where there is one, becomes a finding of its own.
///
/// Fail if any finding that counts alone is; else inconclusive if the score is; else pass if any that counts alone speaks of
/// requests or of the team's own metrics and is; else inconclusive.
pub(super) fn weigh(mut findings: Vec<Finding>, settings: &Score) -> Judgement {
    findings.extend(score(&findings, settings));
    let deciding = || findings.iter().filter(|finding| finding.decides());
    let fails = deciding().any(|finding| finding.verdict == Verdict::Fail);
    let in_doubt =
        deciding().any(|finding| finding.trigger == SCORE && finding.verdict == Verdict::Inconclusive);
    let passes = deciding().any(|finding| finding.verdict == Verdict::Pass && finding.is_evidence());
    let verdict = match (fails, in_doubt, passes) {
        (true, ..) => Verdict::Fail,
        (false, false, true) => Verdict::Pass,
        _ => Verdict::Inconclusive,
    };
    Judgement { verdict, findings }
}

/// Findings that are drawn together, each with its weight in its group.
type Groups<'a> = BTreeMap<Option<&'a str>, Vec<(&'a Finding, f64)>>;

fn score(findings: &[Finding], settings: &Score) -> Option<Finding> {
    let mut groups = Groups::new();
    for finding in findings.iter().filter(|finding| !finding.dry_run) {
        if let Some(Weight { thousandths, group }) = &finding.weight {
            groups.entry(group.as_deref()).or_default().push((finding, f64::from(*thousandths)));
        }
    }
    if groups.is_empty() {
        return None;
    }
    let shares = Shares::of(&groups, settings);
    let (verdict, words) = shares.verdict(settings);
    let bad = groups.values().flatten().filter(|(finding, _)| finding.verdict == Verdict::Fail);
    let words = std::iter::once(words).chain(bad.map(|(finding, _)| finding.words.clone()));
    let words = words.collect::<Vec<_>>().join("; ");
    Some(Finding { trigger: SCORE.to_owned(), verdict, words, dry_run: false, weight: None })
}

/// How the weight is spread, as shares of 1.
#[derive(Default)]
struct Shares {
    /// On good findings, of all the weight.
    good: f64,
    /// On findings that say nothing, of all the weight.
    unknown: f64,
    /// On good findings, of the weight of those that say something: the score.
    score: f64,
}

impl Shares {
    fn of(groups: &Groups<'_>, settings: &Score) -> Self {
        let weight_of = |group: &Option<&str>| {
            let named = group.and_then(|group| settings.groups.get(group));
            f64::from(named.copied().unwrap_or(WEIGHT_ONE))
        };
        let whole: f64 = groups.keys().map(weight_of).sum();
        let (mut shares, mut speaking) = (Self::default(), 0.0);
        for (group, findings) in groups {
            let on = |verdict: Verdict| -> f64 {
                findings
                    .iter()
                    .filter(|(finding, _)| finding.verdict == verdict)
                    .map(|(_, weight)| weight)
                    .sum()
            };
            let (good, bad, unknown) = (on(Verdict::Pass), on(Verdict::Fail), on(Verdict::Inconclusive));
            let (share, all) = (weight_of(group) / whole, good + bad + unknown);
            shares.good += share * good / all;
            shares.unknown += share * unknown / all;
            if good + bad > 0.0 {
                shares.score += share * good / (good + bad);
                speaking += share;
            }
        }
        if speaking > 0.0 {
            shares.score /= speaking;
        }
        shares
    }

    fn verdict(&self, settings: &Score) -> (Verdict, String) {
        let reaches = |hundredths: u32| self.score * 10_000.0 + ROUNDING >= f64::from(hundredths);
        if self.unknown + ROUNDING >= 0.5 {
            let words = format!(
                "there is no score: {} of the weight of its metrics is unknown",
                percent(self.unknown)
            );
            return (Verdict::Inconclusive, words);
        }
        let verdict = match (reaches(settings.pass), reaches(settings.marginal)) {
            (true, _) if self.good > 0.5 + ROUNDING => Verdict::Pass,
            (false, false) => Verdict::Fail,
            _ => Verdict::Inconclusive,
        };
        let [pass, marginal] =
            [settings.pass, settings.marginal].map(|limit| percent(f64::from(limit) / 10_000.0));
        let unknown = match percent(self.unknown) {
            _ if self.unknown <= ROUNDING => String::new(),
            share => format!(", {share} of the weight unknown"),
        };
        let words =
            format!("the score is {}{unknown}; {pass} passes, below {marginal} fails", percent(self.score));
        (verdict, words)
    }
}

/// To the hundredth: a score that only just misses its limit must not look like it.
fn percent(share: f64) -> String {
    let text = format!("{:.2}", share * 100.0);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests;
