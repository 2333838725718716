//! What a live `VirtualService` says.

use pilotage_spec::Version;
use serde_json::Value;

use super::super::live::LiveRule;
use super::super::matcher::{Matcher, Pattern, Place};
use super::super::provider::Verdict;
use super::super::scene::{Backends, items, text};
use super::super::shares::ALL;
use super::object::safe_methods;

/// Whether one of its rules sends requests to the Service.
pub(super) fn mentions(route: &Value, service: &str) -> bool {
    items(route, "/spec/http").iter().any(|rule| is_for(rule, service))
}

/// Whether the rule sends requests to the Service.
pub(super) fn is_for(rule: &Value, service: &str) -> bool {
    items(rule, "/route")
        .iter()
        .any(|route| text(route, "/destination/host").is_some_and(|host| short(host) == service))
}

/// The Service that a host inside the cluster names: `api`, `api.shop` and `api.shop.svc.cluster.local` are the same here.
fn short(host: &str) -> &str {
    host.split('.').next().unwrap_or(host)
}

/// The rules for the workload: those with a destination of it.
pub(super) fn rules(route: &Value, backends: &Backends) -> Vec<LiveRule> {
    items(route, "/spec/http").iter().filter_map(|rule| read(rule, backends)).collect()
}

fn read(rule: &Value, backends: &Backends) -> Option<LiveRule> {
    let mut live = LiveRule::default();
    let routes = items(rule, "/route");
    for route in routes {
        let version = text(route, "/destination/host").and_then(|host| backends.get(short(host)));
        // One destination alone gets everything, whatever its weight says.
        let alone = if routes.len() == 1 { 1 } else { 0 };
        let weight = route.get("weight").and_then(Value::as_u64).filter(|_| alone == 0).unwrap_or(alone);
        live.add(version, weight);
    }
    if live.weights.is_empty() {
        return None;
    }
    let first = items(rule, "/match").first();
    live.when = first.map(matchers).unwrap_or_default();
    let method = first.and_then(|matched| text(matched, "/method/regex"));
    live.safe_only = method == Some(safe_methods().as_str());
    live.mirror = mirror(rule, backends);
    Some(live)
}

fn matchers(matched: &Value) -> Vec<Matcher> {
    let mut matchers = Vec::new();
    for (key, without) in [("headers", false), ("withoutHeaders", true), ("queryParams", false)] {
        for (name, value) in matched.get(key).and_then(Value::as_object).into_iter().flatten() {
            let place = match key {
                "queryParams" => Place::Query(name.clone()),
                _ => Place::Header(name.to_ascii_lowercase()),
            };
            matchers.extend(pattern(value, without).map(|pattern| Matcher { place, pattern }));
        }
    }
    matchers
}

fn pattern(value: &Value, without: bool) -> Option<Pattern> {
    let of = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    if let Some(text) = of("exact") {
        return Some(if without { Pattern::Without(text) } else { Pattern::Exact(text) });
    }
    let regex = of("regex").or_else(|| Some(format!("^{}.*$", of("prefix")?)))?;
    Some(if without { Pattern::Without(regex) } else { Pattern::Regex(regex) })
}

fn mirror(rule: &Value, backends: &Backends) -> Option<(Version, u32)> {
    let (host, percent) = match items(rule, "/mirrors").first() {
        Some(mirror) => (text(mirror, "/destination/host")?, mirror.pointer("/percentage/value")),
        None => (text(rule, "/mirror/host")?, rule.pointer("/mirrorPercentage/value")),
    };
    let version = backends.get(short(host))?.clone();
    let percent = percent.and_then(Value::as_f64).unwrap_or(100.0).clamp(0.0, 100.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 10,000")]
    let share = (percent * f64::from(ALL / 100)).round() as u32;
    Some((version, share))
}

/// Istio writes a status only where that is switched on. Its validation's errors are a refusal.
pub(super) fn verdict(route: &Value) -> Verdict {
    let generation = route.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or_default();
    let Some(status) = route.get("status").filter(|status| status.get("observedGeneration").is_some()) else {
        return Verdict::Silent;
    };
    // An integer of 64 bits is written as text by some versions.
    let observed = status.get("observedGeneration");
    let observed = observed.and_then(|number| number.as_i64().or_else(|| number.as_str()?.parse().ok()));
    if observed.is_none_or(|observed| observed < generation) {
        return Verdict::Pending;
    }
    let errors = items(status, "/validationMessages")
        .iter()
        .filter(|message| text(message, "/level") == Some("ERROR"));
    let errors: Vec<&str> = errors.filter_map(|message| text(message, "/type/name")).collect();
    let reconciled =
        items(status, "/conditions").iter().find(|condition| text(condition, "/type") == Some("Reconciled"));
    match reconciled.and_then(|condition| text(condition, "/status")) {
        _ if !errors.is_empty() => Verdict::Refused(errors.join(", ")),
        Some("False") => Verdict::Pending,
        _ => Verdict::InForce,
    }
}
