//! What live routes say, as traffic: so that a change by hand is seen.

use pilotage_spec::{Cohort, Mirror, Version};
use pilotage_targets::Traffic;
use std::time::Duration;

use super::matcher::{Matcher, condition, matcher};
use super::shares::{self, Weights};

/// A rule as it is found in the cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct LiveRule {
    /// What requests must fulfil.
    pub(super) when: Vec<Matcher>,
    /// Whether it is only for methods that change nothing.
    pub(super) safe_only: bool,
    /// Who gets what of them, as far as they are our versions.
    pub(super) weights: Weights,
    /// The weight of all that is none of our versions.
    pub(super) foreign: u64,
    /// Who gets copies, of so many hundredths of a percent of the requests.
    pub(super) mirror: Option<(Version, u32)>,
}

impl LiveRule {
    /// Adds a backend: one of our versions, or somebody else.
    pub(super) fn add(&mut self, version: Option<&Version>, weight: u64) {
        match version {
            None => self.foreign += weight,
            Some(version) => match self.weights.iter_mut().find(|(known, _)| known == version) {
                Some((_, sum)) => *sum += weight,
                None => self.weights.push((version.clone(), weight)),
            },
        }
    }
}

/// The traffic that the rules make, in their order. What they cannot say is taken from what was written beside them; where
/// they differ from it, they are right.
pub(super) fn traffic(rules: &[LiveRule], written: Traffic) -> Traffic {
    // Rules that go before the last one are narrower than they look.
    let for_all = |rule: &&LiveRule| rule.when.is_empty();
    let everybody = rules.iter().filter(for_all).rfind(|rule| !rule.safe_only);
    let everybody = everybody.or_else(|| rules.iter().rfind(for_all));
    let shares = everybody.map(shared).unwrap_or_default();
    // One that shares otherwise was put there by somebody else.
    let narrower = |rule: &&LiveRule| !rule.when.is_empty() || shared(rule) != shares;
    let narrower: Vec<&LiveRule> = rules.iter().filter(narrower).collect();
    let shares = in_order(shares, &written.shares);
    Traffic {
        cohorts: cohorts(&narrower, &shares, &written.cohorts),
        mirror: mirror(rules, written.mirror.as_ref()),
        shares,
        ..written
    }
}

fn shared(rule: &LiveRule) -> Vec<(Version, u32)> {
    shares::from_weights(&rule.weights, rule.foreign)
}

/// In the order in which they were written, then the newest first. A version that was written with no share has none.
fn in_order(mut shares: Vec<(Version, u32)>, written: &[(Version, u32)]) -> Vec<(Version, u32)> {
    let idle = written
        .iter()
        .filter(|(version, share)| *share == 0 && !shares.iter().any(|(served, _)| served == version));
    shares.extend(idle.cloned().collect::<Vec<_>>());
    let place = |version: &Version| written.iter().position(|(known, _)| known == version);
    shares.sort_by(|(a, _), (b, _)| {
        let places = place(a).unwrap_or(usize::MAX).cmp(&place(b).unwrap_or(usize::MAX));
        places.then_with(|| b.cmp(a))
    });
    shares
}

fn cohorts(rules: &[&LiveRule], shares: &[(Version, u32)], written: &[Cohort]) -> Vec<Cohort> {
    let mut cohorts: Vec<Cohort> = Vec::new();
    let mut seen: Vec<&[Matcher]> = Vec::new();
    for rule in rules {
        // The rule for safe methods and the one for the others are one cohort.
        if seen.contains(&rule.when.as_slice()) {
            continue;
        }
        seen.push(&rule.when);
        let Some((version, share)) = shares::cohort_of(&rule.weights, rule.foreign, shares) else { continue };
        let same = |cohort: &&Cohort| {
            cohort.version == version
                && cohort.share == share
                && cohort.when.iter().map(matcher).eq(rule.when.iter().cloned())
        };
        let known = written.iter().find(same).cloned();
        cohorts.push(known.unwrap_or_else(|| Cohort {
            name: format!("not ours ({})", cohorts.len() + 1),
            when: rule.when.iter().map(condition).collect(),
            version,
            share,
        }));
    }
    cohorts
}

fn mirror(rules: &[LiveRule], written: Option<&Mirror>) -> Option<Mirror> {
    let copying = rules.iter().find(|rule| rule.mirror.is_some())?;
    let (version, share) = copying.mirror.clone()?;
    let unsafe_methods = !copying.safe_only;
    let known = written.filter(|mirror| {
        mirror.version == version && mirror.share == share && mirror.unsafe_methods == unsafe_methods
    });
    Some(known.cloned().unwrap_or(Mirror {
        version,
        share,
        bytes_per_second: u64::MAX,
        max_body_bytes: u64::MAX,
        unsafe_methods,
        timeout: Duration::ZERO,
        compare: None,
    }))
}

#[cfg(test)]
mod tests {
    use super::super::rules;
    use super::super::testing::{cohort, mirror, traffic as written, version};
    use super::*;

    fn live(traffic: &Traffic) -> Vec<LiveRule> {
        let rule = |rule: rules::Rule| LiveRule {
            when: rule.when,
            safe_only: rule.safe_only,
            weights: rule.weights,
            foreign: 0,
            mirror: rule.mirror,
        };
        rules::rules(traffic).into_iter().map(rule).collect()
    }

    #[test]
    fn what_was_written_is_what_is_read() {
        let mut wanted = written(&[("2.0.0", 500), ("1.0.0", 9_500)]);
        wanted.cohorts.push(cohort("staff", "X-Staff", "yes", "2.0.0", 5_000));
        wanted.mirror = Some(mirror("2.0.0", 1_000));
        assert_eq!(traffic(&live(&wanted), wanted.clone()), wanted);
    }

    #[test]
    fn a_cohort_added_by_hand_is_seen() {
        let mut wanted = written(&[("2.0.0", 500), ("1.0.0", 9_500)]);
        let before = wanted.clone();
        wanted.cohorts.push(cohort("staff", "x-staff", "yes", "2.0.0", 10_000));
        let read = traffic(&live(&wanted), before.clone());
        assert_ne!(read, before);
        assert_eq!(read.cohorts[0].name, "not ours (1)");
        assert_eq!(read.cohorts[0].when, wanted.cohorts[0].when);
    }

    #[test]
    fn a_version_written_without_a_share_stays_in_the_list() {
        let wanted = written(&[("2.0.0", 0), ("1.0.0", 10_000)]);
        assert_eq!(traffic(&live(&wanted), wanted.clone()), wanted);
    }

    #[test]
    fn requests_that_go_elsewhere_are_missing_from_the_shares() {
        let wanted = written(&[("1.0.0", 10_000)]);
        let mut rules = live(&wanted);
        rules[0].foreign = 10_000;
        assert_eq!(traffic(&rules, wanted).shares, vec![(version("1.0.0"), 5_000)]);
    }
}
