//! Traffic forth and back on a real API server, and what is read of it.

use pilotage_targets::Traffic;
use serde_json::{Value, json};

use super::super::TrafficRoute;
use super::super::gateway::Gateway;
use super::super::istio::Istio;
use super::super::kind::{DESTINATION_RULE, GATEWAY, HTTP_ROUTE, INGRESS, Kind, TRAEFIK_SERVICE};
use super::super::nginx::Nginx;
use super::super::object_route::ObjectRoute;
use super::super::objects::Write;
use super::super::testing::{cohort, mirror, traffic, version};
use super::super::traefik::Traefik;
use super::server::Server;

const SUITE: &str = "routes on a real API server";

fn hosted(shares: &[(&str, u32)]) -> Traffic {
    let mut traffic = traffic(shares);
    traffic.route.hosts = vec!["shop.example.com".parse().unwrap()];
    traffic
}

/// A canary, its rise, its way back and its end; what is read is what was asked for each time.
async fn forth_and_back(server: &Server, route: &dyn TrafficRoute) {
    let mut cohorts = hosted(&[("2.0.0", 1_000), ("1.0.0", 9_000)]);
    cohorts.cohorts.push(cohort("staff", "X-Staff", "yes", "2.0.0", 10_000));
    let stages = [
        hosted(&[("1.0.0", 10_000)]),
        hosted(&[("2.0.0", 500), ("1.0.0", 9_500)]),
        cohorts,
        hosted(&[("1.0.0", 10_000)]),
    ];
    for wanted in stages {
        route.check(&server.cluster, &server.workload, &wanted).await.unwrap();
        let routed = route.apply(&server.cluster, &server.workload, &wanted).await.unwrap();
        let read = route.read(&server.cluster, &server.workload).await.unwrap().unwrap();
        assert_eq!(read, Traffic { listen: routed.listen, ..wanted });
    }
    let unknown = hosted(&[("3.0.0", 10_000)]);
    let error = route.apply(&server.cluster, &server.workload, &unknown).await.unwrap_err().to_string();
    assert!(error.contains("api-v3-0-0 is not there"), "{error}");
    route.remove(&server.cluster, &server.workload).await.unwrap();
    assert_eq!(route.read(&server.cluster, &server.workload).await.unwrap(), None);
}

async fn a_gateway(server: &Server, status: Option<Value>) {
    let gateway = json!({
        "metadata": { "name": "public", "namespace": server.cluster.namespace() },
        "spec": { "gatewayClassName": "none", "listeners": [{ "name": "web", "port": 80, "protocol": "HTTP" }] },
    });
    let objects = server.objects(&GATEWAY).await;
    objects.write(&gateway, Write::Again).await.unwrap();
    if let Some(status) = status {
        objects.change_status("public", &json!({ "status": status })).await.unwrap();
    }
}

