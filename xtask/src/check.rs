//! `cargo xtask check`: everything that needs no test to run.

use crate::layers;
use crate::process::{self, TaskError, cargo, succeeds};

/// Formatting, lints, licences and sources, layers; the first that fails ends the check.
pub fn run() -> Result<(), TaskError> {
    process::run(cargo().args(["fmt", "--all", "--check"]))?;
    process::run(cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    if !succeeds(cargo().args(["deny", "--version"])) {
        let message = "cargo-deny is missing; install it with `cargo install cargo-deny --locked`";
        return Err(TaskError::Failed(message.to_owned()));
    }
    process::run(cargo().args(["deny", "--all-features", "check", "bans", "licenses", "sources"]))?;
    layers::run()
}
