//! Cohorts: clients that go to a version whatever the weights say.

use super::Asked;
use super::asked::cookie_values;
use super::percent::query_bytes;
use super::query::parameter;
use super::split::Salt;
use crate::{Cohort, Condition, FULL_WEIGHT, Source, Test};

/// A cohort with the pool that takes it.
#[derive(Debug)]
pub(super) struct CompiledCohort {
    when: Vec<Condition>,
    /// The index of the pool in its route.
    pub(super) pool: usize,
    share: u32,
    salt: Salt,
}

/// How much of a cohort goes to its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    None,
    /// It matters who a client is.
    Some,
    All,
}

impl CompiledCohort {
    pub(super) fn new(cohort: &Cohort, pool: usize, route: Salt) -> Self {
        let when = cohort.when.iter().cloned().map(lower_case).collect();
        Self { when, pool, share: cohort.share, salt: route.of_cohort(&cohort.name) }
    }

    /// Whether a request fulfils all conditions.
    pub(super) fn fits(&self, asked: &impl Asked) -> bool {
        self.when.iter().all(|condition| holds(condition, asked))
    }

    pub(super) fn part(&self) -> Part {
        match self.share {
            0 => Part::None,
            share if share >= FULL_WEIGHT => Part::All,
            _ => Part::Some,
        }
    }

    /// Whether a client of the cohort is in the part that goes to its version. Raising the share brings nobody back.
    pub(super) fn takes(&self, client: &[u8]) -> bool {
        self.salt.point(client) < self.share
    }
}

fn lower_case(condition: Condition) -> Condition {
    match condition.source {
        Source::Header(name) => Condition { source: Source::Header(name.to_ascii_lowercase()), ..condition },
        Source::Cookie(_) | Source::Query(_) => condition,
    }
}

fn holds(condition: &Condition, asked: &impl Asked) -> bool {
    let test = &condition.test;
    match &condition.source {
        Source::Header(name) => is_met(test, asked.header(name).map(|value| value.iter().copied())),
        Source::Cookie(name) => {
            is_met(test, cookie_values(asked, name).next().map(|value| value.iter().copied()))
        }
        Source::Query(name) => is_met(test, parameter(asked.target(), name).map(query_bytes)),
    }
}

fn is_met(test: &Test, value: Option<impl Iterator<Item = u8>>) -> bool {
    match (test, value) {
        (Test::Present(wanted), value) => value.is_some() == *wanted,
        (Test::Equals(text), Some(value)) => value.eq(text.bytes()),
        (Test::Prefix(text), Some(mut value)) => text.bytes().all(|byte| value.next() == Some(byte)),
        (Test::Equals(_) | Test::Prefix(_), None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;

    fn fits(when: &[(Source, Test)], asked: &Sample) -> bool {
        let when = when.iter().cloned().map(|(source, test)| Condition { source, test }).collect();
        let cohort = Cohort { name: "beta".to_owned(), when, version: "2".to_owned(), share: FULL_WEIGHT };
        CompiledCohort::new(&cohort, 0, Salt::of_route("a")).fits(asked)
    }

    fn header(name: &str) -> Source {
        Source::Header(name.to_owned())
    }

    fn equals(text: &str) -> Test {
        Test::Equals(text.to_owned())
    }

    fn prefix(text: &str) -> Test {
        Test::Prefix(text.to_owned())
    }

    #[test]
    fn conditions_look_where_they_say() {
        let asked = Sample::at("/?plan=gold+card%21")
            .with("x-country", "de-AT")
            .with("cookie", "theme=dark; tester=1; tester=2");
        for (source, test, expected) in [
            (header("X-Country"), equals("de-AT"), true),
            (header("x-country"), equals("de"), false),
            (header("x-country"), prefix("de"), true),
            (header("x-country"), prefix("de-AT-9"), false),
            (header("x-other"), Test::Present(false), true),
            (header("x-other"), prefix(""), false),
            (Source::Cookie("tester".to_owned()), equals("1"), true),
            (Source::Cookie("test".to_owned()), Test::Present(true), false),
            (Source::Query("plan".to_owned()), equals("gold card!"), true),
            (Source::Query("plan".to_owned()), prefix("gold "), true),
            (Source::Query("plan".to_owned()), Test::Present(false), false),
        ] {
            assert_eq!(fits(&[(source.clone(), test.clone())], &asked), expected, "{source:?} {test:?}");
        }
    }

    #[test]
    fn all_conditions_must_hold() {
        let asked = Sample::new().with("a", "1");
        assert!(fits(&[(header("a"), equals("1")), (header("b"), Test::Present(false))], &asked));
        assert!(!fits(&[(header("a"), equals("1")), (header("b"), Test::Present(true))], &asked));
    }
}
