//! What is counted: requests and failures of two versions, and what was added between two looks.

use serde::{Deserialize, Serialize};

/// Why counts are not taken as evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CountError {
    /// A counter has started again, or two of them were mixed up.
    #[error(
        "a count shrank from {earlier} to {later}: begin a new comparison, for the counter has started again"
    )]
    Shrank {
        /// What was counted at the earlier look.
        earlier: u64,
        /// What was counted at the later look.
        later: u64,
    },
    /// A share above 100 %.
    #[error("{failed} failures among {requests} requests: count every failed request as a request too")]
    MoreFailuresThanRequests {
        /// Requests.
        requests: u64,
        /// Failed ones.
        failed: u64,
    },
}

/// Requests of two versions, and how many of them failed.
///
/// What [`ErrorTest::observe`](super::ErrorTest::observe) is given are requests *since the last look*; the counters of an
/// edge grow from the start, and [`Increment::between`] makes the one from the other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Increment {
    /// Requests to the new version.
    pub candidate_requests: u64,
    /// Requests to the stable version in the same time.
    pub stable_requests: u64,
    /// Of the new version's requests, those that failed.
    pub candidate_failed: u64,
    /// Of the stable version's requests, those that failed.
    pub stable_failed: u64,
}

impl Increment {
    /// What was added between two looks at counters that only grow.
    ///
    /// # Errors
    /// A counter that shrank, or more new failures than new requests.
    pub fn between(earlier: &Self, later: &Self) -> Result<Self, CountError> {
        let grown = |earlier: u64, later: u64| {
            later.checked_sub(earlier).ok_or(CountError::Shrank { earlier, later })
        };
        let increment = Self {
            candidate_requests: grown(earlier.candidate_requests, later.candidate_requests)?,
            stable_requests: grown(earlier.stable_requests, later.stable_requests)?,
            candidate_failed: grown(earlier.candidate_failed, later.candidate_failed)?,
            stable_failed: grown(earlier.stable_failed, later.stable_failed)?,
        };
        increment.checked()
    }

    /// The same, if its failures are among its requests.
    ///
    /// # Errors
    /// More failures than requests on either side.
    pub fn checked(self) -> Result<Self, CountError> {
        let sides =
            [(self.candidate_requests, self.candidate_failed), (self.stable_requests, self.stable_failed)];
        match sides.into_iter().find(|(requests, failed)| failed > requests) {
            Some((requests, failed)) => Err(CountError::MoreFailuresThanRequests { requests, failed }),
            None => Ok(self),
        }
    }

    /// Both versions had requests, so that the one can be compared with the other.
    pub const fn compares(&self) -> bool {
        self.candidate_requests > 0 && self.stable_requests > 0
    }

    /// Failures of both versions.
    pub const fn failed(&self) -> u64 {
        self.candidate_failed.saturating_add(self.stable_failed)
    }

    /// Both together.
    #[must_use]
    pub const fn plus(&self, other: &Self) -> Self {
        Self {
            candidate_requests: self.candidate_requests.saturating_add(other.candidate_requests),
            stable_requests: self.stable_requests.saturating_add(other.stable_requests),
            candidate_failed: self.candidate_failed.saturating_add(other.candidate_failed),
            stable_failed: self.stable_failed.saturating_add(other.stable_failed),
        }
    }
}

/// Puts short looks together until both versions have had some requests.
///
/// A look at one request of a 1 % canary beside nineteen others would take the canary's share for 5 %, and at none it says
/// nothing at all: with little traffic many short looks see less than few long ones. When an increment is
/// complete depends on requests alone, never on failures, so the test stays valid. [`Gathered::take`] what is open when
/// the shares change, and at the end of a watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gathered {
    enough: u64,
    open: Increment,
}

impl Gathered {
    /// So many requests of either version make an increment; more than a few only delay the verdict.
    pub const fn new(enough: u64) -> Self {
        let nothing =
            Increment { candidate_requests: 0, stable_requests: 0, candidate_failed: 0, stable_failed: 0 };
        Self { enough, open: nothing }
    }

    /// Adds a look, and yields an increment once that is complete.
    pub fn add(&mut self, look: &Increment) -> Option<Increment> {
        self.open = self.open.plus(look);
        let complete =
            self.open.candidate_requests >= self.enough && self.open.stable_requests >= self.enough;
        complete.then(|| self.take())
    }

    /// What was gathered so far; nothing is left.
    pub fn take(&mut self) -> Increment {
        std::mem::take(&mut self.open)
    }
}

impl Default for Gathered {
    /// Five requests of either version.
    fn default() -> Self {
        Self::new(5)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EARLIER: Increment =
        Increment { candidate_requests: 10, stable_requests: 100, candidate_failed: 1, stable_failed: 2 };

    #[test]
    fn an_increment_is_the_difference_of_two_looks() {
        let later =
            Increment { candidate_requests: 15, stable_requests: 160, candidate_failed: 1, stable_failed: 5 };
        let increment =
            Increment { candidate_requests: 5, stable_requests: 60, candidate_failed: 0, stable_failed: 3 };
        assert_eq!(Increment::between(&EARLIER, &later), Ok(increment));
    }

    #[test]
    fn a_counter_that_started_again_is_refused() {
        let restarted = Increment { stable_requests: 3, ..EARLIER };
        assert_eq!(
            Increment::between(&EARLIER, &restarted),
            Err(CountError::Shrank { earlier: 100, later: 3 })
        );
    }

    #[test]
    fn a_share_above_all_is_refused() {
        let later = Increment { candidate_failed: 2, ..EARLIER };
        assert_eq!(
            Increment::between(&EARLIER, &later),
            Err(CountError::MoreFailuresThanRequests { requests: 0, failed: 1 })
        );
    }

    #[test]
    fn short_looks_are_put_together_by_their_requests_alone() {
        let mut gathered = Gathered::new(2);
        let look = |candidate| Increment {
            candidate_requests: candidate,
            stable_requests: 9,
            ..Increment::default()
        };
        assert_eq!(gathered.add(&look(1)), None);
        assert_eq!(gathered.add(&look(0)), None);
        let complete = Increment { candidate_requests: 2, stable_requests: 27, ..Increment::default() };
        assert_eq!(gathered.add(&look(1)), Some(complete));
        assert_eq!(gathered.take(), Increment::default());
    }
}
