//! What others own is named, not taken.

use serde_json::json;

use super::super::TrafficRoute;
use super::super::istio::Istio;
use super::super::kind::{INGRESS, VIRTUAL_SERVICE};
use super::super::nginx::Nginx;
use super::super::object_route::ObjectRoute;
use super::super::testing::traffic;
use super::server::Server;

const SUITE: &str = "conflicts about routes on a real API server";

#[tokio::test(flavor = "multi_thread")]
async fn a_virtual_service_of_the_team_is_left_alone() {
    let Some(server) = Server::new(SUITE).await else { return };
    server.services(&["1.0.0"]).await;
    let team = json!({
        "apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": { "name": "shop" },
        "spec": { "hosts": ["api"], "http": [{ "route": [{ "destination": { "host": "api" } }] }] },
    });
    server.apply_as("helm", &team);
    let route = ObjectRoute::new(Istio { gateways: Vec::new() });
    let wanted = traffic(&[("1.0.0", 10_000)]);
    let error = route.check(&server.cluster, &server.workload, &wanted).await.unwrap_err().to_string();
    assert!(error.contains("helm") && error.contains(".spec.http"), "{error}");
    assert_eq!(
        route.read(&server.cluster, &server.workload).await.unwrap(),
        None,
        "it does not serve our versions"
    );
    route.remove(&server.cluster, &server.workload).await.unwrap();
    let left = server.objects(&VIRTUAL_SERVICE).await.get("shop").await.unwrap().unwrap();
    assert_eq!(left["spec"]["http"][0]["route"][0]["destination"]["host"], "api");
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ingress_of_the_team_is_used_once_it_is_handed_over() {
    let Some(server) = Server::new(SUITE).await else { return };
    server.services(&["1.0.0", "2.0.0"]).await;
    let paths = json!([{ "path": "/api", "pathType": "Prefix", "backend": { "service": { "name": "api", "port": { "number": 80 } } } }]);
    let team = json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": { "name": "shop" },
        "spec": { "ingressClassName": "nginx", "rules": [{ "host": "shop.example.com", "http": { "paths": paths } }] },
    });
    server.apply_as("flux", &team);
    let route = Nginx { class: "nginx".to_owned() };
    let wanted = traffic(&[("2.0.0", 500), ("1.0.0", 9_500)]);
    let error = route.check(&server.cluster, &server.workload, &wanted).await.unwrap_err().to_string();
    assert!(error.contains("flux") && error.contains(".spec.rules"), "{error}");

    server.by_hand(&["annotate", "ingress", "shop", "pilotage.dev/hand-over=true"]);
    route.apply(&server.cluster, &server.workload, &wanted).await.unwrap();
    let objects = server.objects(&INGRESS).await;
    let backend = "/spec/rules/0/http/paths/0/backend/service/name";
    let named = |object: &serde_json::Value| object.pointer(backend).unwrap().as_str().unwrap().to_owned();
    assert_eq!(named(&objects.get("shop").await.unwrap().unwrap()), "api-v1-0-0");
    let canary = objects.get("api-canary").await.unwrap().unwrap();
    assert_eq!(named(&canary), "api-v2-0-0");
    assert_eq!(canary["spec"]["rules"][0]["host"], "shop.example.com", "the same requests as the team's");
    let read = route.read(&server.cluster, &server.workload).await.unwrap().unwrap();
    assert_eq!(read.shares, wanted.shares);
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_that_the_cluster_does_not_know_is_said_with_what_to_install() {
    use super::super::kind::Kind;
    use super::super::objects::Objects;
    let Some(server) = Server::new(SUITE).await else { return };
    let unknown = Kind { group: "example.com", kind: "Nothing", from: "somebody" };
    let error = Objects::need(&server.cluster, &unknown).await.err().unwrap().to_string();
    assert!(error.contains("install somebody there"), "{error}");
    server.end().await;
}
