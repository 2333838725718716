//! Every example is sound; those of processes are deployed by the real binary, replaced by their second version, and taken back,
//! with users on them.

#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

mod harness;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;

use harness::{World, drops, load};
use pilotage_engine::Outcome;
use pilotage_testing::{Part, need};

const PROGRAM: &str = env!("CARGO_BIN_EXE_pilotage");

fn example(name: &str) -> World {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    World::copy_of(PROGRAM, &examples.join(name))
}

fn block_on(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

/// What a user gets to see.
fn answer(address: SocketAddr) -> String {
    answer_at(address, "/")
}

fn answer_at(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: example\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text.split_once("\r\n\r\n").unwrap().1.to_owned()
}

/// 1.0.0 out, 2.0.0 out, back; each time the users get what they should, and none is dropped.
async fn forward_and_back(mut world: World, service: &str, make_second: impl FnOnce(&World)) {
    world.serve(&[]).await;
    assert_eq!(world.deploy_to("dev", service, "1.0.0").await, Outcome::Succeeded);
    let address = world.address(service).await;
    let first = answer(address);
    let users = load(address, 40.0);
    make_second(&world);
    assert_eq!(world.deploy_to("dev", service, "2.0.0").await, Outcome::Succeeded);
    let second = answer(address);
    assert_ne!(first, second);
    assert_eq!(world.roll_back(service).await.1, Outcome::Succeeded);
    assert_eq!(answer(address), first);
    assert_eq!(drops(&users.stop().await.unwrap()), None);
    assert!(world.verified().await);
}

/// A version that fails one request in ten comes back by itself.
async fn bad_version_comes_back(mut world: World, settings: &Path) {
    world.serve(&[]).await;
    assert_eq!(world.deploy_to("production", "greeter", "1.0.0").await, Outcome::Succeeded);
    let address = world.status_in("production", "greeter").await.address.unwrap();
    let users = load(address, 200.0);
    std::fs::write(world.path().join(settings), r#"{ "greeting": "Hello", "failures": 0.3 }"#).unwrap();
    assert_eq!(world.deploy_to("production", "greeter", "3.0.0").await, Outcome::RolledBack);
    assert!(answer(address).contains("Hello"));
    assert_eq!(drops(&users.stop().await.unwrap()), None);
    let status = world.status_in("production", "greeter").await;
    assert_eq!(status.version.unwrap().to_string(), "1.0.0");
}

fn second_greeting(settings: &'static str) -> impl FnOnce(&World) {
    move |world| {
        let text = r#"{ "greeting": "Good day", "failures": 0.0 }"#;
        std::fs::write(world.path().join(settings), text).unwrap();
    }
}

#[test]
fn every_example_is_sound() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let folders = std::fs::read_dir(examples).unwrap().map(|entry| entry.unwrap().path());
    let folders: Vec<_> = folders.filter(|folder| folder.join("pilotage.yaml").exists()).collect();
    for name in ["command-target-ecs", "docker", "kubernetes", "shop"] {
        assert!(folders.iter().any(|folder| folder.ends_with(name)), "{name}: {folders:?}");
    }
    for folder in folders {
        let checked = Command::new(PROGRAM).arg("check").current_dir(&folder).output().unwrap();
        let said = String::from_utf8_lossy(&checked.stdout);
        assert!(
            checked.status.success() && said.starts_with("✓ pilotage.yaml is sound"),
            "{folder:?}:\n{said}"
        );
    }
}

#[test]
fn a_python_service() {
    let Some(_python) = need("a_python_service", Part::Python) else { return };
    block_on(async {
        let world = example("python-service");
        forward_and_back(world, "greeter", second_greeting("app/settings.json")).await;
    });
}

#[test]
fn a_python_service_that_fails() {
    let Some(_python) = need("a_python_service_that_fails", Part::Python) else { return };
    block_on(bad_version_comes_back(example("python-service"), Path::new("app/settings.json")));
}

#[test]
fn a_shop_of_two_services_behind_one_address() {
    let Some(_python) = need("a_shop_of_two_services", Part::Python) else { return };
    block_on(async {
        let mut world = example("shop");
        let listen = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let file = world.path().join("pilotage.yaml");
        let text = std::fs::read_to_string(&file).unwrap().replace("127.0.0.1:8080", &listen.to_string());
        std::fs::write(file, text).unwrap();
        world.serve(&[]).await;
        for service in ["api", "web"] {
            assert_eq!(world.deploy_to("dev", service, "1.0.0").await, Outcome::Succeeded);
        }
        let users = load(listen, 40.0);
        let page = answer(listen);
        assert!(page.contains("<h1>Shop 1.0.0</h1>"), "{page}");
        let goods = || answer_at(listen, "/api/goods");
        assert!(goods().contains(r#""goods": ["bread", "butter"]"#), "{}", goods());
        std::fs::write(world.path().join("api/goods.json"), r#"["jam"]"#).unwrap();
        assert_eq!(world.deploy_to("dev", "api", "2.0.0").await, Outcome::Succeeded);
        assert!(goods().contains(r#""goods": ["jam"]"#), "{}", goods());
        assert_eq!(world.roll_back("api").await.1, Outcome::Succeeded);
        assert!(goods().contains("butter"), "{}", goods());
        assert_eq!(answer(listen), page);
        assert_eq!(drops(&users.stop().await.unwrap()), None);
    });
}

#[test]
fn a_node_service() {
    let Some(_node) = need("a_node_service", Part::Node) else { return };
    block_on(async {
        let world = example("node-service");
        forward_and_back(world, "greeter", second_greeting("app/settings.json")).await;
    });
}

#[test]
fn nginx_with_two_configurations() {
    let Some(_nginx) = need("nginx_with_two_configurations", Part::Nginx) else { return };
    block_on(async {
        forward_and_back(example("nginx"), "site", |world| {
            let (second, used) = (world.path().join("server-2.conf"), world.path().join("site/server.conf"));
            std::fs::copy(second, used).unwrap();
        })
        .await;
    });
}

#[test]
fn a_rust_service() {
    let world = example("rust-service");
    build(&world, "Hello");
    block_on(forward_and_back(world, "greeter", |world| build(world, "Good day")));
}

/// Builds the example where it was copied to, as its README says.
fn build(world: &World, greeting: &str) {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--release", "--quiet", "--offline"])
        .current_dir(world.path())
        .env("GREETING", greeting)
        .env("CARGO_TARGET_DIR", world.path().join("target"))
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
}
