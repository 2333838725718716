//! One program for the tests: `target-host shim`, `target-host pass-listener …`, `target-host edge …`, and `target-host service …` with all the faults
//! that a service can have.

mod listener;
mod service;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["shim"] => pilotage_targets::run_shim(),
        ["edge", "--socket", socket, "--state-folder", folder] => edge(socket, folder),
        ["pass-listener", ..] => pilotage_targets::pass_listener(std::env::args_os().skip(2).collect()),
        ["service", faults @ ..] => service::run(faults),
        other => {
            eprintln!("target-host: unknown arguments {other:?}");
            ExitCode::from(64)
        }
    }
}

fn edge(socket: &str, folder: &str) -> ExitCode {
    match pilotage_proxy::run(pilotage_proxy::EdgeConfig::new(socket, folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("target-host edge: {error}");
            ExitCode::FAILURE
        }
    }
}
