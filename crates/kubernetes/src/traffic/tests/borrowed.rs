//! Routes that a team has made: handed over, changed where they must be, and given back.

use serde_json::json;

use super::super::TrafficRoute;
use super::super::gateway::Gateway;
use super::super::kind::{GATEWAY, HTTP_ROUTE};
use super::super::object_route::ObjectRoute;
use super::super::objects::Write;
use super::super::testing::{cohort, traffic};
use super::server::Server;

const SUITE: &str = "routes of teams on a real API server";

#[tokio::test(flavor = "multi_thread")]
async fn a_route_that_is_handed_over_is_changed_and_given_back() {
    let Some(server) = Server::new(SUITE).await else { return };
    server.services(&["1.0.0", "2.0.0"]).await;
    let gateway = json!({
        "metadata": { "name": "public", "namespace": server.cluster.namespace() },
        "spec": { "gatewayClassName": "none", "listeners": [{ "name": "web", "port": 80, "protocol": "HTTP" }] },
    });
    server.objects(&GATEWAY).await.write(&gateway, Write::Again).await.unwrap();
    let team = json!({
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": { "name": "shop" },
        "spec": {
            "parentRefs": [{ "name": "public" }],
            "hostnames": ["shop.example.com"],
            "rules": [{
                "matches": [{ "path": { "type": "PathPrefix", "value": "/api" } }],
                "backendRefs": [{ "name": "api", "port": 80 }],
            }],
        },
    });
    server.apply_as("argocd", &team);

    let route = ObjectRoute::new(Gateway { parent: "public".to_owned(), namespace: None });
    let mut wanted = traffic(&[("2.0.0", 500), ("1.0.0", 9_500)]);
    wanted.cohorts.push(cohort("staff", "x-staff", "yes", "2.0.0", 10_000));
    for error in [
        route.check(&server.cluster, &server.workload, &wanted).await.unwrap_err(),
        route.apply(&server.cluster, &server.workload, &wanted).await.unwrap_err(),
    ] {
        let error = error.to_string();
        assert!(error.contains("argocd") && error.contains(".spec.rules"), "{error}");
    }

    server.by_hand(&["annotate", "httproute", "shop", "pilotage.dev/hand-over=true"]);
    route.check(&server.cluster, &server.workload, &wanted).await.unwrap();
    route.apply(&server.cluster, &server.workload, &wanted).await.unwrap();
    let objects = server.objects(&HTTP_ROUTE).await;
    let changed = objects.get("shop").await.unwrap().unwrap();
    assert_eq!(changed["spec"]["rules"].as_array().unwrap().len(), 2, "the cohort's rule and everybody's");
    assert_eq!(changed["spec"]["hostnames"], json!(["shop.example.com"]));
    let read = route.read(&server.cluster, &server.workload).await.unwrap().unwrap();
    assert_eq!((read.shares, read.cohorts), (wanted.shares.clone(), wanted.cohorts.clone()));

    // The team's pipeline writes its own again: that is seen, and taken as the new beginning.
    server.apply_as("argocd", &team);
    let read = route.read(&server.cluster, &server.workload).await.unwrap().unwrap();
    assert!(read.shares.is_empty(), "{:?}", read.shares);
    route.apply(&server.cluster, &server.workload, &wanted).await.unwrap();

    route.remove(&server.cluster, &server.workload).await.unwrap();
    let back = objects.get("shop").await.unwrap().unwrap();
    let rules = &back["spec"]["rules"];
    assert_eq!(rules.as_array().unwrap().len(), 1);
    assert_eq!(rules[0]["backendRefs"][0]["name"], "api");
    assert!(back.pointer("/metadata/annotations/pilotage.dev~1original").is_none());
    server.end().await;
}
