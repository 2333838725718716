//! `simulate`: a plan played against a fault by the real binary, without a server.
#![allow(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

mod world;

use serde_json::Value;
use world::World;

const FILE: &str = "\
project: shop
services:
  api:
    run: [./api]
    artifact: api
    replicas: 2
environments:
  dev: { strategy: quick }
strategies:
  quick:
    canary: { steps: [5, 50, 100], watch: 1m, soak: 1m }
  asking:
    steps: { list: [{ share: 50%, watch: 1m }, { hold: true }, { share: 100%, watch: 1m }], soak: 1m }
  trial:
    shadow: { share: 100%, watch: 1m }
";

const USUAL: [&str; 5] = ["simulate", "api", "1.1.0", "--runs", "10"];

fn simulate(world: &World, more: &[&str], code: i32) -> world::Said {
    world.pilotage(&[USUAL.as_slice(), more].concat()).expect(code)
}

#[test]
fn a_bad_release_is_taken_back_in_the_simulation_and_a_good_one_is_not() {
    let world = World::with(FILE);
    let said = simulate(&world, &["--fault", "errors 50 % at 50 %", "--stable", "1.0.0"], 0).stdout;
    for words in
        ["dev/api: 1.0.0 → 1.1.0 by quick", "errors 50 % at 50 %", "10 (100 %)", "2 (50 %): 10", "users hurt"]
    {
        assert!(said.contains(words), "{words}:\n{said}");
    }
    assert!(!world.state().journal().exists(), "a server was started");
}

#[test]
fn a_hold_is_let_go_and_a_trial_ends_as_planned() {
    let world = World::with(FILE);
    for (strategy, end) in [("asking", "succeeded"), ("trial", "concluded")] {
        let said = simulate(&world, &["--strategy", strategy, "--output", "json"], 0).stdout;
        let object: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(object["without_fault"][end], 10, "{strategy}: {said}");
    }
}

#[test]
fn the_same_seed_gives_the_same_answer_to_programs() {
    let world = World::with(FILE);
    let play = |seed: &str| {
        let more =
            ["--fault", "errors 3 %", "--fault", "p99 +20 % for 30s", "--seed", seed, "--output", "json"];
        let said = simulate(&world, &more, 0);
        assert_eq!(said.stderr, "");
        said.stdout
    };
    let object: Value = serde_json::from_str(&play("7")).unwrap();
    assert_eq!(play("7"), play("7"));
    assert_ne!(play("7").replace("\"seed\":7", ""), play("8").replace("\"seed\":8", ""));
    assert_eq!(object["faults"], serde_json::json!(["errors 3 %", "latency 1.2x for 30s"]));
    assert_eq!((&object["runs"], &object["with_fault"]["runs"]), (&Value::from(10), &Value::from(10)));
    let ends = ["rolled_back", "inconclusive", "failed", "concluded", "held", "succeeded"];
    let sum: u64 = ends.iter().map(|end| object["without_fault"][end].as_u64().unwrap()).sum();
    assert_eq!(sum, 10, "{object}");
}

#[test]
fn a_picture_is_drawn_whole_or_not_at_all() {
    let world = World::with(FILE);
    simulate(&world, &["--fault", "crash loop", "--svg", "picture.svg", "--quiet"], 0);
    let svg = std::fs::read_to_string(world.root().join("picture.svg")).unwrap();
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"), "{svg}");
    assert!(svg.contains("crash loop: 10 of 10 taken back"), "{svg}");
    for path in ["nowhere/picture.svg", "."] {
        let said = simulate(&world, &["--svg", path], 64);
        assert!(said.stderr.contains(&format!("cannot write {path}")), "{}", said.stderr);
        assert_eq!(said.stdout, "", "the work was done before the path was looked at");
    }
    let files: Vec<String> = std::fs::read_dir(world.root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(files.len(), 2, "something was left behind: {files:?}");
}

#[test]
fn what_cannot_be_played_is_refused_beforehand() {
    let world = World::with(FILE);
    for (more, words) in [
        (vec!["--fault", "everything"], "understood are"),
        (vec!["--fault", "errors 101 %"], "more than all"),
        (vec!["--fault", "errors 3 % from step 4"], "in 3 steps only"),
        (vec!["--rps", "0"], "above 0"),
        (vec!["--rps", "-1"], "above 0"),
        (vec!["--rps", "NaN"], "above 0"),
        (vec!["--rps", "99999999"], "at most 10000000 can"),
        (vec!["--errors", "101%"], "percentage"),
        (vec!["--stable", "1.1.0"], "cannot replace itself"),
        (vec!["--strategy", "quik"], "did you mean `quick`?"),
        (vec!["--env", "def"], "did you mean `dev`?"),
    ] {
        let said = simulate(&world, &more, 64);
        assert!(said.stderr.contains(words), "{more:?}: {}", said.stderr);
    }
    let said = world.pilotage(&["simulate", "api", "1.1.0", "--runs", "0"]).expect(64);
    assert!(said.stderr.contains("1..=1000000"), "{}", said.stderr);
    let said = world.pilotage(&["simulate", "ap", "1.1.0"]).expect(64);
    assert!(said.stderr.contains("did you mean `api`?"), "{}", said.stderr);
}
