//! The `VirtualService` of some traffic.

use pilotage_spec::{RouteSettings, Version};
use pilotage_targets::Traffic;
use serde_json::{Value, json};

use super::super::matcher::{Matcher, Pattern, Place};
use super::super::refusal::{self, Refusal};
use super::super::rules::{self, Rule, SAFE_METHODS};
use super::super::scene::{Scene, items};
use super::super::shares::{self, ALL, Weights};
use super::Istio;
use super::read::is_for;

/// The version of the API from which on weights may have any sum (Istio 1.22 and later have it; the rule is from 1.15).
const ANY_SUM: &str = "v1";

/// The whole route.
pub(super) fn route(
    istio: &Istio,
    scene: &Scene,
    traffic: &Traffic,
    version: &str,
) -> Result<Value, Refusal> {
    let hosts = &traffic.route.hosts;
    if !istio.gateways.is_empty() && hosts.is_empty() {
        return Err(Refusal::new(
            "an Istio gateway for a service without hosts",
            "name its hosts in the file, so that it does not take the requests for all of them",
        ));
    }
    let internal = format!("{}.{}.svc.cluster.local", scene.service, scene.namespace);
    let hosts = hosts.iter().map(|host| host.as_str().to_owned()).chain([internal]);
    let mut spec = json!({ "hosts": hosts.collect::<Vec<_>>() });
    if !istio.gateways.is_empty() {
        // Calls from within the mesh follow the route as well.
        let gateways = istio.gateways.iter().map(String::as_str).chain(["mesh"]);
        spec["gateways"] = gateways.collect();
    }
    let base = json!({ "match": paths(traffic.route.path.as_str()) });
    spec["http"] = Value::Array(written_rules(scene, traffic, &base, version)?);
    Ok(json!({
        "apiVersion": format!("networking.istio.io/{version}"),
        "kind": "VirtualService",
        "metadata": scene.metadata_with(&scene.service, traffic),
        "spec": spec,
    }))
}

/// Somebody's own route: its rules for the workload get our destinations; its other rules stay.
pub(super) fn borrowed(
    scene: &Scene,
    traffic: &Traffic,
    original: &Value,
    version: &str,
) -> Result<Value, Refusal> {
    let mut http = Vec::new();
    for rule in items(original, "/http") {
        if is_for(rule, &scene.service) {
            http.extend(written_rules(scene, traffic, rule, version)?);
        } else {
            http.push(rule.clone());
        }
    }
    Ok(json!({ "http": http }))
}

/// Istio compares the beginnings of paths by characters, we by whole segments.
fn paths(path: &str) -> Value {
    if path == "/" {
        return json!([{}]);
    }
    json!([{ "uri": { "exact": path } }, { "uri": { "prefix": format!("{path}/") } }])
}

fn written_rules(
    scene: &Scene,
    traffic: &Traffic,
    base: &Value,
    version: &str,
) -> Result<Vec<Value>, Refusal> {
    refusal::edge_settings(traffic, "Istio")?;
    let rules = rules::rules(traffic);
    rules::one_matcher_a_place(&rules)?;
    expressible(&rules)?;
    if rules.is_empty() {
        return Ok(vec![nobody(base)]);
    }
    rules.iter().map(|rule| written_rule(scene, &traffic.route, base, rule, version)).collect()
}

fn nobody(base: &Value) -> Value {
    let mut written = base.clone();
    drop_empty_match(&mut written);
    if let Some(fields) = written.as_object_mut() {
        fields.remove("route");
    }
    written["directResponse"] = json!({ "status": 503 });
    written
}

