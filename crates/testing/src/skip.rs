//! What a test does about a missing part.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::thread;

use crate::Part;

/// The environment variable that names a file to which each skipped test adds a line.
pub const SKIPPED_FILE_VARIABLE: &str = "PILOTAGE_TEST_SKIPPED_FILE";

/// The environment variable that, when set, makes a missing part a failure.
pub const NO_SKIP_VARIABLE: &str = "PILOTAGE_TEST_NO_SKIP";

/// Where the part is, or `None` after having said that the test is skipped; the test then returns.
///
/// ```no_run
/// # use pilotage_testing::{Part, need};
/// let Some(nginx) = need("proxy beside nginx", Part::Nginx) else { return };
/// ```
///
/// # Panics
///
/// When the part is missing and nothing may be skipped.
#[must_use]
pub fn need(suite: &str, part: Part) -> Option<PathBuf> {
    let found = part.find();
    if found.is_none() {
        let mend = format!("install the package `{}` or set {}", part.package(), part.variable());
        skip(suite, part.name(), &mend);
    }
    found
}

/// The same for a part that no package of Debian has: a run in which nothing may be skipped goes on without it.
#[must_use]
pub fn want(suite: &str, part: Part) -> Option<PathBuf> {
    let found = part.find();
    if found.is_none() {
        eprintln!("LEFT OUT: {suite}: {part} is missing; set {} to have it", part.variable());
    }
    found
}

/// Says that the test is skipped for want of something.
///
/// # Panics
///
/// When nothing may be skipped.
pub(crate) fn skip(suite: &str, what: &str, mend: &str) {
    assert!(
        std::env::var_os(NO_SKIP_VARIABLE).is_none(),
        "{suite}: {what} is missing and nothing may be skipped; {mend}"
    );
    let thread = thread::current();
    // The test harness names the thread after the test.
    let test = thread.name().unwrap_or("a test");
    let line = format!("SKIPPED: {suite}: {what} is missing ({test})\n");
    eprint!("{line}");
    if let Some(path) = std::env::var_os(SKIPPED_FILE_VARIABLE) {
        let file = OpenOptions::new().create(true).append(true).open(path);
        // One write a line: tests in several processes add to the same file.
        let written = file.and_then(|mut file| file.write_all(line.as_bytes()));
        assert!(written.is_ok(), "cannot note the skipped test in the file of {SKIPPED_FILE_VARIABLE}");
    }
}
