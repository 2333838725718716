//! `init` in projects of every kind.
#![allow(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

mod world;

use world::{PILOTAGE, World};

/// Writes a file for the project; it passes `check`.
fn init(files: &[(&str, &str)]) -> (World, String) {
    let world = World::empty();
    for (name, text) in files {
        world.write(name, text);
    }
    world.pilotage(&["init"]).expect(0);
    world.pilotage(&["check"]).expect(0);
    let text = std::fs::read_to_string(world.root().join("pilotage.yaml")).unwrap();
    (world, text)
}

#[test]
fn each_kind_of_project_gets_a_file_that_passes() {
    for (files, run, artifact) in [
        (
            vec![("Cargo.toml", "[package]\nname = \"greeter\"\n")],
            "run: [\"./greeter\"]",
            "artifact: \"target/release/greeter\"",
        ),
        (
            vec![("Cargo.toml", "[workspace]\nmembers = []\n")],
            "run: [\"./pw-",
            "artifact: \"target/release/pw-",
        ),
        (
            vec![
                ("package.json", r#"{"name":"@shop/web","scripts":{"start":"node srv.js"}}"#),
                ("srv.js", ""),
            ],
            "run: [\"node\", \"srv.js\"]",
            "artifact: \".\"",
        ),
        (
            vec![("package.json", "not json"), ("index.js", "")],
            "run: [\"node\", \"index.js\"]",
            "artifact: \".\"",
        ),
        (
            vec![("pyproject.toml", "[project]\nname = \"hello\"\n")],
            "run: [\"python3\", \"main.py\"]",
            "  hello:",
        ),
        (vec![("tool.py", "")], "run: [\"python3\", \"tool.py\"]", "artifact: \".\""),
        (vec![("go.mod", "module example.com/x/Tool\n")], "run: [\"./tool\"]", "artifact: \"bin/tool\""),
        (
            vec![("Dockerfile", "FROM x\nCMD [\"./run\", \"--all\"]\n")],
            "run: [\"./run\", \"--all\"]",
            "artifact: \".\"",
        ),
        (vec![("Dockerfile", "FROM x\nCMD run $PORT\n")], "run: [\"./pw-", "artifact: \".\""),
        (vec![], "run: [\"./pw-", "artifact: \"pw-"),
    ] {
        let (_world, text) = init(&files);
        assert!(text.contains(run) && text.contains(artifact), "{files:?}:\n{text}");
    }
}

#[test]
fn a_file_that_is_there_is_left_alone() {
    let world = World::with("mine");
    let said = world.pilotage(&["init"]).expect(64);
    assert!(said.stderr.contains("exists already") && said.stderr.contains("hint: `pilotage init --force`"));
    assert_eq!(std::fs::read_to_string(world.root().join("pilotage.yaml")).unwrap(), "mine");
    world.pilotage(&["init", "--force"]).expect(0);
    world.pilotage(&["check"]).expect(0);
}

#[test]
fn what_it_writes_deploys() {
    let dockerfile = format!("FROM scratch\nCMD [\"{PILOTAGE}\", \"sample-service\"]\n");
    let (world, text) = init(&[("Dockerfile", &dockerfile)]);
    let service = text.lines().find_map(|line| line.strip_prefix("project: ")).unwrap().to_owned();
    let said = world.pilotage(&["deploy", &service, "0.1.0"]).expect(0);
    assert!(said.stdout.contains("succeeded"), "{}", said.stdout);
    // The state folder lies in the artifact's folder now, and is no part of it.
    world.pilotage(&["deploy", &service, "0.1.0"]).expect(0);
}

const COMPOSE: &str = r#"
name: shop
services:
  web:
    image: registry.example.com/shop/web:1.2
    ports: ["8080:80", "9090:9090"]
    depends_on: [api]
    environment: { LEVEL: info, TOKEN: "${TOKEN}" }
    healthcheck: { test: ["CMD", "curl", "-f", "http://localhost/health"], interval: 10s, retries: 5 }
    networks: [front]
    bogus: true
  api:
    build: ./api
    secrets: [database]
secrets: { database: { file: ./database.txt } }
"#;

#[test]
fn a_compose_file_is_a_beginning() {
    let world = World::empty();
    world.write("compose.yaml", COMPOSE);
    let said = world.pilotage(&["init"]).expect(0).stdout;
    world.pilotage(&["check"]).expect(0);
    let text = std::fs::read_to_string(world.root().join("pilotage.yaml")).unwrap();
    for taken in [
        "project: shop",
        "image: \"registry.example.com/shop/web\"",
        "port: 8080",
        "container_port: 80",
        "ready: \"/health\", interval: 10s",
        "needs: [api]",
        "LEVEL: \"info\"",
        "TOKEN: { secret: \"env:TOKEN\" }",
    ] {
        assert!(text.contains(taken), "{taken}:\n{text}");
    }
    assert!(said.starts_with("✓ wrote pilotage.yaml for 2 services of compose.yaml\n"), "{said}");
    for place in [
        "services.web.image: the tag `1.2` is left out",
        "services.web.ports[1]: left out",
        "services.web.healthcheck.retries: left out",
        "services.web.networks: left out",
        "services.web.bogus: left out",
        "services.api.build: left out",
        "services.api.secrets: left out",
        "services.api: it names no image",
        "secrets: left out",
    ] {
        assert!(said.lines().any(|line| line.starts_with(&format!("  ! {place}"))), "{place}:\n{said}");
    }
    assert_eq!(said.matches("\n  ! ").count(), 9, "{said}");
    // Those that others need are deployed first.
    let (api, web) = ("pilotage deploy api", "pilotage deploy web");
    assert!(said.find(api).unwrap() < said.find(web).unwrap(), "{said}");
}

#[test]
fn a_compose_file_beside_something_else_is_used_when_it_is_asked_for() {
    let world = World::empty();
    world.write("go.mod", "module example.com/tool\n");
    world.write("deploy/stack.yml", COMPOSE);
    let none = world.pilotage(&["init", "--compose"]).expect(64);
    assert!(none.stderr.contains("has none of compose.yaml, compose.yml"), "{}", none.stderr);
    assert!(none.stderr.contains("hint: name the Compose file"), "{}", none.stderr);
    world.write("docker-compose.yml", COMPOSE);
    let said = world.pilotage(&["init"]).expect(0).stdout;
    assert!(said.contains("for a Go program") && said.contains("or begin with docker-compose.yml"), "{said}");
    for asked in
        [&["init", "--compose", "--force"][..], &["init", "--force", "--compose", "deploy/stack.yml"]]
    {
        let said = world.pilotage(asked).expect(0).stdout;
        assert!(said.contains("for 2 services of d"), "{said}");
        world.pilotage(&["check"]).expect(0);
    }
    let said = world.pilotage(&["init", "--force", "--compose", "--output", "json"]).expect(0).stdout;
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["services"], serde_json::json!(["api", "web"]));
    assert_eq!(said["remarks"].as_array().unwrap().len(), 9);
}

#[test]
fn a_compose_file_that_is_broken_is_told_with_line_and_mend() {
    let world = World::empty();
    let begin = |text: &str| {
        world.write("compose.yaml", text);
        world.pilotage(&["init"]).expect(64).stderr
    };
    let anchors = begin("services:\n  a: &base\n    image: a\n  b:\n    <<: *base\n");
    assert!(anchors.contains("compose.yaml:5") && anchors.contains("help"), "{anchors}");
    let broken = begin("services:\n  a: [\n");
    assert!(broken.contains("compose.yaml:"), "{broken}");
    let twice = begin("services:\n  a:\n    image: a\n  a:\n    image: b\n");
    assert!(twice.contains("compose.yaml:4"), "{twice}");
    let empty = begin("services: {}\n");
    assert!(empty.contains("compose.yaml has no services") && empty.contains("hint: name at least one"));
    let missing = world.pilotage(&["init", "--compose", "none.yaml"]).expect(64).stderr;
    assert!(missing.contains("cannot read none.yaml"), "{missing}");
    assert!(!world.root().join("pilotage.yaml").exists(), "nothing is written");
}
