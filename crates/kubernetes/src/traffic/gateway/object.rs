//! The `HTTPRoute` of some traffic.

use std::time::Duration;

use pilotage_spec::RouteSettings;
use pilotage_targets::Traffic;
use serde_json::{Value, json};

use super::super::matcher::{Matcher, Pattern, Place};
use super::super::refusal::{self, Refusal};
use super::super::rules::{self, Rule, SAFE_METHODS};
use super::super::scene::{Scene, items};
use super::super::shares::ALL;
use super::Gateway;
use super::read::is_for;

/// The greatest weight of a backend.
const GREATEST_WEIGHT: u64 = 1_000_000;
/// So many rules one route may have.
const RULES: usize = 16;

/// The whole route.
pub(super) fn route(
    gateway: &Gateway,
    scene: &Scene,
    traffic: &Traffic,
    version: &str,
) -> Result<Value, Refusal> {
    let base = json!({
        "matches": [{ "path": { "type": "PathPrefix", "value": traffic.route.path.as_str() } }],
    });
    let mut parent = json!({ "name": gateway.parent });
    if let Some(namespace) = &gateway.namespace {
        parent["namespace"] = json!(namespace);
    }
    let mut spec = json!({ "parentRefs": [parent], "rules": written_rules(scene, traffic, &[base])? });
    if !traffic.route.hosts.is_empty() {
        spec["hostnames"] = traffic.route.hosts.iter().map(|host| json!(host.as_str())).collect();
    }
    Ok(json!({
        "apiVersion": format!("gateway.networking.k8s.io/{version}"),
        "kind": "HTTPRoute",
        "metadata": scene.metadata_with(&scene.service, traffic),
        "spec": spec,
    }))
}

/// Somebody's own route: its rules for the workload get our backends, each with what else it says; its other rules stay.
pub(super) fn borrowed(scene: &Scene, traffic: &Traffic, original: &Value) -> Result<Value, Refusal> {
    let mut rules = Vec::new();
    for rule in items(original, "/rules") {
        if is_for(rule, &scene.service) {
            rules.extend(written_rules(scene, traffic, std::slice::from_ref(rule))?);
        } else {
            rules.push(rule.clone());
        }
    }
    within_limits(&rules)?;
    Ok(json!({ "rules": rules }))
}

/// Each of the base rules, once for every rule of the traffic.
fn written_rules(scene: &Scene, traffic: &Traffic, base: &[Value]) -> Result<Vec<Value>, Refusal> {
    refusal::edge_settings(traffic, "a Gateway")?;
    let rules = rules::rules(traffic);
    rules::one_matcher_a_place(&rules)?;
    in_order_of_precedence(&rules)?;
    let mut written = Vec::new();
    for base in base {
        for rule in &rules {
            written.push(written_rule(scene, &traffic.route, base, rule)?);
        }
        if rules.is_empty() {
            written.push(nobody(base));
        }
    }
    within_limits(&written)?;
    Ok(written)
}

/// A rule without backends is answered with 500 (Gateway API, `backendRefs`).
fn nobody(base: &Value) -> Value {
    let mut written = base.clone();
    written["backendRefs"] = json!([]);
    written
}

fn written_rule(scene: &Scene, route: &RouteSettings, base: &Value, rule: &Rule) -> Result<Value, Refusal> {
    let mut written = base.clone();
    let everything = [json!({ "path": { "type": "PathPrefix", "value": "/" } })];
    let bases = items(base, "/matches");
    let bases = if bases.is_empty() { &everything[..] } else { bases };
    let mut matches = Vec::new();
    for base in bases {
        let narrowed = narrowed(base, rule)?;
        if rule.safe_only && base.get("method").is_none() {
            matches.extend(SAFE_METHODS.map(|method| {
                let mut safe = narrowed.clone();
                safe["method"] = json!(method);
                safe
            }));
        } else {
            matches.push(narrowed);
        }
    }
    written["matches"] = Value::Array(matches);
    written["backendRefs"] = backends(scene, rule)?;
    if let Some((version, share)) = &rule.mirror {
        let mut filters = items(base, "/filters").to_vec();
        filters.push(mirror(scene, &scene.backend(version), *share));
        written["filters"] = Value::Array(filters);
    }
    if let Some(total) = route.timeouts.total.filter(|_| base.get("timeouts").is_none()) {
        written["timeouts"] = json!({ "request": duration(total) });
    }
    Ok(written)
}

