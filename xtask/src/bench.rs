//! `cargo xtask bench`: runs a bench and compares its figures with their goals.

use crate::figures::{Figure, table};
use crate::process::{Output, TaskError, cargo, run_by_line};

const USAGE: &str = "usage: cargo xtask bench [NAME] [--quick] [--output json]";

/// A bench target of a crate. It takes `--quick` and prints one JSON object a figure.
struct Bench {
    name: &'static str,
    package: &'static str,
    about: &'static str,
}

const BENCHES: &[Bench] = &[
    Bench { name: "journal", package: "pilotage-journal", about: "durable events a second, folding" },
    Bench { name: "switch", package: "pilotage-proxy", about: "from a new table to its last old request" },
    Bench { name: "simulator", package: "pilotage-engine", about: "whole simulated deployments a second" },
    Bench { name: "load", package: "pilotage-load", about: "what the load generator itself costs" },
    Bench {
        name: "zero-drop",
        package: "pilotage",
        about: "dropped requests over many cut-overs and rollbacks",
    },
    Bench { name: "overhead", package: "pilotage", about: "what a deployment and `status` add" },
];

/// Runs one bench by name.
pub fn run(words: &[&str]) -> Result<(), TaskError> {
    let (mut name, mut quick, mut json) = (None, false, false);
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        match *word {
            "--quick" => quick = true,
            "--output" if rest.next() == Some(&"json") => json = true,
            word if !word.starts_with('-') && name.is_none() => name = Some(word),
            _ => return Err(TaskError::Usage(USAGE)),
        }
    }
    let Some(name) = name else {
        BENCHES.iter().for_each(|bench| println!("{:<10}  {}", bench.name, bench.about));
        return Ok(());
    };
    let bench = BENCHES.iter().find(|bench| bench.name == name).ok_or_else(|| {
        let names: Vec<&str> = BENCHES.iter().map(|bench| bench.name).collect();
        TaskError::Failed(format!("there is no bench `{name}`; there are {}", names.join(", ")))
    })?;
    let figures = measure(bench, quick)?;
    if json {
        for figure in &figures {
            let line = serde_json::to_string(figure).map_err(|error| TaskError::Failed(error.to_string()))?;
            println!("{line}");
        }
    } else {
        print!("{}", table(&figures));
    }
    let missed: Vec<&str> = figures.iter().filter(|f| f.fails()).map(|f| f.name.as_str()).collect();
    if missed.is_empty() {
        Ok(())
    } else {
        Err(TaskError::Failed(format!("goal not met: {}", missed.join(", "))))
    }
}

/// Builds and runs a bench. What it prints beside its figures goes to standard error.
fn measure(bench: &Bench, quick: bool) -> Result<Vec<Figure>, TaskError> {
    let mut command = cargo();
    command.args(["bench", "--quiet", "--package", bench.package, "--bench", bench.name, "--"]);
    command.args(quick.then_some("--quick"));
    let mut figures = Vec::new();
    let status = run_by_line(&mut command, Output::Standard, |line| match Figure::from_line(line) {
        Some(figure) => figures.push(figure),
        None => eprintln!("{line}"),
    })?;
    // A bench may exit with a failure because a goal is missed; its figures say so better.
    if figures.is_empty() || (!status.success() && !figures.iter().any(Figure::fails)) {
        return Err(TaskError::Failed(format!("bench `{}` did not come to its end", bench.name)));
    }
    Ok(figures)
}
