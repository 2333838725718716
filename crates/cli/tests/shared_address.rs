//! Services that share an address of the edge, deployed by the real binary from files: told apart, moved apart, encrypted, and
//! what is said when it cannot be.
#![allow(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

mod world;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use pilotage_load::{Load, LoadPlan};
use pilotage_proxy::{Address, EdgeClient, Route};
use pilotage_testing::{Part, need};
use rcgen::{CertificateParams, KeyPair};
use serde_json::Value;
use world::{PILOTAGE, World};

const PATIENCE: Duration = Duration::from_secs(30);

/// Where the two environments are reached.
struct Places {
    plain: SocketAddr,
    encrypted: SocketAddr,
    redirect: SocketAddr,
}

impl Places {
    fn free() -> Self {
        // All are held until all are chosen, so that they differ.
        let held = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [plain, encrypted, redirect] = held.each_ref().map(|listener| listener.local_addr().unwrap());
        Self { plain, encrypted, redirect }
    }
}

/// `web` at a port, `api` at a unix socket that it creates, and `orders` at one that it is handed.
fn shop(places: &Places) -> World {
    let Places { plain, encrypted, redirect } = places;
    let world = World::with(&format!(
        r#"project: shop
services:
  web:
    run: ["{PILOTAGE}", sample-service, --config, service.json]
    artifact: web/1.0.0
    health: {{ ready: /ready, interval: 100ms }}
    route: {{ host: shop.example.com }}
  api:
    run: ["{PILOTAGE}", sample-service, --config, service.json, --socket, $PILOTAGE_SOCKET]
    artifact: api/1.0.0
    listen: socket
    health: {{ ready: /ready, interval: 100ms }}
    route: {{ host: [api.example.com, shop.example.com], path: /slow }}
  orders:
    run: ["{PILOTAGE}", sample-service, --config, service.json]
    artifact: orders/1.0.0
    listen: passed
    health: {{ ready: /ready, interval: 100ms }}
    route: {{ host: "*.orders.example.com" }}
environments:
  dev:
    strategy: quick
    edge: {{ listen: "{plain}" }}
  secure:
    strategy: quick
    edge:
      listen: "{encrypted}"
      certificates: [{{ chain: certificates/shop.pem, key: certificates/shop.key }}]
      redirect: "{redirect}"
strategies:
  quick: {{ blue-green: {{ watch: 100ms, soak: 0s }} }}
"#
    ));
    for service in ["web", "api", "orders"] {
        artifact(&world, service, "1.0.0");
    }
    world
}

