//! What a live `HTTPRoute` says.

use serde_json::Value;

use super::super::live::LiveRule;
use super::super::matcher::{Matcher, Pattern, Place};
use super::super::rules::SAFE_METHODS;
use super::super::scene::{Backends, items, text};
use super::super::shares::ALL;

/// Whether one of its rules sends requests to the Service.
pub(super) fn mentions(route: &Value, service: &str) -> bool {
    items(route, "/spec/rules").iter().any(|rule| is_for(rule, service))
}

/// Whether the rule sends requests to the Service.
pub(super) fn is_for(rule: &Value, service: &str) -> bool {
    items(rule, "/backendRefs")
        .iter()
        .any(|backend| text(backend, "/name") == Some(service) && is_service(backend))
}

fn is_service(backend: &Value) -> bool {
    text(backend, "/kind").is_none_or(|kind| kind == "Service")
        && text(backend, "/group").is_none_or(str::is_empty)
        && text(backend, "/namespace").is_none()
}

/// The rules for the workload: those with a backend of it. A rule of several alternatives is read by its first.
pub(super) fn rules(route: &Value, backends: &Backends) -> Vec<LiveRule> {
    let rules = items(route, "/spec/rules").iter().filter_map(|rule| read(rule, backends));
    let mut rules: Vec<LiveRule> = rules.collect();
    // More conditions on headers go first, then more on parameters; ties keep their order.
    rules.sort_by_key(|rule| {
        let headers = rule.when.iter().filter(|matcher| matches!(matcher.place, Place::Header(_))).count();
        std::cmp::Reverse((headers, rule.when.len() - headers))
    });
    rules
}

fn read(rule: &Value, backends: &Backends) -> Option<LiveRule> {
    let mut live = LiveRule::default();
    for backend in items(rule, "/backendRefs") {
        let version =
            text(backend, "/name").filter(|_| is_service(backend)).and_then(|name| backends.get(name));
        live.add(version, backend.get("weight").and_then(Value::as_u64).unwrap_or(1));
    }
    if live.weights.is_empty() {
        return None;
    }
    let first = items(rule, "/matches").first();
    live.when = first.map(matchers).unwrap_or_default();
    let methods = items(rule, "/matches").iter().map(|matched| text(matched, "/method"));
    live.safe_only = first.is_some()
        && methods.into_iter().all(|method| method.is_some_and(|method| SAFE_METHODS.contains(&method)));
    live.mirror = items(rule, "/filters").iter().find_map(|filter| mirror(filter, backends));
    Some(live)
}

fn matchers(matched: &Value) -> Vec<Matcher> {
    let headers = items(matched, "/headers").iter().filter_map(|entry| {
        let place = Place::Header(text(entry, "/name")?.to_ascii_lowercase());
        Some(Matcher { place, pattern: pattern(entry)? })
    });
    let parameters = items(matched, "/queryParams").iter().filter_map(|entry| {
        Some(Matcher { place: Place::Query(text(entry, "/name")?.to_owned()), pattern: pattern(entry)? })
    });
    headers.chain(parameters).collect()
}

fn pattern(entry: &Value) -> Option<Pattern> {
    let value = text(entry, "/value")?.to_owned();
    let regex = text(entry, "/type") == Some("RegularExpression");
    Some(if regex { Pattern::Regex(value) } else { Pattern::Exact(value) })
}

fn mirror(filter: &Value, backends: &Backends) -> Option<(pilotage_spec::Version, u32)> {
    let mirror = filter.get("requestMirror")?;
    let version = backends.get(text(mirror, "/backendRef/name")?)?.clone();
    let number = |pointer: &str| mirror.pointer(pointer).and_then(Value::as_u64);
    let share = match (number("/fraction/numerator"), number("/percent")) {
        (Some(part), _) => part * u64::from(ALL) / number("/fraction/denominator").unwrap_or(100).max(1),
        (None, Some(percent)) => percent * 100,
        (None, None) => u64::from(ALL),
    };
    Some((version, u32::try_from(share).unwrap_or(ALL)))
}
