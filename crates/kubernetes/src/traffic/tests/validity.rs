//! Every object is what its project's definition says, with no field that it does not know, and the server takes it.

use serde_json::json;

use super::super::kind::{
    ANALYSIS_TEMPLATE, CANARY, DESTINATION_RULE, HTTP_ROUTE, INGRESS_ROUTE, METRIC_TEMPLATE, ROLLOUT,
    TRAEFIK_SERVICE, VIRTUAL_SERVICE,
};
use super::super::objects::Write;
use super::samples::samples;
use super::schema::Schemas;
use super::server::Server;

const SUITE: &str = "objects of routes by published definitions";

#[tokio::test(flavor = "multi_thread")]
async fn every_object_is_valid_and_is_taken() {
    let Some(server) = Server::new(SUITE).await else { return };
    let schemas = Schemas::of(&server.definitions());
    let kinds = [
        HTTP_ROUTE,
        VIRTUAL_SERVICE,
        DESTINATION_RULE,
        INGRESS_ROUTE,
        TRAEFIK_SERVICE,
        ROLLOUT,
        ANALYSIS_TEMPLATE,
        CANARY,
        METRIC_TEMPLATE,
    ];
    for (words, mut object) in samples() {
        assert_eq!(schemas.faults(&object), Vec::<String>::new(), "{words}: {object:#}");
        object["metadata"]["namespace"] = json!(server.cluster.namespace());
        let kind = kinds.iter().find(|kind| object["kind"] == kind.kind).unwrap();
        let written = server.objects(kind).await.write(&object, Write::Again).await;
        let written = written.unwrap_or_else(|error| panic!("{words}: {error}"));
        // An old server drops what it does not know without a word.
        let same = |field: &str| contains(&written[field], &object[field]);
        assert!(same("spec"), "{words}: {:#} became {:#}", object["spec"], written["spec"]);
    }
    server.end().await;
}

/// Whether all of `part` is in `whole`; the server adds defaults.
fn contains(whole: &serde_json::Value, part: &serde_json::Value) -> bool {
    use serde_json::Value::{Array, Object};
    match (whole, part) {
        (Object(whole), Object(part)) => {
            part.iter().all(|(key, value)| whole.get(key).is_some_and(|found| contains(found, value)))
        }
        (Array(whole), Array(part)) => {
            whole.len() == part.len() && whole.iter().zip(part).all(|(whole, part)| contains(whole, part))
        }
        (serde_json::Value::Number(a), serde_json::Value::Number(b)) => a.as_f64() == b.as_f64(),
        (whole, part) => whole == part,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_nobody_knows_is_found() {
    let Some(server) = Server::new(SUITE).await else { return };
    let schemas = Schemas::of(&server.definitions());
    let (_, mut route) = samples().into_iter().find(|(_, object)| object["kind"] == "HTTPRoute").unwrap();
    route["spec"]["rules"][0]["backendRefs"][0]["wieght"] = json!(1);
    let faults = schemas.faults(&route);
    assert!(faults.iter().any(|fault| fault.contains("wieght")), "{faults:?}");
    server.end().await;
}
