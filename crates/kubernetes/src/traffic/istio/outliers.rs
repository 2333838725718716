//! A `DestinationRule` for each version's Service: the route's ejection of failing instances in Istio's words.

use std::collections::BTreeSet;
use std::time::Duration;

use pilotage_spec::{Ejection, Version};
use pilotage_targets::Traffic;
use serde_json::{Value, json};

use super::super::scene::Scene;

/// The rules of all versions that get requests. They are written for the version of the API that is found.
pub(super) fn rules(scene: &Scene, traffic: &Traffic) -> Vec<Value> {
    let Some(after) = traffic.route.eject.after else { return Vec::new() };
    let shares = traffic.shares.iter().map(|(version, _)| version);
    let versions: BTreeSet<&Version> = shares.chain(traffic.by_cohort_or_copy()).collect();
    versions.into_iter().map(|version| rule(scene, version, after, &traffic.route.eject)).collect()
}

fn rule(scene: &Scene, version: &Version, after: u32, eject: &Ejection) -> Value {
    let name = scene.backend(version);
    let mut metadata = scene.metadata(&name);
    metadata["labels"] = json!(scene.names.version_labels(version));
    json!({
        "kind": "DestinationRule",
        "metadata": metadata,
        "spec": {
            "host": name,
            "trafficPolicy": {
                "outlierDetection": {
                    "consecutive5xxErrors": after,
                    "baseEjectionTime": pause(eject.pause),
                    "maxEjectionPercent": 100 - eject.keep_percent.min(100),
                },
            },
        },
    })
}

/// Istio takes at least a millisecond.
fn pause(pause: Duration) -> String {
    let pause = pause.max(Duration::from_millis(1));
    format!("{}.{:03}s", pause.as_secs(), pause.subsec_millis())
}
