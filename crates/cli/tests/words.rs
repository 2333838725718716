//! What the commands say when nothing is running: help, mistakes, checks. None of them starts a server.
#![allow(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

mod world;

use pilotage_server::ErrorBody;
use world::World;

const SMALL: &str = "\
project: small
services:
  api:
    run: [./api]
    artifact: api
environments:
  dev: {}
  production: {}
";

#[test]
fn every_command_explains_itself() {
    let world = World::empty();
    let verbs = [
        "init",
        "check",
        "schema",
        "up",
        "down",
        "serve",
        "plan",
        "simulate",
        "deploy",
        "promote",
        "rollback",
        "abort",
        "pause",
        "resume",
        "rollout",
        "rollout promote",
        "status",
        "history",
        "logs",
        "edge",
        "edge top",
        "edge reload",
        "explain",
        "judge",
        "policy",
        "policy test",
        "audit",
        "backup",
        "kubernetes rollout",
        "target check",
        "clusters",
        "demo",
        "completions",
    ];
    let mut help = world.pilotage(&["--help"]).expect(0).stdout;
    for verb in verbs {
        let said = world.pilotage(&verb.split(' ').chain(["--help"]).collect::<Vec<_>>()).expect(0).stdout;
        // What is the same for all stands in the first one.
        let own = said.split("Everywhere:").next().unwrap_or_default().trim_end();
        help.push_str(&format!("\n────── pilotage {verb}\n{own}\n"));
    }
    insta::assert_snapshot!(help);
}

#[test]
fn names_that_are_not_known_get_the_nearest_one() {
    let world = World::with(SMALL);
    for (arguments, hint) in [
        (vec!["deploy", "ap", "1.0.0"], "hint: did you mean `api`?"),
        (vec!["deploy", "api", "1.0.0", "--env", "prodution"], "hint: did you mean `production`?"),
        (vec!["deploy", "api", "1.0.0", "--strategy", "canari"], "hint: did you mean `canary`?"),
        (vec!["rollback", "apii"], "hint: did you mean `api`?"),
        (vec!["logs", "web"], "hint: the file knows: api"),
        (vec!["explain", "gate", "gradual"], "hint: did you mean `gradual-rollout`?"),
    ] {
        let said = world.pilotage(&arguments).expect(64);
        assert!(said.stderr.contains(hint), "{arguments:?}: {}", said.stderr);
        assert_eq!(said.stdout, "", "{arguments:?}");
    }
    assert!(!world.state().journal().exists(), "a mistake started a server");
}

#[test]
fn what_is_not_well_formed_gets_no_further() {
    let world = World::with(SMALL);
    for arguments in [
        vec!["deploy", "api", "1.0.0", "--env", "production; rm -rf /"],
        vec!["deploy", "../../etc", "1.0.0"],
        vec!["deploy", "api", "../../etc"],
        vec!["deploy", "api", "1.0"],
        vec!["deploy", "api", "latest"],
        vec!["deploy", "api", "1.0.0\n"],
        vec!["deploy", "api", "1.0.0", "--artifact", "nowhere"],
        vec!["deploy", "api", "1.0.0", "--timeout", "soon"],
        vec!["rollback", "api", "--to", "$(id)"],
        vec!["status", "--env", "a&b"],
        vec!["history", "--service", "a b"],
        vec!["audit", "list", "--since", "yesterday"],
        vec!["explain", "12"],
        vec!["abort", "d1x"],
        vec!["history", "-n", "0"],
        vec!["logs", "api", "-n", "0"],
        vec!["audit", "--since", "yesterday"],
        vec!["audit", "--env", "dev", "verify"],
        vec!["check", "--file", "/tmp"],
        vec!["frobnicate"],
        vec!["deploy"],
    ] {
        let said = world.pilotage(&arguments).expect(64);
        assert!(said.stderr.contains("error: "), "{arguments:?}: {}", said.stderr);
    }
    assert!(!world.state().journal().exists(), "a mistake started a server");
}

#[test]
fn a_folder_is_not_taken_for_the_file_in_it() {
    let world = World::with(SMALL);
    let said = world.pilotage(&["check", "--file", "."]).expect(64);
    assert!(said.stderr.contains("is a folder; name the file in it"), "{}", said.stderr);
    assert!(said.stderr.contains("pilotage.yaml"), "{}", said.stderr);
    world.pilotage(&["check", "--file", "pilotage.yaml"]).expect(0);
}

#[test]
fn a_program_reads_every_mistake_in_one_shape() {
    let world = World::with(SMALL);
    for arguments in [
        vec!["deploy", "ap", "1.0.0", "--output", "json"],
        vec!["frobnicate", "--output", "json"],
        vec!["--output=json", "deploy"],
        vec!["history", "-n", "0", "--output", "json"],
        vec!["check", "--file", "/nowhere", "--output", "json"],
        vec!["explain", "gate", "gradual", "--output", "json"],
    ] {
        let said = world.pilotage(&arguments).expect(64);
        let error: ErrorBody = serde_json::from_str(&said.stderr).unwrap();
        assert_eq!(error.exit_code, 64, "{arguments:?}");
        assert!(!error.message.is_empty() && !error.message.starts_with("error"), "{arguments:?}: {error:?}");
        assert_eq!(said.stdout, "", "{arguments:?}");
    }
}

