//! Both Ingresses.

use pilotage_spec::{RouteSettings, Version};
use pilotage_targets::Traffic;
use serde_json::{Value, json};

use super::super::refusal::{self, Refusal};
use super::super::scene::{Scene, written as as_annotation};
use super::Nginx;
use super::annotations;
use super::turn::Canary;
use crate::names;

/// What ingress-nginx cannot do at all.
pub(super) fn refuse(traffic: &Traffic) -> Result<(), Refusal> {
    refusal::edge_settings(traffic, "ingress-nginx")?;
    if traffic.mirror.is_some() {
        return Err(Refusal::new(
            "copies of requests by ingress-nginx, which knows no part of them and copies writes too",
            "use `traffic: edge`, the Gateway API, Istio or Traefik for strategies that copy",
        ));
    }
    Ok(())
}

/// The Ingress that names the stable version.
pub(super) fn main(nginx: &Nginx, scene: &Scene, route: &RouteSettings, version: &Version) -> Value {
    ingress(nginx, scene, route, scene.metadata(&scene.service), version)
}

/// What the Ingress beside it is called.
pub(super) fn canary_name(scene: &Scene) -> String {
    scene.names.beside("canary")
}

/// The Ingress beside it; it says the whole traffic.
pub(super) fn canary(nginx: &Nginx, scene: &Scene, traffic: &Traffic, canary: &Canary) -> Value {
    let mut metadata = scene.metadata(&canary_name(scene));
    let mut annotations = annotations::written(canary.weight, &canary.picks);
    annotations.insert(names::TRAFFIC.to_owned(), json!(as_annotation(traffic)));
    metadata["annotations"] = Value::Object(annotations);
    ingress(nginx, scene, &traffic.route, metadata, &canary.version)
}

fn ingress(nginx: &Nginx, scene: &Scene, route: &RouteSettings, metadata: Value, version: &Version) -> Value {
    let http = json!({ "paths": [{
        "path": route.path.as_str(),
        "pathType": "Prefix",
        "backend": { "service": { "name": scene.backend(version), "port": { "number": scene.port } } },
    }] });
    let mut rules: Vec<Value> =
        route.hosts.iter().map(|host| json!({ "host": host.as_str(), "http": http })).collect();
    if rules.is_empty() {
        rules.push(json!({ "http": http }));
    }
    json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": metadata,
        "spec": { "ingressClassName": nginx.class, "rules": rules },
    })
}