fn written_rule(
    scene: &Scene,
    route: &RouteSettings,
    base: &Value,
    rule: &Rule,
    version: &str,
) -> Result<Value, Refusal> {
    let mut written = base.clone();
    written["name"] = json!(name(base, rule));
    let everything = [json!({})];
    let bases = items(base, "/match");
    let bases = if bases.is_empty() { &everything[..] } else { bases };
    written["match"] = bases.iter().map(|base| narrowed(base, rule)).collect();
    drop_empty_match(&mut written);
    let weights = weights(rule, version)?;
    let single = weights.len() == 1;
    let destination = |(version, weight): &(Version, u64)| {
        let mut destination = json!({ "destination": service(scene, version) });
        if !single {
            destination["weight"] = json!(weight);
        }
        destination
    };
    written["route"] = weights.iter().map(destination).collect();
    if let Some((version, share)) = &rule.mirror {
        written["mirror"] = service(scene, version);
        written["mirrorPercentage"] = json!({ "value": f64::from(*share) / f64::from(ALL / 100) });
    }
    if let Some(total) = route.timeouts.total.filter(|_| base.get("timeout").is_none()) {
        written["timeout"] = json!(format!("{}.{:03}s", total.as_secs(), total.subsec_millis()));
    }
    Ok(written)
}

fn service(scene: &Scene, version: &Version) -> Value {
    json!({ "host": scene.backend(version), "port": { "number": scene.port } })
}

/// Names of rules show up in metrics and logs; only a few characters are safe there.
fn name(base: &Value, rule: &Rule) -> String {
    let own = base.get("name").and_then(Value::as_str).map(|name| format!("{name}-")).unwrap_or_default();
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let reads = if rule.safe_only { "-reads" } else { "" };
    format!("{own}{}{reads}", rule.name.chars().map(plain).collect::<String>())
}

/// A rule without `match` is for everything; one with an empty condition is refused by older versions.
fn drop_empty_match(rule: &mut Value) {
    let empty = items(rule, "/match")
        .iter()
        .all(|matched| matched.as_object().is_some_and(serde_json::Map::is_empty));
    if let Some(fields) = rule.as_object_mut().filter(|_| empty) {
        fields.remove("match");
    }
}

fn narrowed(base: &Value, rule: &Rule) -> Value {
    let mut narrowed = base.clone();
    if rule.safe_only && base.get("method").is_none() {
        narrowed["method"] = json!({ "regex": safe_methods() });
    }
    for Matcher { place, pattern } in &rule.when {
        let (value, without) = match pattern {
            Pattern::Exact(text) => (json!({ "exact": text }), false),
            Pattern::Regex(regex) => (json!({ "regex": regex }), false),
            Pattern::Without(regex) => (json!({ "regex": regex }), true),
        };
        let (key, name) = match place {
            Place::Header(name) if without => ("withoutHeaders", name),
            Place::Header(name) => ("headers", name),
            Place::Query(name) => ("queryParams", name),
        };
        narrowed[key][name.as_str()] = value;
    }
    narrowed
}

/// The expression for methods that change nothing.
pub(super) fn safe_methods() -> String {
    format!("^({})$", SAFE_METHODS.join("|"))
}

/// Whole percents where they will do, which every version of Istio takes; else hundredths, where they may have any sum.
fn weights(rule: &Rule, version: &str) -> Result<Weights, Refusal> {
    if let Some(percents) = shares::with_sum(&rule.weights, 100) {
        return Ok(percents);
    }
    if version == ANY_SUM {
        return Ok(rule.weights.clone());
    }
    Err(Refusal::new(
        format!("shares in parts of a percent ({}) on an Istio before 1.22", rule.name),
        "use whole percents in the strategy's steps, or bring Istio to 1.22 or later",
    ))
}

/// Parameters that must be missing cannot be asked for.
fn expressible(rules: &[Rule]) -> Result<(), Refusal> {
    for rule in rules {
        for matcher in &rule.when {
            if let (Place::Query(name), Pattern::Without(_)) = (&matcher.place, &matcher.pattern) {
                return Err(Refusal::new(
                    format!("cohort `{}` of requests without the parameter `{name}`, on Istio", rule.name),
                    "turn the condition round, or use `traffic: edge`, which can",
                ));
            }
        }
    }
    Ok(())
}
