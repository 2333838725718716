//! Thresholds of single values: instances and alerts.

use super::criteria::Seen;
use super::words::percent;
use super::{InstanceReading, Known, Verdict};

pub(super) fn probe_failures(limit: u32, instances: &[InstanceReading]) -> Seen {
    let worst = instances.iter().find_map(|instance| {
        if let Some(reason) = &instance.failed {
            return Some(format!("instance {} was given up: {reason}", instance.name));
        }
        if instance.restarts >= limit {
            return Some(format!("instance {} ended by itself {} times", instance.name, instance.restarts));
        }
        (instance.probe_failures >= limit)
            .then(|| format!("instance {} failed {} probes in a row", instance.name, instance.probe_failures))
    });
    match worst {
        Some(words) => (Verdict::Fail, words),
        None if instances.is_empty() => (Verdict::Inconclusive, "no instance can be asked".to_owned()),
        None if instances.len() == 1 => (Verdict::Pass, "its instance answers the probes".to_owned()),
        None => (Verdict::Pass, format!("all {} instances answer their probes", instances.len())),
    }
}

pub(super) fn usage(
    limit: u32,
    what: &str,
    instances: &[InstanceReading],
    of: fn(&InstanceReading) -> Option<u32>,
) -> Seen {
    let highest =
        instances.iter().filter_map(|instance| of(instance).map(|share| (share, &instance.name))).max();
    let Some((highest, name)) = highest else {
        return (Verdict::Inconclusive, format!("no {what} limit is set, or nothing was measured yet"));
    };
    let percent = |share: u32| percent(f64::from(share) / 10_000.0);
    let words = format!(
        "instance {name} uses {} of its {what} limit; the trigger is {}",
        percent(highest),
        percent(limit)
    );
    (if highest > limit { Verdict::Fail } else { Verdict::Pass }, words)
}

pub(super) fn alerts(alerts: &Known<Vec<String>>) -> Option<Seen> {
    match alerts {
        Known::NotAsked => None,
        Known::Value(names) if names.is_empty() => {
            Some((Verdict::Pass, "no critical alert fires".to_owned()))
        }
        Known::Value(names) => Some((Verdict::Fail, format!("critical alert fires: {}", names.join(", ")))),
        Known::Unknown(reason) => Some((Verdict::Inconclusive, format!("alerts are not known: {reason}"))),
    }
}