#[test]
fn mistakes_read_well() {
    let world = World::with(SMALL);
    let several = World::with(&SMALL.replace("  dev: {}\n", "  staging: {}\n"));
    let told = [
        world.pilotage(&["deploy", "ap", "1.0.0"]).whole(),
        world.pilotage(&["deploy", "api", "1.0.0", "--env", "production; rm -rf /"]).whole(),
        world.pilotage(&["deploy", "api", "1.0"]).whole(),
        world.pilotage(&["explain", "12"]).whole(),
        world.pilotage(&["audit", "list", "--since", "yesterday"]).whole(),
        several.pilotage(&["deploy", "api", "1.0.0"]).whole(),
        World::empty().pilotage(&["status"]).whole(),
        world.pilotage(&["audit", "verify"]).whole(),
        world.pilotage(&["history", "-n", "0"]).whole(),
        world.pilotage(&["deploy", "ap", "1.0.0", "--output", "json"]).whole(),
    ];
    let told = without_empty_folder(&told.join("\n\n"));
    insta::assert_snapshot!(world.tidy(&told));
}

/// The folder of a world that is gone already.
fn without_empty_folder(text: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let is_folder = word.contains("/pw-") && !word.contains(".pilotage");
        words.push(if is_folder { "[EMPTY]".to_owned() } else { word.to_owned() });
    }
    words.join(" ")
}

#[test]
fn check_shows_every_fault_with_its_line_and_its_mend() {
    let world = World::with(
        "project: Shop\nservices:\n  api:\n    run: ./api\n    artifact: ../api\n    replica: 2\nenvironments:\n  dev: { strategy: rollin }\n",
    );
    let said = world.pilotage(&["check"]);
    assert_eq!(said.code, Some(64));
    insta::assert_snapshot!(world.tidy(&said.whole()));
    let json = world.pilotage(&["check", "--output", "json"]).expect(64).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["ok"], false);
    assert!(json["diagnostics"].as_array().unwrap().len() > 2, "{json}");
}

#[test]
fn check_knows_time_zones_and_reads_the_calendars() {
    let world = World::with(
        "project: shop\nservices:\n  api: { run: [./api], artifact: api }\nwindows:\n  \
         office: { allow: Mon-Thu 09:00-16:00 Europe/Berln, freeze: freezes.ics }\n  \
         never: { allow: { cron: \"0 0 30 2 *\", for: 1h, zone: UTC } }\n",
    );
    world.write("freezes.ics", "<html>Sign in</html>");
    let said = world.pilotage(&["check"]).expect(64);
    assert_eq!(
        said.stdout.lines().collect::<Vec<_>>(),
        [
            "error: window `never`: the cron expression `0 0 30 2 *` never happens",
            "error: window `office`: unknown time zone `Europe/Berln`: did you mean `Europe/Berlin`?",
            "error: window `office`: the calendar freezes.ics cannot be used: line 1: this is not `NAME:value`, as every line \
             of a calendar is",
        ]
    );
    let said = world.pilotage(&["plan", "api", "1.0.0"]).expect(64).whole();
    assert!(said.contains("did you mean `Europe/Berlin`?"), "{said}");
}

#[test]
fn check_finds_the_file_in_a_folder_above() {
    let world = World::with(SMALL);
    world.write("deep/down/file", "");
    let said = world.pilotage_in("deep/down", &["check"]).expect(0);
    assert_eq!(said.stdout, "✓ pilotage.yaml is sound: 1 service, 2 environments\n");
}

#[test]
fn colours_are_never_sent_to_a_pipe() {
    let world = World::with("project: Shop\n");
    let said = world.pilotage(&["check"]).expect(64);
    assert!(!said.whole().contains('\u{1b}'), "{}", said.whole());
}

#[test]
fn schema_and_completions_are_what_they_say() {
    let world = World::empty();
    let schema: serde_json::Value =
        serde_json::from_str(&world.pilotage(&["schema"]).expect(0).stdout).unwrap();
    assert_eq!(schema["title"], "pilotage.yaml");
    for shell in ["bash", "zsh", "fish"] {
        let script = world.pilotage(&["completions", shell]).expect(0).stdout;
        assert!(script.contains("rollback") && script.contains("pilotage"), "{shell}");
        assert!(!script.is_empty());
    }
}

#[test]
fn every_gate_is_explained() {
    let said = World::empty().pilotage(&["explain", "gate"]).expect(0).stdout;
    assert!(said.contains("environment-confirmed: ") && said.contains("gradual-rollout: "), "{said}");
}
