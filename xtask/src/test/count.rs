//! How many tests ended how, read off what the runners print.

use std::fmt;

/// Tests by how they ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    pub passed: u64,
    pub failed: u64,
    /// For want of a part.
    pub skipped: u64,
    /// Marked `#[ignore]`.
    pub ignored: u64,
    /// All of them were built and run.
    pub complete: bool,
}

impl Count {
    /// Reads nextest's `Summary [ 3.573s] 27 tests run: 25 passed (1 slow), 1 failed, 1 timed out, 0 skipped`. A line that
    /// is not a summary yields nothing.
    pub fn from_nextest(line: &str) -> Option<Self> {
        let (head, ends) = line.split_once("run:")?;
        if !head.trim_start().starts_with("Summary") {
            return None;
        }
        let after = |word| number_before(ends, word);
        Some(Self {
            passed: after("passed"),
            failed: after("failed") + after("timed") + after("exec"),
            skipped: 0,
            ignored: after("skipped"),
            complete: true,
        })
    }

    /// Reads cargo's `test result: ok. 5 passed; 0 failed; 1 ignored; …`. Any other line yields nothing.
    pub fn from_libtest(line: &str) -> Option<Self> {
        let ends = line.strip_prefix("test result: ")?;
        let after = |word| number_before(ends, word);
        Some(Self {
            passed: after("passed"),
            failed: after("failed"),
            skipped: 0,
            ignored: after("ignored"),
            complete: true,
        })
    }

    /// Takes in the tests of another run.
    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
        self.ignored += other.ignored;
        self.complete &= other.complete;
    }

    /// Of the tests that passed, so many did nothing for want of a part.
    pub fn skip(&mut self, tests: u64) {
        self.passed = self.passed.saturating_sub(tests);
        self.skipped += tests;
    }
}

/// The number in front of the first such word that follows a number; 0 if there is none.
fn number_before(text: &str, word: &str) -> u64 {
    let words: Vec<&str> =
        text.split([' ', ',', ';', '(', ')', '.']).filter(|word| !word.is_empty()).collect();
    let found = words.windows(2).filter(|pair| pair[1] == word).find_map(|pair| pair[0].parse().ok());
    found.unwrap_or(0)
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(count: Option<Count>) -> (u64, u64, u64) {
        let count = count.unwrap();
        (count.passed, count.failed, count.ignored)
    }

    #[test]
    fn summaries_of_nextest_are_read() {
        let plain = "     Summary [   3.573s] 27 tests run: 27 passed, 0 skipped";
        assert_eq!(ends(Count::from_nextest(plain)), (27, 0, 0));
        let bad = "     Summary [  61.0s] 30/31 tests run: 25 passed (2 slow, 1 flaky), 3 failed, 1 timed out, \
                   1 exec failed, 4 skipped";
        assert_eq!(ends(Count::from_nextest(bad)), (25, 5, 4));
        assert_eq!(Count::from_nextest("    PASS [ 0.1s] a test run: 5 passed"), None);
    }

    #[test]
    fn results_of_cargo_test_are_read() {
        let line = "test result: FAILED. 5 passed; 2 failed; 1 ignored; 0 measured; 9 filtered out; finished in 0.01s";
        assert_eq!(ends(Count::from_libtest(line)), (5, 2, 1));
        assert_eq!(Count::from_libtest("test tests::ok ... ok"), None);
    }

    #[test]
    fn a_skipped_test_is_not_a_passed_one() {
        let mut count = Count { passed: 10, complete: true, ..Count::default() };
        count.skip(2);
        assert_eq!(count.to_string(), "8 passed, 0 failed, 2 skipped");
    }
}
