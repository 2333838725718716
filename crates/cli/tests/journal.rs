//! Journals that cannot be trusted are refused, and say why.
#![allow(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

mod world;

use std::fs;

use world::World;

/// A world whose server is down and whose journal has entries.
fn deployed() -> World {
    let world = World::sample("blue-green: { watch: 100ms, soak: 0s }");
    let first = world.release("1.0.0", "");
    world.deploy("1.0.0", &first).expect(0);
    world.pilotage(&["down"]).expect(0);
    world
}

/// Every command that needs the journal refuses, and says this.
fn refused(world: &World, reason: &str) {
    for command in [vec!["status"], vec!["serve"], vec!["audit", "verify"], vec!["deploy", "api", "1.0.0"]] {
        let said = world.pilotage(&command).expect(1);
        assert!(said.stderr.contains(reason), "{command:?}: {}", said.stderr);
    }
}

#[test]
fn a_journal_that_is_another_programs() {
    let world = World::sample("blue-green: { watch: 100ms, soak: 0s }");
    world.release("1.0.0", "");
    let journal = world.write(".pilotage/journal.db", "not a database, though long enough to be looked at");
    refused(&world, "is not a journal");
    fs::remove_file(journal).unwrap();
}

#[test]
fn a_journal_that_was_cut_off() {
    let world = deployed();
    let journal = world.state().journal();
    let length = fs::metadata(&journal).unwrap().len();
    fs::File::options().write(true).open(&journal).unwrap().set_len(length / 2).unwrap();
    for command in [vec!["status"], vec!["audit", "verify"]] {
        let said = world.pilotage(&command).expect(1).whole();
        assert!(said.contains("damaged") || said.contains("malformed"), "{command:?}: {said}");
    }
    fs::remove_file(journal).unwrap();
}

#[test]
fn a_journal_of_a_newer_version() {
    let world = deployed();
    let journal = world.state().journal();
    let mut bytes = fs::read(&journal).unwrap();
    // The user version is a big-endian number at byte 60 of the header; https://www.sqlite.org/fileformat.html.
    bytes[60..64].copy_from_slice(&999_i32.to_be_bytes());
    fs::write(&journal, bytes).unwrap();
    refused(&world, "was written by a newer Pilotage");
    fs::remove_file(journal).unwrap();
}

#[test]
fn an_entry_that_was_changed() {
    let world = deployed();
    let journal = world.state().journal();
    let mut bytes = fs::read(&journal).unwrap();
    let word = b"pilotage deploy api 1.0.0";
    let found = |part: &[u8]| part == word;
    // SQLite may have left an older copy of the page in the file: all of them are changed.
    let places: Vec<usize> =
        bytes.windows(word.len()).enumerate().filter(|(_, part)| found(part)).map(|(at, _)| at).collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at + word.len() - 1] = b'9';
    }
    fs::write(&journal, bytes).unwrap();
    let said = world.pilotage(&["audit", "verify"]).expect(1);
    assert!(said.stdout.contains("✗ not verified"), "{}", said.stdout);
    assert!(
        said.stdout.contains("(deployment.started of deployment/d1) was changed after it was written"),
        "{}",
        said.stdout
    );
    let json = world.pilotage(&["audit", "verify", "--output", "json"]).expect(1).stdout;
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap()["verified"], false);
}

#[test]
fn a_backup_is_a_journal() {
    let world = deployed();
    let copy = world.root().join("copy.db");
    let copy = copy.to_str().unwrap();
    let said = world.pilotage(&["backup", copy]).expect(0);
    assert!(said.stdout.contains("verified"), "{}", said.stdout);
    assert!(world.pilotage(&["backup", copy]).code != Some(0), "a backup was overwritten");
    world.pilotage(&["up"]).expect(0);
    world.pilotage(&["backup", "second.db"]).expect(0);
    assert!(world.root().join("second.db").exists());
    world.write("other/journal.db", "");
    fs::copy(copy, world.root().join("other/journal.db")).unwrap();
    let other = world.root().join("other");
    world.pilotage(&["audit", "verify", "--state", other.to_str().unwrap()]).expect(0);
}
