//! `cargo xtask test`: all tests with the real programs they need, and one plain line at the end.

mod count;
mod engines;
mod runner;

use std::collections::BTreeSet;
use std::path::PathBuf;

use pilotage_testing::Part;

use crate::parts;
use crate::process::{TaskError, root};
use count::Count;
use engines::Engines;
use runner::Runner;

const USAGE: &str = "usage: cargo xtask test [--no-skip] [FILTER]";

/// Runs all tests, or those whose name contains the filter.
pub fn run(words: &[&str]) -> Result<(), TaskError> {
    let (flags, filters): (Vec<&str>, Vec<&str>) = words.iter().partition(|word| word.starts_with('-'));
    if flags.iter().any(|flag| *flag != "--no-skip") || filters.len() > 1 {
        return Err(TaskError::Usage(USAGE));
    }
    let no_skip = !flags.is_empty();
    let missing = parts::provide(&Part::FOR_TESTS);
    for part in &missing {
        println!("missing: {part} (package `{}`, or set {})", part.package(), part.variable());
    }
    let filter = filters.first().copied();
    // For a few tests, those that are up have to do.
    let engines = if filter.is_none() || no_skip { Engines::bring_up() } else { Engines::default() };
    let missing: Vec<&str> =
        missing.iter().map(|part| part.name()).chain(engines.missing.iter().copied()).collect();
    let counted = count(no_skip, filter);
    engines.take_down();
    verdict(counted?, no_skip, &missing)
}

/// Runs the tests and counts them.
fn count(no_skip: bool, filter: Option<&str>) -> Result<Count, TaskError> {
    let skips = SkippedFile::new()?;
    let runner = Runner { no_skip, filter, skipped_file: &skips.0 };
    let mut count = runner.tests()?;
    if runner.filter.is_none() {
        count.add(runner.documentation()?);
    }
    let skipped = skips.lines()?;
    skipped.iter().for_each(|line| println!("{line}"));
    count.skip(skipped.len() as u64);
    Ok(count)
}

fn verdict(count: Count, no_skip: bool, missing: &[&str]) -> Result<(), TaskError> {
    if no_skip && !missing.is_empty() {
        println!("nothing may be skipped, and {} of the parts are missing", missing.len());
    }
    if count.ignored > 0 {
        println!("{} more are marked as not to be run with the others", count.ignored);
    }
    let failed =
        count.failed > 0 || !count.complete || (no_skip && (!missing.is_empty() || count.skipped > 0));
    if !count.complete {
        println!("not all tests could be built or run; see above");
    }
    println!("{count}");
    if failed { Err(TaskError::Tests) } else { Ok(()) }
}

/// The file to which skipped tests add a line.
struct SkippedFile(PathBuf);

impl SkippedFile {
    fn new() -> Result<Self, TaskError> {
        let path = root().join("target").join(format!("skipped-tests-{}.txt", std::process::id()));
        std::fs::create_dir_all(root().join("target"))
            .and_then(|()| std::fs::write(&path, ""))
            .map_err(|source| TaskError::File { path: path.clone(), source })?;
        Ok(Self(path))
    }

    /// One line a skipped test; a test that needs two missing parts says so twice, or was retried.
    fn lines(&self) -> Result<BTreeSet<String>, TaskError> {
        let text = std::fs::read_to_string(&self.0)
            .map_err(|source| TaskError::File { path: self.0.clone(), source })?;
        Ok(text.lines().map(str::to_owned).collect())
    }
}

impl Drop for SkippedFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
