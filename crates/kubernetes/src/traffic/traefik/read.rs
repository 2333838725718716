//! What a live `IngressRoute` says.

use pilotage_spec::Version;
use serde_json::Value;

use super::super::live::LiveRule;
use super::super::matcher::{Matcher, Pattern, Place};
use super::super::scene::{Backends, items, name_of, text};
use super::super::shares::ALL;
use super::rule_text;

/// Whether one of its rules sends requests to the Service.
pub(super) fn mentions(route: &Value, service: &str) -> bool {
    items(route, "/spec/routes").iter().any(|rule| is_for(rule, service))
}

/// Whether the rule sends requests to the Service.
pub(super) fn is_for(rule: &Value, service: &str) -> bool {
    items(rule, "/services").iter().any(|backend| {
        text(backend, "/name") == Some(service) && text(backend, "/kind").is_none_or(|kind| kind == "Service")
    })
}

/// The rules for the workload, by their priority: those with a service of it. `mirrors` are the services that copy.
pub(super) fn rules(route: &Value, mirrors: &[Value], backends: &Backends) -> Vec<LiveRule> {
    let read =
        items(route, "/spec/routes").iter().filter_map(|rule| Some((rule, read(rule, mirrors, backends)?)));
    let mut rules: Vec<(u64, LiveRule)> = read.map(|(rule, live)| (priority(rule), live)).collect();
    rules.sort_by_key(|(priority, _)| std::cmp::Reverse(*priority));
    rules.into_iter().map(|(_, rule)| rule).collect()
}

/// The longer rule goes first where no priority is given.
fn priority(rule: &Value) -> u64 {
    let given = rule.get("priority").and_then(Value::as_u64).filter(|priority| *priority > 0);
    let length = text(rule, "/match").map_or(0, str::len);
    given.unwrap_or(u64::try_from(length).unwrap_or(u64::MAX))
}

fn read(rule: &Value, mirrors: &[Value], backends: &Backends) -> Option<LiveRule> {
    let mut live = LiveRule::default();
    for service in items(rule, "/services") {
        let weight = service.get("weight").and_then(Value::as_u64).unwrap_or(1);
        let name = text(service, "/name").unwrap_or_default();
        if text(service, "/kind") == Some("TraefikService") {
            let mirroring =
                mirrors.iter().find(|mirror| name_of(mirror) == name)?.pointer("/spec/mirroring")?;
            live.add(text(mirroring, "/name").and_then(|name| backends.get(name)), weight);
            live.mirror = live.mirror.or_else(|| mirror(mirroring, backends));
        } else {
            live.add(backends.get(name), weight);
        }
    }
    if live.weights.is_empty() {
        return None;
    }
    let rule = text(rule, "/match").unwrap_or_default();
    (live.when, live.safe_only) = rule_text::read(rule).unwrap_or_else(|| (vec![unknown(rule)], false));
    Some(live)
}

/// A rule that we do not understand is shown as it is; nothing of ours looks like it.
fn unknown(rule: &str) -> Matcher {
    Matcher { place: Place::Header("rule".to_owned()), pattern: Pattern::Exact(rule.to_owned()) }
}

fn mirror(mirroring: &Value, backends: &Backends) -> Option<(Version, u32)> {
    let first = items(mirroring, "/mirrors").first()?;
    let version = backends.get(text(first, "/name")?)?.clone();
    let percent = first.get("percent").and_then(Value::as_u64).unwrap_or_default().min(100);
    Some((version, u32::try_from(percent * 100).unwrap_or(ALL)))
}