fn by_gateway() -> ObjectRoute<Gateway> {
    ObjectRoute::new(Gateway { parent: "public".to_owned(), namespace: None })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_api_goes_forth_and_back() {
    let Some(server) = Server::new(SUITE).await else { return };
    server.services(&["1.0.0", "2.0.0"]).await;
    let route = by_gateway();
    let error =
        route.check(&server.cluster, &server.workload, &hosted(&[("1.0.0", 10_000)])).await.unwrap_err();
    assert!(error.to_string().contains("create it, or name another"), "{error}");
    a_gateway(&server, None).await;
    forth_and_back(&server, &route).await;
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn istio_goes_forth_and_back_and_leaves_nothing_behind() {
    let Some(server) = Server::new(SUITE).await else { return };
    server.services(&["1.0.0", "2.0.0"]).await;
    forth_and_back(&server, &ObjectRoute::new(Istio { gateways: vec!["public".to_owned()] })).await;
    assert!(all(&server, &DESTINATION_RULE).await.is_empty());
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn traefik_goes_forth_and_back_and_leaves_nothing_behind() {
    let Some(server) = Server::new(SUITE).await else { return };
    server.services(&["1.0.0", "2.0.0"]).await;
    let route = ObjectRoute::new(Traefik { entry_points: vec!["web".to_owned()] });
    let mut copied = hosted(&[("1.0.0", 10_000)]);
    copied.mirror = Some(mirror("2.0.0", 1_000));
    let routed = route.apply(&server.cluster, &server.workload, &copied).await.unwrap();
    let read = route.read(&server.cluster, &server.workload).await.unwrap().unwrap();
    assert_eq!(read, Traffic { listen: routed.listen, ..copied });
    assert_eq!(all(&server, &TRAEFIK_SERVICE).await.len(), 1);
    forth_and_back(&server, &route).await;
    assert!(all(&server, &TRAEFIK_SERVICE).await.is_empty());
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ingress_nginx_goes_forth_and_back_by_one_write_each() {
    let Some(server) = Server::new(SUITE).await else { return };
    server.services(&["1.0.0", "2.0.0"]).await;
    let route = Nginx { class: "nginx".to_owned() };
    for wanted in [hosted(&[("1.0.0", 10_000)]), hosted(&[("2.0.0", 500), ("1.0.0", 9_500)])] {
        route.apply(&server.cluster, &server.workload, &wanted).await.unwrap();
    }
    let main = resource_version(&server, "api").await;
    route.apply(&server.cluster, &server.workload, &hosted(&[("1.0.0", 10_000)])).await.unwrap();
    assert_eq!(resource_version(&server, "api").await, main, "the way back writes the canary alone");
    forth_and_back(&server, &route).await;
    assert!(all(&server, &INGRESS).await.is_empty());
    server.end().await;
}

async fn resource_version(server: &Server, name: &str) -> Value {
    let object = server.objects(&INGRESS).await.get(name).await.unwrap().unwrap();
    object["metadata"]["resourceVersion"].clone()
}

async fn all(server: &Server, kind: &Kind) -> Vec<Value> {
    server.objects(kind).await.list(None).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_by_hand_is_read_and_taken_back() {
    let Some(server) = Server::new(SUITE).await else { return };
    server.services(&["1.0.0", "2.0.0"]).await;
    a_gateway(&server, None).await;
    let route = by_gateway();
    let wanted = hosted(&[("2.0.0", 500), ("1.0.0", 9_500)]);
    route.apply(&server.cluster, &server.workload, &wanted).await.unwrap();
    let change = r#"[{"op":"replace","path":"/spec/rules/0/backendRefs/0/weight","value":9500}]"#;
    server.by_hand(&["patch", "httproute", "api", "--type", "json", "--patch", change]);
    let read = route.read(&server.cluster, &server.workload).await.unwrap().unwrap();
    assert_eq!(read.shares, vec![(version("2.0.0"), 5_000), (version("1.0.0"), 5_000)]);
    route.check(&server.cluster, &server.workload, &wanted).await.unwrap();
    route.apply(&server.cluster, &server.workload, &wanted).await.unwrap();
    let read = route.read(&server.cluster, &server.workload).await.unwrap().unwrap();
    assert_eq!(read.shares, wanted.shares);
    server.end().await;
}

/// Labelled so: the test writes what the Gateway's implementation would.
#[tokio::test(flavor = "multi_thread")]
async fn where_somebody_reads_the_route_it_is_in_force_when_they_say_so() {
    let Some(server) = Server::new(SUITE).await else { return };
    server.services(&["1.0.0", "2.0.0"]).await;
    let accepted = json!({
        "type": "Accepted", "status": "True", "reason": "Accepted", "message": "taken",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    });
    a_gateway(&server, Some(json!({ "conditions": [accepted] }))).await;
    let simulated = tokio::spawn(simulated_implementation(server.objects(&HTTP_ROUTE).await, "True"));
    let route = by_gateway();
    route.apply(&server.cluster, &server.workload, &hosted(&[("1.0.0", 10_000)])).await.unwrap();
    simulated.await.unwrap();
    let refusing = tokio::spawn(simulated_implementation(server.objects(&HTTP_ROUTE).await, "False"));
    let wanted = hosted(&[("2.0.0", 10_000)]);
    let error = route.apply(&server.cluster, &server.workload, &wanted).await.unwrap_err().to_string();
    assert!(error.contains("ResolvedRefs is False (Simulated)"), "{error}");
    refusing.await.unwrap();
    server.end().await;
}

/// Writes the status of the route once it has changed since what the status says.
async fn simulated_implementation(objects: super::super::objects::Objects, resolved: &str) {
    loop {
        if let Some(route) = objects.get("api").await.unwrap() {
            let generation = route["metadata"]["generation"].as_i64();
            let condition = |kind: &str, status: &str| {
                json!({
                    "type": kind, "status": status, "reason": "Simulated", "message": "by the test",
                    "observedGeneration": generation, "lastTransitionTime": "2026-01-01T00:00:00Z",
                })
            };
            let seen = route.pointer("/status/parents/0/conditions/0/observedGeneration");
            if seen.and_then(Value::as_i64) != generation {
                let parent = json!({
                    "parentRef": { "name": "public" }, "controllerName": "example.com/simulated",
                    "conditions": [condition("Accepted", "True"), condition("ResolvedRefs", resolved)],
                });
                objects.change_status("api", &json!({ "status": { "parents": [parent] } })).await.unwrap();
                return;
            }
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
