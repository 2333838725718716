//! The `IngressRoute` of some traffic.

use pilotage_spec::Version;
use pilotage_targets::Traffic;
use serde_json::{Value, json};

use super::super::refusal::{self, Refusal};
use super::super::rules::{self, Rule};
use super::super::scene::{Scene, items, text};
use super::read::is_for;
use super::{Traefik, mirrors, rule_text};

/// The whole route.
pub(super) fn route(traefik: &Traefik, scene: &Scene, traffic: &Traffic) -> Result<Value, Refusal> {
    let base = json!({ "kind": "Rule", "match": rule_text::own(&traffic.route) });
    let mut spec = json!({ "routes": written_rules(scene, traffic, &base)? });
    if !traefik.entry_points.is_empty() {
        spec["entryPoints"] = json!(traefik.entry_points);
    }
    Ok(json!({
        "apiVersion": "traefik.io/v1alpha1",
        "kind": "IngressRoute",
        "metadata": scene.metadata_with(&scene.service, traffic),
        "spec": spec,
    }))
}

/// Somebody's own route: its rules for the workload get our services; its other rules stay.
pub(super) fn borrowed(scene: &Scene, traffic: &Traffic, original: &Value) -> Result<Value, Refusal> {
    let mut routes = Vec::new();
    for rule in items(original, "/routes") {
        if is_for(rule, &scene.service) {
            routes.extend(written_rules(scene, traffic, rule)?);
        } else {
            routes.push(rule.clone());
        }
    }
    Ok(json!({ "routes": routes }))
}

fn written_rules(scene: &Scene, traffic: &Traffic, base: &Value) -> Result<Vec<Value>, Refusal> {
    refusal::edge_settings(traffic, "Traefik")?;
    if traffic.mirror.as_ref().is_some_and(|mirror| mirror.share % 100 != 0) {
        return Err(Refusal::new(
            "copies of a part of a percent of the requests, on Traefik",
            "copy whole percents",
        ));
    }
    let rules = rules::rules(traffic);
    let number = rules.len();
    let written = rules.iter().enumerate();
    written.map(|(index, rule)| written_rule(scene, base, rule, number - index)).collect()
}

fn written_rule(scene: &Scene, base: &Value, rule: &Rule, place: usize) -> Result<Value, Refusal> {
    let mut written = base.clone();
    let own = text(base, "/match").unwrap_or("PathPrefix(`/`)");
    written["match"] = json!(rule_text::narrowed(own, rule)?);
    // Left alone, the longer rule goes first; a rule for everybody keeps what it had, so that rules of others keep their place.
    if place > 1 {
        let beneath = base.get("priority").and_then(Value::as_u64).filter(|priority| *priority > 0);
        let beneath = beneath.unwrap_or(u64::try_from(own.len()).unwrap_or(u64::MAX));
        written["priority"] = json!(beneath.saturating_add(u64::try_from(place).unwrap_or(u64::MAX)));
    }
    let service = |(version, weight): &(Version, u64)| match &rule.mirror {
        None => json!({
            "kind": "Service", "name": scene.backend(version), "port": scene.port, "weight": weight,
        }),
        Some((to, share)) => json!({
            "kind": "TraefikService", "name": mirrors::name(scene, version, to, share / 100), "weight": weight,
        }),
    };
    written["services"] = rule.weights.iter().map(service).collect();
    Ok(written)
}