/// A release of the sample service that says which service it is.
fn artifact(world: &World, service: &str, version: &str) -> String {
    let settings = format!(r#"{{ "instance": "{service}", "version": "{version}" }}"#);
    world.write(&format!("{service}/{version}/service.json"), &settings);
    format!("{service}/{version}")
}

fn change(world: &World, from: &str, to: &str) {
    let file = std::fs::read_to_string(world.root().join("pilotage.yaml")).unwrap();
    assert!(file.contains(from), "{from} is not in the file");
    world.write("pilotage.yaml", &file.replace(from, to));
}

/// Who answers a request, as `web 1.0.0`, or the status of a refusal.
fn ask(address: SocketAddr, host: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    who(&answer).unwrap_or_else(|| answer.split(' ').nth(1).unwrap().to_owned())
}

fn who(answer: &str) -> Option<String> {
    let body: Value = serde_json::from_str(&answer[answer.find('{')?..=answer.rfind('}')?]).ok()?;
    Some(format!("{} {}", body["instance"].as_str()?, body["version"].as_str()?))
}

/// A route as the edge has it.
fn route(world: &World, name: &str) -> Route {
    let socket = world.state().run().join("edge.sock");
    let table = world.ask(async |_| EdgeClient::connect(socket).await.unwrap().table().await.unwrap());
    table.routes.into_iter().find(|route| route.name == name).unwrap()
}

fn at_socket(route: &Route) -> bool {
    let endpoints = &route.pools[0].endpoints;
    !endpoints.is_empty() && endpoints.iter().all(|endpoint| matches!(endpoint.address, Address::Unix(_)))
}

#[test]
fn services_at_one_address_are_told_apart_and_deployed_apart() {
    let places = Places::free();
    let world = shop(&places);
    let told = |host, path| ask(places.plain, host, path);
    let up = world.pilotage(&["up"]).expect(0).stdout;
    assert!(up.contains("never deployed: dev/"), "{up}");
    for service in ["web", "api", "orders"] {
        world.pilotage(&["deploy", service, "1.0.0"]).expect(0);
    }
    let asked = [
        ("shop.example.com", "/", "web 1.0.0"),
        ("shop.example.com", "/slow", "api 1.0.0"),
        ("api.example.com", "/slow", "api 1.0.0"),
        ("eu.orders.example.com", "/", "orders 1.0.0"),
        ("api.example.com", "/", "404"),
        ("other.example.com", "/", "404"),
    ];
    for (host, path, expected) in asked {
        assert_eq!(told(host, path), expected, "{host}{path}");
    }
    assert!(at_socket(&route(&world, "dev/api")) && at_socket(&route(&world, "dev/orders")));

    let untouched = (route(&world, "dev/web"), route(&world, "dev/orders"));
    let users =
        Load::start(LoadPlan { host: "shop.example.com".to_owned(), ..LoadPlan::open(places.plain, 100.0) });
    let users = users.unwrap();
    let second = artifact(&world, "api", "1.1.0");
    world.pilotage(&["deploy", "api", "1.1.0", "--artifact", &second]).expect(0);
    assert_eq!(told("shop.example.com", "/slow"), "api 1.1.0");
    assert_eq!(told("shop.example.com", "/"), "web 1.0.0");
    assert_eq!((route(&world, "dev/web"), route(&world, "dev/orders")), untouched);
    let report = world.ask(async |_| users.stop().await.unwrap());
    assert_eq!(report.outcomes.dropped, 0, "{:?}", report.first_drops);

    world.pilotage(&["rollback", "api"]).expect(0);
    assert_eq!(told("api.example.com", "/slow"), "api 1.0.0");
    assert_eq!((route(&world, "dev/web"), route(&world, "dev/orders")), untouched);
}

#[test]
fn an_encrypted_address_is_shared_too() {
    let Some(curl) = need("services at an encrypted address", Part::Curl) else { return };
    let places = Places::free();
    let world = shop(&places);
    certificate(&world, "shop", &["shop.example.com", "*.orders.example.com"]);
    for service in ["web", "api", "orders"] {
        let said = world.pilotage(&["deploy", service, "1.0.0", "--env", "secure"]).expect(0).stdout;
        assert!(said.contains("https://"), "{said}");
    }
    let told = |host: &str, path: &str| secretly(&curl, &world, &places, host, path);
    assert_eq!(who(&told("shop.example.com", "/")).unwrap(), "web 1.0.0");
    assert_eq!(who(&told("shop.example.com", "/slow")).unwrap(), "api 1.0.0");
    assert_eq!(who(&told("eu.orders.example.com", "/")).unwrap(), "orders 1.0.0");
    assert_eq!(ask(places.redirect, "shop.example.com", "/"), "308");

    let second = artifact(&world, "web", "1.1.0");
    world.pilotage(&["deploy", "web", "1.1.0", "--env", "secure", "--artifact", &second]).expect(0);
    assert_eq!(who(&told("shop.example.com", "/")).unwrap(), "web 1.1.0");
    assert_eq!(who(&told("shop.example.com", "/slow")).unwrap(), "api 1.0.0");
    let status = world.pilotage(&["status"]).expect(0).stdout;
    let port = places.encrypted.port();
    assert!(status.contains(&format!("https://shop.example.com:{port}")), "{status}");
}

/// What curl is answered over TLS; it trusts the shop's certificate alone.
fn secretly(curl: &Path, world: &World, places: &Places, host: &str, path: &str) -> String {
    let port = places.encrypted.port();
    let output = Command::new(curl)
        .args(["--silent", "--show-error", "--max-time", "30", "--noproxy", "*"])
        .args(["--resolve", &format!("{host}:{port}:127.0.0.1")])
        .arg("--cacert")
        .arg(world.root().join("certificates/shop.pem"))
        .arg(format!("https://{host}:{port}{path}"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn certificate(world: &World, name: &str, hosts: &[&str]) {
    let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(hosts).unwrap().self_signed(&key).unwrap();
    world.write(&format!("certificates/{name}.pem"), &certificate.pem());
    world.write(&format!("certificates/{name}.key"), &key.serialize_pem());
}

#[test]
fn what_cannot_be_is_refused_before_anything_moves() {
    let places = Places::free();
    let world = shop(&places);
    let refused = |arguments: &[&str]| {
        let said = world.pilotage(arguments).expect(1).stderr;
        assert!(world.pilotage(&["history"]).expect(0).stdout.lines().count() <= 1, "nothing was begun");
        said
    };
    world.pilotage(&["deploy", "web", "1.0.0"]).expect(0);

    let missing = world.root().canonicalize().unwrap().join("certificates/shop.pem");
    let said = refused(&["deploy", "web", "1.0.0", "--env", "secure"]);
    let expected =
        format!("the file {} of `environments.secure.edge.certificates[0].chain`", missing.display());
    assert!(said.contains(&expected), "{said}");
    certificate(&world, "shop", &["shop.example.com"]);

    let held = TcpListener::bind(places.encrypted).unwrap();
    let said = refused(&["plan", "web", "1.0.0", "--env", "secure"]);
    let port = places.encrypted.port();
    let expected = format!("port {port} is in use by another program; free it, or choose another in");
    assert!(said.contains(&expected) && said.contains("`environments.secure.edge.listen`"), "{said}");
    drop(held);

    // The file knows of `web` no longer, but it serves.
    change(&world, "  web:\n", "  pages:\n");
    let said = refused(&["deploy", "pages", "1.0.0"]);
    let expected = format!("the requests for shop.example.com and / at {}: dev/web has them", places.plain);
    assert!(said.contains(&expected), "{said}");
    assert_eq!(ask(places.plain, "shop.example.com", "/"), "web 1.0.0");
}

#[test]
fn a_file_with_a_host_that_is_none_or_taken_is_refused_at_its_line() {
    let world = shop(&Places::free());
    change(&world, "host: shop.example.com }", "host: https://shop.example.com }");
    let said = world.pilotage(&["check"]).expect(64).whole();
    assert!(said.contains("host `https://shop.example.com` is not allowed"), "{said}");
    assert!(said.contains("pilotage.yaml:7:"), "{said}");
    change(&world, "host: https://shop.example.com }", "host: shop.example.com, path: /slow }");
    let said = world.pilotage(&["check"]).expect(64).whole();
    assert!(said.contains("requests for shop.example.com and /slow"), "{said}");
    assert!(said.contains("`web` in `dev` and `api` in `dev`"), "{said}");
}

#[test]
fn up_applies_what_the_file_says_of_routes_or_says_why_not() {
    let places = Places::free();
    let world = shop(&places);
    world.pilotage(&["deploy", "web", "1.0.0"]).expect(0);
    change(&world, "host: shop.example.com }", "host: shop.example.com, timeouts: { total: 5s } }");
    let said = world.pilotage(&["up"]).expect(0).stdout;
    assert!(said.contains("✓ dev/web  timeouts.total: off → 5s"), "{said}");
    assert_eq!(route(&world, "dev/web").timeouts.total_ms, Some(5_000));

    let listen = format!("listen: \"{}\"", places.plain);
    change(&world, &listen, &format!("{listen}, certificates: [{{ chain: dev.pem, key: dev.key }}]"));
    let said = world.pilotage(&["up"]).expect(1).stdout;
    assert!(said.contains("✗ dev  route not changed: the file ") && said.contains("dev.pem"), "{said}");
    assert_eq!(ask(places.plain, "shop.example.com", "/"), "web 1.0.0");
    certificate(&world, "dev", &["shop.example.com"]);
    change(&world, "chain: dev.pem, key: dev.key", "chain: certificates/dev.pem, key: certificates/dev.key");
    let said = world.pilotage(&["up"]).expect(0).stdout;
    assert!(said.contains("✓ dev  edge.certificates: none → certificates/dev.pem"), "{said}");
    assert!(said.contains("https://shop.example.com"), "{said}");
}
