//! Cohorts and mirrors: from the words of strategies to the edge's, and back.

use std::time::Duration;

use pilotage_proxy as edge;
use pilotage_spec::{Cohort, Condition, Mirror, MirrorComparison, Source, Test};

use super::settings::millis;

/// A cohort in the edge's words.
pub(super) fn cohort(cohort: &Cohort) -> edge::Cohort {
    let Cohort { name, when, version, share } = cohort;
    let when = when.iter().map(condition).collect();
    edge::Cohort { name: name.clone(), when, version: version.to_string(), share: *share }
}

/// The cohort that the edge speaks of; `None` if it is not ours.
pub(super) fn read_cohort(cohort: &edge::Cohort) -> Option<Cohort> {
    let edge::Cohort { name, when, version, share } = cohort;
    let when = when.iter().map(read_condition).collect();
    Some(Cohort { name: name.clone(), when, version: version.parse().ok()?, share: *share })
}

fn condition(condition: &Condition) -> edge::Condition {
    let source = match &condition.source {
        Source::Header(name) => edge::Source::Header(name.clone()),
        Source::Cookie(name) => edge::Source::Cookie(name.clone()),
        Source::Query(name) => edge::Source::Query(name.clone()),
    };
    let test = match &condition.test {
        Test::Equals(text) => edge::Test::Equals(text.clone()),
        Test::Prefix(text) => edge::Test::Prefix(text.clone()),
        Test::Present(there) => edge::Test::Present(*there),
    };
    edge::Condition { source, test }
}

fn read_condition(condition: &edge::Condition) -> Condition {
    let source = match &condition.source {
        edge::Source::Header(name) => Source::Header(name.clone()),
        edge::Source::Cookie(name) => Source::Cookie(name.clone()),
        edge::Source::Query(name) => Source::Query(name.clone()),
    };
    let test = match &condition.test {
        edge::Test::Equals(text) => Test::Equals(text.clone()),
        edge::Test::Prefix(text) => Test::Prefix(text.clone()),
        edge::Test::Present(there) => Test::Present(*there),
    };
    Condition { source, test }
}

/// A mirror in the edge's words.
pub(super) fn mirror(mirror: &Mirror) -> edge::Mirror {
    edge::Mirror {
        version: mirror.version.to_string(),
        share: mirror.share,
        bytes_per_second: mirror.bytes_per_second,
        max_body_bytes: mirror.max_body_bytes,
        unsafe_methods: mirror.unsafe_methods,
        timeout_ms: millis(mirror.timeout),
        compare: mirror.compare.as_ref().map(comparison),
    }
}

/// The mirror that the edge speaks of; `None` if it is not ours.
pub(super) fn read_mirror(mirror: &edge::Mirror) -> Option<Mirror> {
    Some(Mirror {
        version: mirror.version.parse().ok()?,
        share: mirror.share,
        bytes_per_second: mirror.bytes_per_second,
        max_body_bytes: mirror.max_body_bytes,
        unsafe_methods: mirror.unsafe_methods,
        timeout: Duration::from_millis(mirror.timeout_ms),
        compare: mirror.compare.as_ref().map(read_comparison),
    })
}

fn comparison(comparison: &MirrorComparison) -> edge::MirrorComparison {
    let MirrorComparison { bodies, ignore, max_body_bytes } = comparison;
    edge::MirrorComparison { bodies: *bodies, ignore: ignore.clone(), max_body_bytes: *max_body_bytes }
}

fn read_comparison(comparison: &edge::MirrorComparison) -> MirrorComparison {
    let edge::MirrorComparison { bodies, ignore, max_body_bytes } = comparison;
    MirrorComparison { bodies: *bodies, ignore: ignore.clone(), max_body_bytes: *max_body_bytes }
}
