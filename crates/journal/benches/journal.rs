//! How fast the journal records and is read. One JSON object a line for each figure: `cargo bench -p pilotage-journal`.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use pilotage_journal::{Append, Event, Expected, Journal, NewEvent};
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// How long each rate is measured.
const MEASURED: Duration = Duration::from_secs(3);
/// Appenders at once, each waiting for its own event before it sends the next.
const CONCURRENT: usize = 32;
/// Events in the journal that is folded.
const FOLDED: u64 = 100_000;
/// Folds, of which the fastest counts: the others measure what else the machine was doing.
const FOLDS: usize = 5;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Beside the build, not in a temporary folder, which may be held in memory.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;

    let alone = runtime.block_on(rate(&folder.path().join("alone.db"), 1))?;
    print("journal.single_events_per_second_alone", alone, "events/s", None);
    let together = runtime.block_on(rate(&folder.path().join("together.db"), CONCURRENT))?;
    print("journal.single_events_per_second", together, "events/s", Some((">= 5000", together >= 5_000.0)));

    let path = folder.path().join("folded.db");
    runtime.block_on(fill(&path))?;
    let seconds = fold(&path)?;
    print("journal.fold_100000_events_seconds", seconds, "s", Some(("< 0.5", seconds < 0.5)));
    let started = Instant::now();
    Journal::open_read_only(&path)?.verify()?;
    print("journal.verify_100000_events_seconds", started.elapsed().as_secs_f64(), "s", None);
    let started = Instant::now();
    drop(Journal::open(&path)?);
    print("journal.open_100000_events_seconds", started.elapsed().as_secs_f64(), "s", None);
    Ok(())
}

fn print(name: &str, value: f64, unit: &str, goal: Option<(&str, bool)>) {
    let value = (value * 1_000.0).round() / 1_000.0;
    let (goal, holds) = (goal.map(|(goal, _)| goal), goal.map(|(_, holds)| holds));
    let figure = json!({
        "name": name, "value": value, "unit": unit, "peer": null, "ratio": null, "goal": goal, "holds": holds,
    });
    println!("{figure}");
}

/// A payload of about 300 bytes, as a deployment's events have them.
fn payload(n: u64) -> Value {
    json!({
        "deployment": format!("d{n}"), "environment": "production", "service": "api", "version": "1.4.2",
        "step": { "route": { "1.4.2": 2_500, "1.4.1": 7_500 } }, "outcome": "success", "duration_ms": n,
        "evidence": { "requests": 18_231, "errors": 3, "p99_micros": 41_233, "stable_p99_micros": 40_871 },
    })
}

fn append(stream: &str, numbers: impl Iterator<Item = u64>) -> Result<Append, pilotage_spec::NameError> {
    let kinds = ["deployment.executed", "deployment.health_check", "deployment.completed"];
    let events = numbers.map(|n| Ok(NewEvent::new(kinds[n as usize % kinds.len()].parse()?, payload(n))));
    Ok(Append::new(stream.parse()?, Expected::Any, "ada", events.collect::<Result<_, _>>()?))
}

/// Durable events a second, recorded one by one by so many appenders at once.
async fn rate(path: &Path, appenders: usize) -> Result<f64, Box<dyn std::error::Error>> {
    let journal = Journal::open(path)?;
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for appender in 0..appenders {
        let journal = journal.clone();
        let append = append(&format!("deployment/d{appender}"), std::iter::once(appender as u64))?;
        tasks.spawn(async move {
            while started.elapsed() < MEASURED {
                journal.append(append.clone()).await?;
            }
            Ok::<(), pilotage_journal::AppendError>(())
        });
    }
    while let Some(task) = tasks.join_next().await {
        task??;
    }
    let elapsed = started.elapsed();
    Ok(f64::from(u32::try_from(*journal.head().borrow())?) / elapsed.as_secs_f64())
}

async fn fill(path: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let journal = Journal::open(path)?;
    for chunk in 0..FOLDED / 500 {
        let numbers = chunk * 500..(chunk + 1) * 500;
        journal.append(append(&format!("deployment/d{chunk}"), numbers)?).await?;
    }
    Ok(())
}

/// Seconds to read every event and count them by kind; the fastest of a few runs.
fn fold(path: &Path) -> Result<f64, Box<dyn std::error::Error>> {
    let reader = Journal::open_read_only(path)?;
    let mut fastest = f64::INFINITY;
    for _ in 0..FOLDS {
        let started = Instant::now();
        let counts = reader.fold(0, BTreeMap::<String, u64>::new(), count)?;
        fastest = fastest.min(started.elapsed().as_secs_f64());
        assert_eq!(counts.values().sum::<u64>(), FOLDED);
    }
    Ok(fastest)
}

fn count(counts: &mut BTreeMap<String, u64>, event: Event) {
    match counts.get_mut(event.kind.as_str()) {
        Some(count) => *count += 1,
        None => drop(counts.insert(event.kind.into(), 1)),
    }
}
