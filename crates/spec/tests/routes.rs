//! How a file says where services are reached, and what is done for their requests.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a broken helper should fail its test")]
#![allow(clippy::disallowed_methods, reason = "the samples are files; the crate itself touches none")]

use std::time::Duration;

use pilotage_spec::{ClientKey, Exposure, ListenOn, Project, Protocol, RouteSettings, json_schema, read};

fn sample(name: &str) -> Project {
    let path = format!("{}/tests/corpus/valid/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    read("pilotage.yaml", &std::fs::read_to_string(path).unwrap()).unwrap()
}

fn exposure(project: &Project, environment: &str, service: &str) -> Exposure {
    project.exposure(&environment.parse().unwrap(), &service.parse().unwrap()).unwrap()
}

fn told(words: Vec<(&str, String)>) -> String {
    words.iter().map(|(key, value)| format!("{key}: {value}\n")).collect()
}

#[test]
fn what_is_written_of_a_route_is_what_is_read() {
    let project = sample("routes");
    let (_, api) = project.service("api").unwrap();
    assert_eq!((api.listen, api.protocol), (ListenOn::Socket, Protocol::Http2));
    let Exposure { at_edge, settings } = exposure(&project, "production", "api");
    assert!(at_edge);
    insta::assert_snapshot!(told(settings.in_words()), @"
    hosts: shop.example.org
    path: /api
    timeouts.connect: 500ms
    timeouts.first_byte: 30s
    timeouts.idle: 1m
    timeouts.total: 2m
    limits.body: 10MiB
    limits.in_flight: 100
    limits.queue: 64
    limits.queue_for: 5s
    retries.attempts: 1
    retries.budget: 10%
    eject.after: 3
    eject.for: 2s
    eject.keep: 66%
    slow_start: 10s
    drain: 1m
    sticky: header X-User, cookie, address
    ");
}

#[test]
fn an_environment_changes_only_what_it_names() {
    let project = sample("routes");
    let here = exposure(&project, "staging", "api").settings;
    let there = exposure(&project, "dev", "api").settings;
    assert_eq!(
        (here.limits.body, here.limits.in_flight, here.timeouts.total, here.eject.after),
        (None, None, None, None)
    );
    assert_eq!(here.timeouts.first_byte, Duration::from_secs(30));
    assert_eq!(here.sticky.last(), Some(&ClientKey::Address));
    let same = RouteSettings { limits: there.limits, timeouts: there.timeouts, eject: there.eject, ..here };
    assert_eq!(same, there);
}

#[test]
fn a_path_or_host_brings_a_service_to_the_edge_where_there_is_one() {
    let project = sample("routes");
    let told = |environment: &str, service: &str| {
        let Exposure { at_edge, settings } = exposure(&project, environment, service);
        let hosts: Vec<String> = settings.hosts.iter().map(ToString::to_string).collect();
        (at_edge, hosts.join(" "), settings.path.to_string())
    };
    let row = |at_edge, hosts: &str, path: &str| (at_edge, hosts.to_owned(), path.to_owned());
    assert_eq!(told("dev", "api"), row(false, "", "/api"));
    assert_eq!(told("dev", "admin"), row(false, "", "/"));
    assert_eq!(told("staging", "admin"), row(true, "", "/admin"));
    assert_eq!(told("production", "api"), row(true, "shop.example.org", "/api"));
    assert_eq!(told("production", "web"), row(true, "*.shop.example.com shop.example.com", "/"));
    assert_eq!(told("production", "admin"), row(false, "", "/"));
    assert_eq!(told("beta", "web"), row(true, "beta.example.com", "/"));
}

#[test]
fn the_address_that_services_share_has_defaults() {
    let address = |project: &Project, name: &str| {
        let (_, environment) = project.environment(name).unwrap();
        environment.edge.as_ref().map(|edge| format!("{}://{}", edge.scheme(), edge.listen))
    };
    let routes = sample("routes");
    assert_eq!(address(&routes, "dev"), None);
    assert_eq!(address(&routes, "staging").as_deref(), Some("http://127.0.0.2:8080"));
    assert_eq!(address(&routes, "production").as_deref(), Some("https://0.0.0.0:443"));
    assert_eq!(address(&sample("default-edge"), "production").as_deref(), Some("http://127.0.0.1:80"));
    let (_, production) = routes.environment("production").unwrap();
    insta::assert_snapshot!(told(production.edge.as_ref().unwrap().in_words()), @"
    edge.listen: 0.0.0.0:443
    edge.certificates: certificates/shop.pem, /etc/ssl/other.pem
    edge.redirect: 0.0.0.0:80
    edge.trusted_proxies: 10.0.0.0/8, ::1/128, 192.0.2.7/32
    ");
}

#[test]
fn the_defaults_are_those_that_the_schema_speaks_of() {
    let schema = json_schema();
    let service = &schema["properties"]["services"]["additionalProperties"]["properties"];
    let route = &service["route"]["properties"];
    for (key, value) in RouteSettings::default().in_words() {
        let place = key.split('.').fold(route, |at, name| match at.get("properties") {
            Some(properties) => &properties[name],
            None => &at[name],
        });
        let told = place["description"].as_str().unwrap_or_default();
        let named = matches!(key, "hosts" | "sticky") || told.ends_with(&format!("Default: {value}."))
            // A minute may be told in seconds.
            || (value == "1m" && told.ends_with("Default: 60s."));
        assert!(named, "{key} is {value}, and the schema says: {told}");
    }
}

#[test]
fn a_route_that_says_the_defaults_is_the_default_one() {
    let written = "project: a\nservices:\n  a:\n    run: [a]\n    artifact: a\n    route:\n      \
                   timeouts: { connect: 1s, first_byte: 60s, idle: 5m, total: off }\n      \
                   limits: { body: off, in_flight: off, queue: 1024, queue_for: 10s }\n      \
                   retries: { attempts: 2, budget: 20% }\n      eject: { after: 5, for: 1s, keep: 50% }\n      \
                   slow_start: 0s\n      drain: 30s\n      sticky: [cookie, { header: X-Client-Id }]\n";
    let project = read("pilotage.yaml", written).unwrap();
    assert_eq!(exposure(&project, "dev", "a"), Exposure::default());
    assert!(project.environments.values().all(|environment| environment.exposures.is_empty()));
}
