//! Waves: each environment is in one place of one list, so that it is clear what it comes after.

use std::collections::BTreeMap;

use super::report_unknown;
use crate::read::fault::Faults;
use crate::read::file::Waves;
use crate::read::node::Span;
use crate::{Environment, EnvironmentName, WavesName};

/// The waves in their final form; every environment is told which others come before it.
pub(super) fn resolve(
    written: Waves,
    environments: &mut BTreeMap<EnvironmentName, Environment>,
    faults: &mut Faults,
) -> BTreeMap<WavesName, Vec<Vec<EnvironmentName>>> {
    let mut places: BTreeMap<EnvironmentName, Span> = BTreeMap::new();
    let mut resolved = BTreeMap::new();
    for (name, waves) in written {
        let mut before: Vec<EnvironmentName> = Vec::new();
        let mut named: Vec<Vec<EnvironmentName>> = Vec::new();
        for wave in waves.unwrap_or_default() {
            for at in &wave {
                if !environments.contains_key(&at.value) {
                    let known = environments.keys().map(EnvironmentName::as_str);
                    report_unknown("environment", at.value.as_str(), &at.span, known, faults);
                } else if let Some(first) = places.insert(at.value.clone(), at.span.clone()) {
                    faults
                        .error(&at.span, format!("`{}` is in a wave already", at.value))
                        .related(&first, "here")
                        .help("name each environment once in all `waves`");
                }
            }
            let wave: Vec<EnvironmentName> = wave.into_iter().map(|at| at.value).collect();
            for environment in &wave {
                if let Some(environment) = environments.get_mut(environment) {
                    environment.policy.after.clone_from(&before);
                }
            }
            before.extend(wave.iter().cloned());
            named.push(wave);
        }
        resolved.insert(name.value, named);
    }
    resolved
}
