//! What live Ingresses say.

use pilotage_spec::{Cohort, Version};
use pilotage_targets::Traffic;
use serde_json::Value;

use super::super::matcher::matcher;
use super::super::scene::{Backends, items, text};
use super::super::shares::ALL;
use super::annotations;
use super::turn::{Canary, Pair};

/// The version that an Ingress names; `None` if it is none of ours, or its rules name several.
pub(super) fn named(ingress: &Value, backends: &Backends) -> Option<Version> {
    let mut versions = backends_of(ingress).map(|name| backends.get(name));
    let first = versions.next()??;
    versions.all(|version| version == Some(first)).then(|| first.clone())
}

/// The names of all Services that it sends requests to.
pub(super) fn backends_of(ingress: &Value) -> impl Iterator<Item = &str> {
    let rules = items(ingress, "/spec/rules").iter();
    rules.flat_map(|rule| items(rule, "/http/paths")).filter_map(|path| text(path, "/backend/service/name"))
}

/// Both of them; `None` if there is no main one that names a version of ours.
pub(super) fn pair(main: Option<&Value>, canary: Option<&Value>, backends: &Backends) -> Option<Pair> {
    let main = named(main?, backends)?;
    let canary = canary.and_then(|ingress| {
        let (weight, picks) = annotations::read(ingress)?;
        Some(Canary { version: named(ingress, backends)?, weight, picks })
    });
    let idle = || Canary { version: main.clone(), weight: 0, picks: annotations::Picks::default() };
    let canary = canary.unwrap_or_else(idle);
    Some(Pair { main, canary })
}

/// The traffic that the pair makes.
pub(super) fn traffic(pair: &Pair, written: Traffic) -> Traffic {
    let Pair { main, canary } = pair;
    let mut shares = vec![(canary.version.clone(), canary.weight), (main.clone(), ALL - canary.weight)];
    if canary.version == *main {
        shares = vec![(main.clone(), ALL)];
    }
    let place = |version: &Version| written.shares.iter().position(|(known, _)| known == version);
    shares.retain(|(version, share)| *share > 0 || place(version).is_some());
    shares.sort_by(|(a, _), (b, _)| {
        let places = place(a).unwrap_or(usize::MAX).cmp(&place(b).unwrap_or(usize::MAX));
        places.then_with(|| b.cmp(a))
    });
    let cohorts = if canary.version == *main { Vec::new() } else { cohorts(canary, &written.cohorts) };
    Traffic { shares, cohorts, mirror: None, ..written }
}

fn cohorts(canary: &Canary, written: &[Cohort]) -> Vec<Cohort> {
    let mut cohorts: Vec<Cohort> = Vec::new();
    for condition in canary.picks.conditions() {
        let wanted = matcher(&condition);
        let same = |cohort: &&Cohort| {
            cohort.version == canary.version
                && cohort.share == ALL
                && matches!(cohort.when.as_slice(), [only] if matcher(only) == wanted)
        };
        cohorts.push(written.iter().find(same).cloned().unwrap_or_else(|| Cohort {
            name: format!("not ours ({})", cohorts.len() + 1),
            when: vec![condition],
            version: canary.version.clone(),
            share: ALL,
        }));
    }
    let place = |cohort: &Cohort| written.iter().position(|known| known == cohort).unwrap_or(usize::MAX);
    cohorts.sort_by_key(place);
    cohorts
}
