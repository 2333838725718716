//! Counters of a goal that somebody else keeps: from answers to what was added between them.

use serde::{Deserialize, Serialize};

use super::Known;
use super::words::{count, counted};
use crate::evidence::Increment;

/// From here on a number of this kind no longer tells one unit from the next.
const MOST: f64 = 9_007_199_254_740_992.0;

/// What a server has counted of one version so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoalCounts {
    /// Units, such as visits.
    pub units: u64,
    /// Of these, successes, such as orders.
    pub successes: u64,
}

/// What it has counted of both versions at one time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoalReading {
    /// The new version's.
    pub candidate: GoalCounts,
    /// The stable version's.
    pub stable: GoalCounts,
}

/// Why nothing is learnt from an answer.
#[derive(Debug)]
enum Unusable {
    /// A counter has begun again. Of a sum over instances it is not known how much of it was there before, so that what is counted
    /// begins anew with this answer.
    Shrank,
    /// What cannot be, in words; the next answer may make it good.
    Impossible(String),
}

/// The counters as they were last taken in.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Counters {
    last: Option<GoalReading>,
    unknown: Option<String>,
}

impl GoalCounts {
    /// Takes numbers as a server answers them. Parts of a unit are left out.
    ///
    /// # Errors
    /// A number that no counter can have, in words.
    pub fn of(units: f64, successes: f64) -> Result<Self, String> {
        Ok(Self { units: whole("units", units)?, successes: whole("successes", successes)? })
    }

    /// What was added since an earlier answer.
    fn since(self, earlier: Self) -> Result<Self, Unusable> {
        let added = Self {
            units: self.units.checked_sub(earlier.units).ok_or(Unusable::Shrank)?,
            successes: self.successes.checked_sub(earlier.successes).ok_or(Unusable::Shrank)?,
        };
        if added.successes <= added.units {
            return Ok(added);
        }
        let plural = if added.successes == 1 { "success" } else { "successes" };
        let units = counted(added.units, "unit");
        Err(Unusable::Impossible(format!("{} {plural} among {units} were added", count(added.successes))))
    }
}

impl Counters {
    /// What was added since the last answer that was good; nothing at the first one, and at the first one after a counter has begun
    /// again. An answer that cannot be is left out, and what it was about is in the next one.
    pub fn take(&mut self, answer: &Known<GoalReading>) -> Option<Increment> {
        let reading = match answer {
            Known::NotAsked => return None,
            Known::Unknown(reason) => {
                self.unknown = Some(reason.clone());
                return None;
            }
            Known::Value(reading) => reading,
        };
        let Some(last) = self.last else {
            (self.last, self.unknown) = (Some(*reading), None);
            return None;
        };
        match (reading.candidate.since(last.candidate), reading.stable.since(last.stable)) {
            (Ok(candidate), Ok(stable)) => {
                (self.last, self.unknown) = (Some(*reading), None);
                Some(Increment {
                    candidate_requests: candidate.units,
                    stable_requests: stable.units,
                    candidate_failed: candidate.successes,
                    stable_failed: stable.successes,
                })
            }
            (Err(Unusable::Impossible(reason)), _) | (_, Err(Unusable::Impossible(reason))) => {
                self.unknown = Some(reason);
                None
            }
            (Err(Unusable::Shrank), _) | (_, Err(Unusable::Shrank)) => {
                (self.last, self.unknown) = (Some(*reading), Some("a counter has begun again".to_owned()));
                None
            }
        }
    }

    /// What comes now is counted anew.
    pub fn restart(&mut self) {
        self.last = None;
    }

    /// Why the last answer could not be used, if it could not.
    pub fn unknown(&self) -> Option<&str> {
        self.unknown.as_deref()
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked just before")]
fn whole(what: &str, number: f64) -> Result<u64, String> {
    if number.is_finite() && (0.0..MOST).contains(&number) {
        return Ok(number as u64);
    }
    Err(format!("{number} is no number of {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(candidate: (u64, u64), stable: (u64, u64)) -> Known<GoalReading> {
        let counts = |(units, successes)| GoalCounts { units, successes };
        Known::Value(GoalReading { candidate: counts(candidate), stable: counts(stable) })
    }

    fn added(candidate: (u64, u64), stable: (u64, u64)) -> Option<Increment> {
        Some(Increment {
            candidate_requests: candidate.0,
            stable_requests: stable.0,
            candidate_failed: candidate.1,
            stable_failed: stable.1,
        })
    }

    #[test]
    fn what_is_between_two_answers_counts_and_the_same_answer_again_adds_nothing() {
        let mut counters = Counters::default();
        assert_eq!(counters.take(&answer((10, 1), (900, 90))), None, "whatever was before");
        assert_eq!(counters.take(&answer((15, 2), (1_000, 99))), added((5, 1), (100, 9)));
        assert_eq!(counters.take(&answer((15, 2), (1_000, 99))), added((0, 0), (0, 0)));
    }

    #[test]
    fn a_counter_that_has_begun_again_is_counted_from_where_it_is() {
        let mut counters = Counters::default();
        counters.take(&answer((50, 9), (3_000, 300)));
        assert_eq!(counters.take(&answer((60, 9), (2_000, 200))), None, "one of three instances began again");
        assert_eq!(counters.unknown(), Some("a counter has begun again"));
        assert_eq!(counters.take(&answer((67, 11), (2_010, 201))), added((7, 2), (10, 1)));
        assert_eq!(counters.unknown(), None);
    }

    #[test]
    fn what_cannot_be_is_left_out_and_made_up_for_by_the_next_answer() {
        let mut counters = Counters::default();
        counters.take(&answer((10, 1), (10, 1)));
        assert_eq!(counters.take(&answer((11, 3), (20, 2))), None);
        assert_eq!(counters.unknown(), Some("2 successes among 1 unit were added"));
        assert_eq!(counters.take(&Known::Unknown("connection refused".to_owned())), None);
        assert_eq!(counters.unknown(), Some("connection refused"));
        assert_eq!(counters.take(&answer((20, 3), (30, 3))), added((10, 2), (20, 2)));
        assert_eq!(counters.unknown(), None);
    }

    #[test]
    fn numbers_that_no_counter_has_are_refused() {
        assert_eq!(GoalCounts::of(10.9, 2.0), Ok(GoalCounts { units: 10, successes: 2 }));
        for number in [f64::NAN, f64::INFINITY, -1.0, 1e300] {
            let words = GoalCounts::of(number, 0.0).unwrap_err();
            assert!(words.ends_with("is no number of units"), "{words}");
            assert!(GoalCounts::of(1.0, number).is_err());
        }
    }
}
