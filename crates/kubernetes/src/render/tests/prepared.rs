use std::collections::BTreeMap;

use pilotage_spec::WorkloadKind;
use serde_json::{Value, json};

use super::folder::names;
use crate::render::{Preparation, Prepared, prepare};

fn labels(words: &[(&str, &str)]) -> BTreeMap<String, String> {
    words.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn prepared(objects: &[Value]) -> Result<Prepared, String> {
    let (service, namespace) = ("api".parse().unwrap(), "shop".parse().unwrap());
    let preparation = Preparation {
        service: &service,
        namespace: &namespace,
        name: "api-v1-2-0",
        labels: &labels(&[("pilotage.dev/service", "api")]),
        version_labels: &labels(&[("pilotage.dev/version", "1-2-0")]),
        image: Some("registry/api@sha256:1"),
    };
    prepare(objects, &preparation).map_err(|error| error.to_string())
}

fn workload(kind: &str, containers: &[&str]) -> Value {
    let containers: Vec<Value> =
        containers.iter().map(|name| json!({ "name": name, "image": "old" })).collect();
    json!({
        "apiVersion": "apps/v1", "kind": kind,
        "metadata": { "name": "web", "resourceVersion": "7", "labels": { "team": "shop" } },
        "spec": {
            "replicas": 3,
            "selector": { "matchLabels": { "app": "web" } },
            "template": {
                "metadata": { "labels": { "app": "web", "tier": "front" } },
                "spec": { "containers": containers },
            },
        },
        "status": { "replicas": 3 },
    })
}

fn autoscaler(name: &str, target: &str) -> Value {
    json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": { "name": name },
        "spec": { "scaleTargetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": target } },
    })
}

#[test]
fn the_workload_gets_the_name_the_labels_and_the_image_of_its_version() {
    let prepared = prepared(&[workload("Deployment", &["main"])]).unwrap();
    assert_eq!(prepared.kind, WorkloadKind::Deployment);
    let expected = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {
            "name": "api-v1-2-0", "namespace": "shop",
            "labels": { "team": "shop", "pilotage.dev/service": "api", "pilotage.dev/version": "1-2-0" },
        },
        "spec": {
            "replicas": 3,
            "selector": { "matchLabels":
                { "app": "web", "pilotage.dev/service": "api", "pilotage.dev/version": "1-2-0" } },
            "template": {
                "metadata": { "labels": {
                    "app": "web", "tier": "front", "pilotage.dev/service": "api", "pilotage.dev/version": "1-2-0",
                } },
                "spec": { "containers": [{ "name": "main", "image": "registry/api@sha256:1" }] },
            },
        },
    });
    assert_eq!(prepared.workload, expected);
}

#[test]
fn of_several_containers_the_one_with_the_name_of_the_service_gets_the_image() {
    let prepared = prepared(&[workload("StatefulSet", &["proxy", "api"])]).unwrap();
    assert_eq!(prepared.kind, WorkloadKind::StatefulSet);
    let containers = &prepared.workload["spec"]["template"]["spec"]["containers"];
    let expected =
        json!([{ "name": "api", "image": "registry/api@sha256:1" }, { "name": "proxy", "image": "old" }]);
    assert_eq!(*containers, expected);
}

#[test]
fn what_is_unclear_is_refused() {
    let fault = |object: Value| prepared(&[object]).unwrap_err();
    assert!(
        fault(workload("Deployment", &["a", "b"])).contains("has the containers a, b, and it is not clear")
    );
    assert!(fault(workload("Deployment", &[])).contains("has no containers"));
    let mut other = workload("Deployment", &["a"]);
    other["spec"]["selector"]["matchLabels"]["app"] = json!("else");
    assert!(fault(other).contains("does not select its own pods"));
    let two = [workload("Deployment", &["a"]), autoscaler("one", "web"), autoscaler("two", "web")];
    assert!(prepared(&two).unwrap_err().contains("scales the workload together with another"));
}

#[test]
fn what_scales_the_workload_goes_with_its_version_and_the_rest_is_shared() {
    let service = json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": "api" }, "spec": {} });
    let settings = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "settings" } });
    let objects = [
        settings,
        service,
        workload("Deployment", &["a"]),
        autoscaler("mine", "web"),
        autoscaler("other", "worker"),
    ];
    let prepared = prepared(&objects).unwrap();
    assert_eq!(names(&prepared.companions), ["HorizontalPodAutoscaler api-v1-2-0"]);
    assert_eq!(prepared.companions[0]["spec"]["scaleTargetRef"]["name"], "api-v1-2-0");
    assert_eq!(prepared.companions[0]["metadata"]["labels"]["pilotage.dev/version"], "1-2-0");
    assert_eq!(names(&prepared.others), ["ConfigMap settings", "HorizontalPodAutoscaler other"]);
    assert_eq!(prepared.others[1]["spec"]["scaleTargetRef"]["name"], "worker");
    assert_eq!(prepared.others[0]["metadata"]["namespace"], "shop");
    assert!(prepared.others[0]["metadata"]["labels"].get("pilotage.dev/version").is_none());
    assert_eq!(prepared.front.unwrap()["metadata"]["name"], "api");
}
