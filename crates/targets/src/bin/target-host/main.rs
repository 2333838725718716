//! One program for the tests: `target-host shim`, `target-host pass-listener …`, `target-host edge …`, and `target-host service …` with all the faults
//! that a service can have.

mod listener;
mod service;

use std::process::ExitCode;

/// Has an edge take the place of the one that is there.
const TAKE_OVER: &str = "--take-over";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["shim"] => pilotage_targets::run_shim(),
        ["edge", "--socket", socket, "--state-folder", folder] => edge(socket, folder, false),
        ["edge", "--socket", socket, "--state-folder", folder, TAKE_OVER] => edge(socket, folder, true),
        ["pass-listener", ..] => pilotage_targets::pass_listener(std::env::args_os().skip(2).collect()),
        ["service", faults @ ..] => service::run(faults),
        other => {
            eprintln!("target-host: unknown arguments {other:?}");
            ExitCode::from(64)
        }
    }
}

fn edge(socket: &str, folder: &str, take_over: bool) -> ExitCode {
    let mut config = pilotage_proxy::EdgeConfig::new(socket, folder);
    config.take_over = take_over;
    config.successor =
        ["edge", "--socket", socket, "--state-folder", folder, TAKE_OVER].map(Into::into).to_vec();
    match pilotage_proxy::run(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("target-host edge: {error}");
            ExitCode::FAILURE
        }
    }
}
