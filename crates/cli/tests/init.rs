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
