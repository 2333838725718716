//! One program for the tests: `docker-host shim` and `docker-host edge …` on this machine, and `docker-host service …` in
//! containers, with the faults that a service can have.

mod service;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["shim"] => pilotage_targets::run_shim(),
        ["edge", "--socket", socket, "--state-folder", folder] => edge(socket, folder),
        ["service", faults @ ..] => service::run(faults),
        other => {
            eprintln!("docker-host: unknown arguments {other:?}");
            ExitCode::from(64)
        }
    }
}

fn edge(socket: &str, folder: &str) -> ExitCode {
    match pilotage_proxy::run(pilotage_proxy::EdgeConfig::new(socket, folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("docker-host edge: {error}");
            ExitCode::FAILURE
        }
    }
}
