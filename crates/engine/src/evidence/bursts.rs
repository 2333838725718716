//! One client that fails over and over is one failure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Folds a client's failures that follow each other closely into the first of them.
///
/// The tests here take it that failures do not cause each other. A client that tries again does just that, and with
/// sticky routing all its tries meet the same version: at α = 1 % two equal versions are told apart falsely in
/// far more rollouts than one in a hundred if every try is counted, and in fewer if one a burst is. The measured
/// rates are in `docs/judgement.md`.
///
/// What is lost: a version that fails for a single client, without end, counts as one failure. With very few
/// clients an absolute limit on unfolded counts must stand beside the comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bursts {
    gap_micros: u64,
    capacity: usize,
    last: BTreeMap<u64, u64>,
}

impl Bursts {
    /// Failures of one client belong together if no two in a row are further apart than `gap_micros`. At most `capacity`
    /// clients are remembered; when so many fail within one gap, it is no longer one client's burst that is
    /// counted too often, and further clients' failures all count.
    pub const fn new(gap_micros: u64, capacity: usize) -> Self {
        Self { gap_micros, capacity, last: BTreeMap::new() }
    }

    /// Whether a failure begins a burst, and so counts. `client` is any number that stands for one client, such as a
    /// hash of its cookie; `at_micros` may step back, which ends no burst.
    pub fn begins(&mut self, client: u64, at_micros: u64) -> bool {
        if let Some(last) = self.last.get_mut(&client) {
            let begins = at_micros.saturating_sub(*last) > self.gap_micros;
            *last = at_micros.max(*last);
            return begins;
        }
        if self.last.len() >= self.capacity {
            let gap = self.gap_micros;
            self.last.retain(|_, last| at_micros.saturating_sub(*last) <= gap);
        }
        if self.last.len() < self.capacity {
            self.last.insert(client, at_micros);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_in_a_row_are_one_failure() {
        let mut bursts = Bursts::new(10, 100);
        let counted: Vec<bool> = [0, 9, 18, 28, 39, 40].into_iter().map(|at| bursts.begins(1, at)).collect();
        assert_eq!(counted, [true, false, false, false, true, false]);
        assert!(bursts.begins(2, 40), "another client is another failure");
        assert!(!bursts.begins(2, 3), "a clock that steps back ends no burst");
    }

    #[test]
    fn clients_beyond_the_memory_all_count() {
        let mut bursts = Bursts::new(10, 1);
        assert!(bursts.begins(1, 0));
        assert!(bursts.begins(2, 1) && bursts.begins(2, 2));
        assert!(bursts.begins(2, 20) && !bursts.begins(2, 21), "who was quiet is forgotten first");
    }
}
