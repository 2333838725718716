//! `pilotage judge --from FILE`, by the real binary. No server is started, and no project is needed.
#![allow(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

mod world;

use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use world::{PILOTAGE, Said, World, wait};

const HEADER: &str = "time,version,requests,failed\n";

fn example() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/incidents/failing-canary.csv");
    std::fs::read_to_string(path).unwrap()
}

/// So many minutes of both versions.
fn minutes(candidate: (u64, u64), stable: (u64, u64), minutes: u64) -> String {
    let mut text = HEADER.to_owned();
    for minute in 1..=minutes {
        for (version, (requests, failed)) in [("1.2.0", candidate), ("1.1.0", stable)] {
            writeln!(text, "{},{version},{requests},{failed}", minute * 60).unwrap();
        }
    }
    text
}

fn judge(text: &str, more: &[&str]) -> Said {
    let world = World::empty();
    world.write("counts", text);
    world.pilotage(&[&["judge", "--from", "counts"], more].concat())
}

fn object(said: &Said) -> serde_json::Value {
    serde_json::from_str(&said.stdout).unwrap()
}

#[test]
fn the_example_would_have_been_rolled_back() {
    let said = judge(&example(), &["--compare", "threshold,kayenta"]).expect(2);
    insta::assert_snapshot!(said.whole());
}

#[test]
fn a_good_release_would_have_stayed() {
    insta::assert_snapshot!(judge(&minutes((1_200, 1), (10_800, 11), 20), &[]).expect(0).whole());
}

#[test]
fn programs_get_one_object() {
    let said = judge(&example(), &["--compare", "threshold", "--output", "json"]).expect(2);
    assert_eq!(said.stderr, "");
    let told = object(&said);
    assert_eq!((&told["verdict"], &told["candidate"]["version"]), (&"fail".into(), &"1.2.0".into()));
    assert_eq!(told["began"], "2026-07-01T09:05:00.000Z");
    assert!(told["rolled_back"]["failed"].as_u64().unwrap() < told["candidate"]["failed"].as_u64().unwrap());
    assert_eq!(told["rules"][0]["verdict"], "rolled_back");
    assert_eq!(told["rules"].as_array().unwrap().len(), 2);
    assert!(told["findings"].as_array().unwrap().iter().any(|finding| finding["trigger"] == "error_rate"));
}

#[test]
fn what_is_typed_wins_over_the_strategy_and_that_over_the_defaults() {
    let world = World::with(
        "project: small\nservices:\n  api:\n    run: [./api]\n    artifact: api\nenvironments:\n  dev: { strategy: lenient }\n\
         strategies:\n  lenient:\n    blue-green: {}\n    roll_back_when: { errors_vs_stable: off, error_rate: 20% }\n",
    );
    world.write("counts", &minutes((1_200, 36), (10_800, 11), 10));
    let with = |more: &[&str]| world.pilotage(&[&["judge", "--from", "counts"], more].concat());
    with(&[]).expect(2);
    with(&["--strategy", "lenient"]).expect(0);
    with(&["--strategy", "lenient", "--error-rate", "1%"]).expect(2);
    with(&["--strategy", "lenient", "--errors-vs-stable", "2x"]).expect(2);
    with(&["--errors-vs-stable", "200x"]).expect(0);
    assert!(with(&["--strategy", "lenien"]).expect(64).stderr.contains("did you mean `lenient`?"));
    for wrong in
        [["--alpha", "0%"], ["--alpha", "NaN"], ["--error-rate", "101%"], ["--errors-vs-stable", "1x"]]
    {
        with(&wrong).expect(64);
    }
}

#[test]
fn counts_come_through_a_pipe_as_counters_too() {
    let (mut requests, mut failed) = (0, 0);
    let mut text = String::new();
    for minute in 0..20 {
        requests += 1_200;
        failed += 36;
        writeln!(
            text,
            r#"{{"time":{},"version":"1.2.0","requests":{requests},"failed":{failed}}}"#,
            minute * 60
        )
        .unwrap();
        writeln!(
            text,
            r#"{{"time":{},"version":"1.1.0","requests":{},"failed":0}}"#,
            minute * 60,
            requests * 9
        )
        .unwrap();
    }
    let world = World::empty();
    let file = std::fs::File::open(world.write("counts", &text)).unwrap();
    let child = Command::new(PILOTAGE)
        .args(["judge", "--from", "-", "--cumulative", "--output", "json"])
        .current_dir(world.root())
        .stdin(file)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let told = object(&wait(child).expect(2));
    assert_eq!(told["candidate"]["requests"], 19 * 1_200, "the first row is where counting begins");
}

#[test]
fn versions_are_chosen_by_name() {
    let text = minutes((1_200, 36), (10_800, 11), 10) + "60,1.0.0,5,0\n";
    let told = object(&judge(&text, &["--output", "json"]).expect(2));
    assert_eq!(told["left_out"], serde_json::json!(["1.0.0"]));
    let other = judge(&text, &["--candidate", "1.1.0", "--stable", "v1.2.0", "--output", "json"]).expect(0);
    assert_eq!(object(&other)["stable"]["version"], "1.2.0");
    let unknown = judge(&text, &["--candidate", "1.3.0"]).expect(64);
    assert!(unknown.stderr.contains("the file has: 1.0.0, 1.1.0, 1.2.0"), "{}", unknown.stderr);
    judge(&text, &["--candidate", "1.1.0", "--stable", "1.1.0"]).expect(64);
}

#[test]
fn what_a_file_lacks_is_said() {
    let alone = format!("{HEADER}10,1.2.0,100,0\n20,1.2.0,100,0\n");
    let apart = format!("{HEADER}10,1.2.0,100,0\n11,1.1.0,100,0\n20,1.2.0,100,0\n21,1.1.0,100,0\n");
    let odd = "time,version,requests,failed,host\n10,1.2.0,100,0,a\n10,1.1.0,100,,a\n20,1.2.0,100,0,a\n20,1.1.0,90,0,a\n\
               15,1.2.0,100,0,a\n15,1.1.0,90,0,a\n25,1.2.0,100,0,a\n";
    let told = [alone.as_str(), &apart, odd].map(|text| judge(text, &[]).expect(0).whole());
    insta::assert_snapshot!(told.join("\n\n"));
}

#[test]
fn a_file_that_makes_no_sense_is_not_judged() {
    let world = World::empty();
    world.write("empty", "");
    world.write("header", HEADER);
    world.write("wrong", &format!("{HEADER}10,1.2.0,10,12\n10,latest,NaN,0\n"));
    let told = ["empty", "header", "wrong", "nowhere", "."].map(|file| {
        let said = world.pilotage(&["judge", "--from", file]).expect(64);
        assert_eq!(said.stdout, "");
        said.whole()
    });
    insta::assert_snapshot!(told.join("\n\n"));
}
