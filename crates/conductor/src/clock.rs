//! Steps of the clock on the wall: a watch must not end early because somebody has set it.

use std::time::{Duration, Instant};

use pilotage_spec::Timestamp;

/// A clock that is off by less is being put right bit by bit, which no watch notices.
const STEP: Duration = Duration::from_secs(1);

/// What both clocks said last.
#[derive(Debug)]
pub(crate) struct Clock {
    wall: Timestamp,
    steady: Instant,
}

impl Clock {
    pub(crate) fn new(wall: Timestamp, steady: Instant) -> Self {
        Self { wall, steady }
    }

    /// By how many microseconds the clock on the wall has been set since the last call, beside a clock that nobody can set; `None` if it
    /// has not.
    pub(crate) fn step(&mut self, wall: Timestamp, steady: Instant) -> Option<i64> {
        let expected = self.wall.plus(steady.saturating_duration_since(self.steady));
        *self = Self { wall, steady };
        let by = wall.as_micros().saturating_sub(expected.as_micros());
        (u128::from(by.unsigned_abs()) >= STEP.as_micros()).then_some(by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_steps_are_told() {
        let (wall, steady) = (Timestamp::from_micros(1_000_000_000), Instant::now());
        let mut clock = Clock::new(wall, steady);
        let later = |seconds| steady + Duration::from_secs(seconds);
        assert_eq!(clock.step(Timestamp::from_micros(1_010_000_000), later(10)), None);
        assert_eq!(clock.step(Timestamp::from_micros(1_020_400_000), later(20)), None, "it drifts a little");
        assert_eq!(clock.step(Timestamp::from_micros(4_630_400_000), later(30)), Some(3_600_000_000));
        assert_eq!(clock.step(Timestamp::from_micros(1_040_400_000), later(40)), Some(-3_600_000_000));
        assert_eq!(clock.step(Timestamp::from_micros(1_050_400_000), later(50)), None);
    }
}
