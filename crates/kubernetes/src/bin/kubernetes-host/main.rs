//! One program for the tests: `kubernetes-host shim` and `kubernetes-host edge …`, as `pilotage` itself has them.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["shim"] => pilotage_targets::run_shim(),
        ["edge", "--socket", socket, "--state-folder", folder] => edge(socket, folder),
        other => {
            eprintln!("kubernetes-host: unknown arguments {other:?}");
            ExitCode::from(64)
        }
    }
}

fn edge(socket: &str, folder: &str) -> ExitCode {
    match pilotage_proxy::run(pilotage_proxy::EdgeConfig::new(socket, folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kubernetes-host edge: {error}");
            ExitCode::FAILURE
        }
    }
}
