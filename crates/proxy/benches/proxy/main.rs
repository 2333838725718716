//! The edge beside nginx and HAProxy: the same upstream, the same load, one worker each, in alternating runs.
//!
//! The proxy under load has the first processor to itself; the load generator and the upstream share the second. What is
//! compared is processor time per request, which does not depend on who saturates first, then the 99th percentile and
//! requests per second. What other processes used of the machine meanwhile is measured too; a run that was disturbed is
//! made again.
//!
//! Prints one JSON object a figure; narration goes to standard error. `--quick` makes few and short runs, the name of a
//! case runs it alone.

mod arguments;
mod cases;
mod comparison;
mod fault;
mod figure;
mod load;
mod machine;
mod outcome;
mod servers;

use std::path::Path;
use std::process::ExitCode;

use arguments::Arguments;
use cases::{Bench, CASES};
use fault::Fault;
use servers::{EDGE_ROLE, serve_edge};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let done = match words.as_slice() {
        [role, folder] if role == EDGE_ROLE => serve_edge(Path::new(folder)).map(|()| true),
        words => Arguments::read(words).and_then(|arguments| measure(&arguments)),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the cases one after the other; one that cannot be run does not keep the others from it. Returns whether all
/// goals hold and all cases came to their end.
fn measure(arguments: &Arguments) -> Result<bool, Fault> {
    let chosen = |name: &str| arguments.case.as_deref().is_none_or(|wanted| wanted == name);
    let cases: Vec<_> = CASES.iter().filter(|case| chosen(case.name)).collect();
    if cases.is_empty() {
        let names: Vec<&str> = CASES.iter().map(|case| case.name).collect();
        return Err(Fault::new(format!("there is no such case; there are {}", names.join(", "))));
    }
    let bench = Bench::prepare(arguments.plan)?;
    let mut good = true;
    for case in cases {
        eprintln!("{}: {}", case.name, case.about);
        if let Some(part) = case.needs.iter().find(|part| part.find().is_none()) {
            eprintln!("SKIPPED: {}: {part} is missing (package `{}`)", case.name, part.package());
            continue;
        }
        match (case.run)(&bench) {
            Ok(figures) => {
                figures.iter().for_each(|figure| println!("{figure}"));
                good &= !figures.iter().any(|figure| figure.fails());
            }
            Err(fault) => {
                eprintln!("FAILED: {}: {fault}", case.name);
                good = false;
            }
        }
    }
    Ok(good)
}