fn narrowed(base: &Value, rule: &Rule) -> Result<Value, Refusal> {
    let mut narrowed = base.clone();
    for matcher in &rule.when {
        let (key, name) = match &matcher.place {
            Place::Header(name) => ("headers", name),
            Place::Query(name) => ("queryParams", name),
        };
        let mut entries = items(base, &format!("/{key}")).to_vec();
        entries.extend(items(&narrowed, &format!("/{key}")).iter().skip(entries.len()).cloned());
        entries.push(entry(matcher, name, &rule.name)?);
        narrowed[key] = Value::Array(entries);
    }
    Ok(narrowed)
}

fn entry(matcher: &Matcher, name: &str, cohort: &str) -> Result<Value, Refusal> {
    match &matcher.pattern {
        Pattern::Exact(value) => Ok(json!({ "type": "Exact", "name": name, "value": value })),
        Pattern::Regex(regex) => Ok(json!({ "type": "RegularExpression", "name": name, "value": regex })),
        Pattern::Without(_) => Err(Refusal::new(
            format!("cohort `{cohort}` of requests that do not have `{name}`, on the Gateway API"),
            "turn the condition round, or use `traffic: edge`, which can",
        )),
    }
}

fn backends(scene: &Scene, rule: &Rule) -> Result<Value, Refusal> {
    let too_fine = || {
        Refusal::new(
            format!(
                "the share of cohort `{}` beside these shares of the traffic, on the Gateway API",
                rule.name
            ),
            "give the cohort all of its clients, or a rounder share",
        )
    };
    if rule.weights.iter().any(|(_, weight)| *weight > GREATEST_WEIGHT) {
        return Err(too_fine());
    }
    let backend = |(version, weight): &(_, u64)| {
        json!({
            "kind": "Service",
            "name": scene.backend(version),
            "port": scene.port,
            "weight": weight,
        })
    };
    Ok(rule.weights.iter().map(backend).collect())
}

fn mirror(scene: &Scene, name: &str, share: u32) -> Value {
    let mut mirror = json!({ "backendRef": { "kind": "Service", "name": name, "port": scene.port } });
    // Left out, every request is copied; older versions of the API know nothing else.
    if share < ALL {
        mirror["fraction"] = json!({ "numerator": share, "denominator": ALL });
    }
    json!({ "type": "RequestMirror", "requestMirror": mirror })
}

/// More conditions go first, whatever the order of the rules; only ties are decided by it.
fn in_order_of_precedence(rules: &[Rule]) -> Result<(), Refusal> {
    let rank = |rule: &Rule| {
        let headers = rule.when.iter().filter(|matcher| matches!(matcher.place, Place::Header(_))).count();
        (headers, rule.when.len() - headers)
    };
    for (index, later) in rules.iter().enumerate() {
        let before =
            rules[..index].iter().find(|rule| rank(rule) < rank(later) && rule.weights != later.weights);
        if let Some(before) = before {
            return Err(Refusal::new(
                format!(
                    "cohort `{}` before cohort `{}`, on the Gateway API, where more conditions on headers go first",
                    before.name, later.name
                ),
                "give both conditions of the same kind, or turn their order round",
            ));
        }
    }
    Ok(())
}

fn within_limits(rules: &[Value]) -> Result<(), Refusal> {
    if rules.len() <= RULES {
        return Ok(());
    }
    Err(Refusal::new(
        format!("{} rules in one HTTPRoute, which may have {RULES}", rules.len()),
        "use fewer cohorts at a time, or copy writes too",
    ))
}

/// Hours, minutes, seconds and milliseconds, each at most five digits (GEP-2257).
fn duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    let parts = [
        (millis / 3_600_000, "h"),
        (millis / 60_000 % 60, "m"),
        (millis / 1_000 % 60, "s"),
        (millis % 1_000, "ms"),
    ];
    let written: String =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}")).collect();
    if written.is_empty() { "0s".to_owned() } else { written }
}
