//! SIGKILL at any instant: what was acknowledged is there.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use pilotage_journal::{Journal, OpenError};
use serde_json::json;

use crate::support::{assert_no_gaps, block_on, note, temporary};

const PATH: &str = "PILOTAGE_TEST_JOURNAL";
/// A child whose parent is gone must end by itself.
const EVENTS_LIMIT: usize = 100_000;

/// Not a test of its own: what the child process does until it is killed.
#[test]
#[ignore = "run as a child process by the test below"]
fn child_appends_until_it_is_killed() {
    let Some(path) = std::env::var_os(PATH).map(PathBuf::from) else { return };
    let journal = Journal::open(&path).unwrap();
    let append = |task: usize| {
        let journal = journal.clone();
        async move {
            for _ in 0..EVENTS_LIMIT {
                let payload = json!({ "task": task, "text": "x".repeat(task * 300) });
                let events = journal.append(note(&format!("task/{task}"), payload)).await.unwrap();
                eprintln!("acknowledged {}", events[0].seq);
            }
        }
    };
    block_on(async { tokio::join!(append(0), append(1), append(2), append(3)) });
}

fn spawn_child(path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::child_appends_until_it_is_killed", "--ignored", "--nocapture"])
        .env(PATH, path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn everything_acknowledged_survives_sigkill() {
    let (_folder, path) = temporary();
    for round in 1..=4 {
        let mut child = spawn_child(&path);
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let acknowledged = |line: std::io::Result<String>| -> Option<u64> {
            line.unwrap().strip_prefix("acknowledged ")?.parse().ok()
        };
        let mut seqs: Vec<u64> = lines.by_ref().filter_map(acknowledged).take(round * 97).collect();
        if round == 1 {
            let error = Journal::open(&path).unwrap_err();
            assert!(matches!(error, OpenError::InUse { pid, .. } if pid == Some(child.id())), "{error}");
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it had said before it died, but had not been read yet. The last line may be cut off, with a number that
        // was never acknowledged; it is smaller than the whole one, so it was acknowledged before.
        seqs.extend(lines.filter_map(acknowledged));
        assert!(seqs.len() >= round * 97, "the child ended early");

        let journal = Journal::open(&path).unwrap();
        let events = journal.after(0, usize::MAX).unwrap();
        assert_no_gaps(&events);
        assert!(seqs.iter().all(|seq| *seq <= events.len() as u64), "an acknowledged event is lost");
        assert_eq!(journal.verify().unwrap().size, events.len() as u64);
    }
}
