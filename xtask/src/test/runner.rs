//! Runs the tests by nextest where it is installed, else by cargo, and counts.

use std::path::Path;
use std::process::Command;

use pilotage_testing::{NO_SKIP_VARIABLE, Part, SKIPPED_FILE_VARIABLE};

use super::count::Count;
use crate::process::{Output, TaskError, cargo, run_by_line, succeeds};

/// How tests are run.
#[derive(Debug)]
pub struct Runner<'a> {
    /// A missing part is a failure.
    pub no_skip: bool,
    /// Only tests whose name contains this.
    pub filter: Option<&'a str>,
    /// Where skipped tests say so.
    pub skipped_file: &'a Path,
}

/// What nextest exits with when the filter fits no test, and when tests failed.
const NEXTEST_NO_TESTS: i32 = 4;
const NEXTEST_FAILED: i32 = 100;
/// What `cargo test` exits with when tests failed.
const CARGO_FAILED: i32 = 101;

impl Runner<'_> {
    /// All tests but those in documentation.
    pub fn tests(&self) -> Result<Count, TaskError> {
        if !succeeds(cargo().args(["nextest", "--version"])) {
            return self.cargo_test(&["--tests"]);
        }
        let threads = std::thread::available_parallelism().map_or(4, |cores| 2 * cores.get());
        let words = ["nextest", "run", "--workspace", "--no-fail-fast", "--profile", "all", "--test-threads"];
        let mut command = self.prepared(&words);
        command.arg(threads.to_string());
        command.args(self.filter);
        let mut counted = None;
        let status = run_by_line(&mut command, Output::Error, |line| {
            eprintln!("{line}");
            counted = counted.or(Count::from_nextest(line));
        })?;
        let mut count = counted.unwrap_or_default();
        count.complete = match status.code() {
            Some(0 | NEXTEST_FAILED) => counted.is_some(),
            Some(NEXTEST_NO_TESTS) => self.filter.is_some(),
            _ => false,
        };
        if self.filter.is_some() {
            // With a filter, nextest means the tests that do not fit it.
            count.ignored = 0;
        }
        Ok(count)
    }

    /// The examples in documentation, which nextest does not run.
    pub fn documentation(&self) -> Result<Count, TaskError> {
        self.cargo_test(&["--doc"])
    }

    fn cargo_test(&self, which: &[&str]) -> Result<Count, TaskError> {
        let mut command = self.prepared(&["test", "--workspace", "--no-fail-fast"]);
        command.args(which).args(self.filter);
        let mut count = Count { complete: true, ..Count::default() };
        let status = run_by_line(&mut command, Output::Standard, |line| {
            println!("{line}");
            count.add(Count::from_libtest(line).unwrap_or(Count { complete: true, ..Count::default() }));
        })?;
        // A failure without a failed test is one of the compiler.
        count.complete = match status.code() {
            Some(0) => true,
            Some(CARGO_FAILED) => count.failed > 0,
            _ => false,
        };
        Ok(count)
    }

    fn prepared(&self, words: &[&str]) -> Command {
        let mut command = cargo();
        command.args(words).env(SKIPPED_FILE_VARIABLE, self.skipped_file);
        if self.no_skip {
            command.env(NO_SKIP_VARIABLE, "1");
        }
        for part in Part::FOR_TESTS {
            if let Some(path) = part.find() {
                command.env(part.variable(), path);
            }
        }
        command
    }
}
