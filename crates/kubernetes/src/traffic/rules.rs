//! Traffic as a list of rules, the first of which that fits a request decides: what routes of every kind are made of.

use pilotage_spec::{Cohort, Version};
use pilotage_targets::Traffic;

use super::matcher::{Matcher, Place, matcher};
use super::refusal::Refusal;
use super::shares::{self, Weights};

/// Methods that change nothing (RFC 9110, section 9.2.1) and that users' programs send.
pub(super) const SAFE_METHODS: [&str; 3] = ["GET", "HEAD", "OPTIONS"];

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    /// What it is called: the cohort's name, or `everybody`.
    pub(super) name: String,
    /// What a request must fulfil, all of it.
    pub(super) when: Vec<Matcher>,
    /// Whether only requests with a safe method fit.
    pub(super) safe_only: bool,
    /// Who gets what of the requests that fit.
    pub(super) weights: Weights,
    /// The version that gets copies, of so many hundredths of a percent of the requests.
    pub(super) mirror: Option<(Version, u32)>,
}

/// The rules of the traffic, cohorts first. None if nobody is served.
pub(super) fn rules(traffic: &Traffic) -> Vec<Rule> {
    let mut rules: Vec<Rule> =
        traffic.cohorts.iter().map(|cohort| of_cohort(cohort, &traffic.shares)).collect();
    let weights = shares::of_shares(&traffic.shares);
    if !weights.is_empty() {
        let name = "everybody".to_owned();
        rules.push(Rule { name, when: Vec::new(), safe_only: false, weights, mirror: None });
    }
    match &traffic.mirror {
        Some(mirror) if mirror.share > 0 => {
            let copies = (mirror.version.clone(), mirror.share);
            rules.into_iter().flat_map(|rule| with_copies(rule, &copies, mirror.unsafe_methods)).collect()
        }
        _ => rules,
    }
}

fn of_cohort(cohort: &Cohort, shares: &[(Version, u32)]) -> Rule {
    Rule {
        name: cohort.name.clone(),
        when: cohort.when.iter().map(matcher).collect(),
        safe_only: false,
        weights: shares::of_cohort(cohort, shares),
        mirror: None,
    }
}

/// Requests that change something have a rule of their own, without copies, unless they are copied too.
fn with_copies(rule: Rule, copies: &(Version, u32), unsafe_methods: bool) -> Vec<Rule> {
    let copied = Rule { safe_only: !unsafe_methods, mirror: Some(copies.clone()), ..rule.clone() };
    if unsafe_methods { vec![copied] } else { vec![copied, rule] }
}

/// Refuses two conditions on the same header or parameter in one rule: routes have room for one.
pub(super) fn one_matcher_a_place(rules: &[Rule]) -> Result<(), Refusal> {
    for rule in rules {
        for (index, matcher) in rule.when.iter().enumerate() {
            if rule.when[..index].iter().any(|before| before.place == matcher.place) {
                return Err(Refusal::new(
                    format!("two conditions of cohort `{}` on {}", rule.name, place(&matcher.place)),
                    "make one condition of them; all cookies share one header",
                ));
            }
        }
    }
    Ok(())
}

fn place(place: &Place) -> String {
    match place {
        Place::Header(name) => format!("the header `{name}`"),
        Place::Query(name) => format!("the parameter `{name}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{cohort, mirror, traffic};
    use super::*;

    #[test]
    fn cohorts_come_first_and_copies_leave_writes_alone() {
        let mut traffic = traffic(&[("2.0.0", 500), ("1.0.0", 9_500)]);
        traffic.cohorts.push(cohort("staff", "x-staff", "yes", "2.0.0", 10_000));
        traffic.mirror = Some(mirror("2.0.0", 1_000));
        let rules = rules(&traffic);
        let names: Vec<_> = rules.iter().map(|rule| (rule.name.as_str(), rule.safe_only)).collect();
        assert_eq!(names, [("staff", true), ("staff", false), ("everybody", true), ("everybody", false)]);
        assert!(rules.iter().all(|rule| rule.mirror.is_some() == rule.safe_only));
    }

    #[test]
    fn two_cookies_in_one_cohort_are_refused() {
        let mut traffic = traffic(&[("1.0.0", 10_000)]);
        let mut staff = cohort("staff", "a", "1", "1.0.0", 10_000);
        staff.when.push(pilotage_spec::Condition {
            source: pilotage_spec::Source::Header("A".into()),
            test: pilotage_spec::Test::Present(true),
        });
        traffic.cohorts.push(staff);
        let refusal = one_matcher_a_place(&rules(&traffic)).unwrap_err();
        assert!(refusal.to_string().contains("two conditions of cohort `staff` on the header `a`"));
    }
}
