//! Cut-overs, rollbacks and replacements of the edge under every kind of traffic: how many requests are dropped, and how
//! long each switch takes: from handing over the table to the last request that the edge sent to the version that is left.

#![expect(clippy::expect_used, clippy::panic, reason = "a bench ends where it cannot go on")]

#[path = "../../tests/zero_drop/drill/mod.rs"]
mod drill;
mod figures;

use std::process::ExitCode;

use drill::Size;

const WHOLE: Size = Size { requests: 2_000_000, changes: 200, replacements: 20 };
const QUICK: Size = Size { requests: 50_000, changes: 12, replacements: 2 };

const USAGE: &str = "usage: zero-drop [--quick] [--requests N] [--cut-overs N] [--replacements N]";

fn main() -> ExitCode {
    let Some(size) = size(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(64);
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let drilled = runtime.block_on(drill::run(env!("CARGO_BIN_EXE_pilotage"), &size));
    if figures::print(&size, drilled) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What the command line asks for; `--cut-overs` counts rollbacks too. `None` if it makes no sense.
fn size(mut words: impl Iterator<Item = String>) -> Option<Size> {
    let mut size = WHOLE;
    while let Some(word) = words.next() {
        let mut number = || words.next()?.parse().ok();
        match word.as_str() {
            // Cargo's own.
            "--bench" => {}
            "--quick" => size = QUICK,
            "--requests" => size.requests = number()?,
            "--cut-overs" => size.changes = usize::try_from(number()?).ok()?,
            "--replacements" => size.replacements = usize::try_from(number()?).ok()?,
            _ => return None,
        }
    }
    Some(size)
}
