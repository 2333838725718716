//! The rule that most tools go by, for comparison: a share above a limit in so many of the last intervals.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// Takes a candidate back once its share of failures is above a limit in `failing` of the last `intervals` intervals.
///
/// Argo Rollouts' `failureLimit` with `count`, and Flagger's `threshold`, are of this kind. It is here to be compared with,
/// not to be used: it needs a limit that somebody knows beforehand, and a short interval with few requests exceeds any
/// limit by chance. An interval without requests says nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ThresholdRule {
    limit: f64,
    failing: usize,
    intervals: usize,
    last: VecDeque<bool>,
}

impl ThresholdRule {
    /// `limit` is a share from 0 to 1; at least one interval is looked at, and at least one must fail.
    pub fn new(limit: f64, failing: usize, intervals: usize) -> Self {
        Self { limit, failing: failing.max(1), intervals: intervals.max(1), last: VecDeque::new() }
    }

    /// Takes in the candidate's next interval, and says whether the rule takes it back now.
    #[expect(clippy::cast_precision_loss, reason = "shares of counts far below 2^53")]
    pub fn observe(&mut self, requests: u64, failed: u64) -> bool {
        if requests > 0 {
            if self.last.len() == self.intervals {
                self.last.pop_front();
            }
            self.last.push_back(failed as f64 / requests as f64 > self.limit);
        }
        self.last.iter().filter(|above| **above).count() >= self.failing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_of_the_last_intervals() {
        let mut rule = ThresholdRule::new(0.1, 2, 3);
        let said: Vec<bool> = [(10, 2), (10, 1), (0, 0), (10, 0), (10, 9), (10, 9)]
            .map(|(all, failed)| rule.observe(all, failed))
            .into();
        assert_eq!(said, [false, false, false, false, false, true]);
    }
}
