//! A `TraefikService` for each version whose requests are copied: the version's Service, and the one that gets copies.

use pilotage_spec::{Mirror, Version};
use pilotage_targets::Traffic;
use serde_json::{Value, json};

use super::super::rules;
use super::super::scene::Scene;

/// The services that mirror, one a version that serves requests which are copied.
pub(super) fn services(scene: &Scene, traffic: &Traffic) -> Vec<Value> {
    let Some(mirror) = traffic.mirror.as_ref().filter(|mirror| mirror.share > 0) else { return Vec::new() };
    let mut serving: Vec<Version> = Vec::new();
    for rule in rules::rules(traffic) {
        serving.extend(rule.weights.into_iter().map(|(version, _)| version));
    }
    serving.sort();
    serving.dedup();
    serving.iter().map(|version| service(scene, version, mirror)).collect()
}

/// What the mirroring service of a version is called. The name says what it does, since what it does must not change while a
/// route names it.
pub(super) fn name(scene: &Scene, version: &Version, to: &Version, percent: u32) -> String {
    let copies = format!("{}-copies-{percent}-{}", scene.backend(version), crate::names::slug(to));
    if copies.len() <= 63 {
        copies
    } else {
        format!("{}-{}", &copies[..54], crate::names::short_digest(&copies))
    }
}

fn service(scene: &Scene, version: &Version, mirror: &Mirror) -> Value {
    let percent = mirror.share / 100;
    let mut copies = json!({
        "kind": "Service",
        "name": scene.backend(&mirror.version),
        "port": scene.port,
        "percent": percent,
    });
    copies["passHostHeader"] = json!(true);
    json!({
        "apiVersion": "traefik.io/v1alpha1",
        "kind": "TraefikService",
        "metadata": scene.metadata(&name(scene, version, &mirror.version, percent)),
        "spec": {
            "mirroring": {
                "kind": "Service",
                "name": scene.backend(version),
                "port": scene.port,
                "maxBodySize": i64::try_from(mirror.max_body_bytes).unwrap_or(i64::MAX),
                "mirrors": [copies],
            },
        },
    })
}
