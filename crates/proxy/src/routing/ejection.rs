//! When an instance is left out for a while.

use std::time::{Duration, Instant};

use crate::Ejection;

/// An instance that cannot be connected to is left out for so long, twice as long each further time.
const FIRST_UNREACHABLE: Duration = Duration::from_millis(100);
const LONGEST_UNREACHABLE: Duration = Duration::from_secs(5);

/// The pause for failures grows up to so many times the first.
const LONGEST_FACTOR: u32 = 100;

/// When instances of a route are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EjectionRules {
    consecutive_failures: u32,
    pause: Duration,
    floor_percent: u32,
}

/// The instances of one version now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Siblings {
    /// All of them.
    pub(crate) all: usize,
    /// Those that are left out.
    pub(crate) out: usize,
}

/// How one instance has done lately.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Health {
    /// Failed requests since the last good one.
    failures: u32,
    /// How often it was left out since the last good request.
    pauses: u32,
    out_until: Option<Instant>,
}

impl EjectionRules {
    pub(super) fn new(ejection: Ejection) -> Self {
        Self {
            consecutive_failures: ejection.consecutive_failures,
            pause: Duration::from_millis(ejection.pause_ms),
            floor_percent: ejection.floor_percent,
        }
    }

    /// Whether one more instance may be left out for failing.
    fn spares_one(&self, siblings: Siblings) -> bool {
        let staying = siblings.all.saturating_sub(siblings.out + 1) as u64;
        staying * 100 >= siblings.all as u64 * u64::from(self.floor_percent) && siblings.all > siblings.out
    }

    fn pause_after(&self, pauses: u32) -> Duration {
        self.pause.saturating_mul(1u32.checked_shl(pauses).unwrap_or(LONGEST_FACTOR).min(LONGEST_FACTOR))
    }
}

impl Health {
    pub(crate) fn is_out(&self, now: Instant) -> bool {
        self.out_until.is_some_and(|until| now < until)
    }

    /// It answered, and not with a failure: whatever was before is forgotten.
    pub(crate) fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// It took a request and failed: status 502 to 504, a broken connection, no answer in time. True if it is left out
    /// from now on.
    ///
    /// After a pause it is on probation: the first failure leaves it out again.
    pub(crate) fn failed(&mut self, rules: &EjectionRules, siblings: Siblings, now: Instant) -> bool {
        if rules.consecutive_failures == 0 || self.is_out(now) {
            // The failures of requests that were on their way already say nothing new.
            return false;
        }
        self.failures = self.failures.saturating_add(1);
        if self.failures < rules.consecutive_failures || !rules.spares_one(siblings) {
            return false;
        }
        self.leave_out(rules.pause_after(self.pauses), now);
        true
    }

    /// It could not be connected to, which leaves it out whatever the rules say. True if it was in until now.
    pub(crate) fn unreachable(&mut self, now: Instant) -> bool {
        if self.is_out(now) {
            return false;
        }
        let factor = 1u32.checked_shl(self.pauses).unwrap_or(u32::MAX);
        self.leave_out(FIRST_UNREACHABLE.saturating_mul(factor).min(LONGEST_UNREACHABLE), now);
        true
    }

    fn leave_out(&mut self, pause: Duration, now: Instant) {
        self.pauses = self.pauses.saturating_add(1);
        self.out_until = now.checked_add(pause);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn rules() -> EjectionRules {
        EjectionRules::new(Ejection { consecutive_failures: 3, pause_ms: 1_000, floor_percent: 50 })
    }

    fn all_in(all: usize) -> Siblings {
        Siblings { all, out: 0 }
    }

    #[test]
    fn failures_in_a_row_leave_an_instance_out_for_the_pause() {
        let now = Instant::now();
        let mut health = Health::default();
        assert!(!health.failed(&rules(), all_in(4), now) && !health.failed(&rules(), all_in(4), now));
        health.succeeded();
        assert!(!health.failed(&rules(), all_in(4), now) && !health.failed(&rules(), all_in(4), now));
        assert!(!health.is_out(now));
        assert!(health.failed(&rules(), all_in(4), now));
        assert!(health.is_out(now + SECOND / 2) && !health.is_out(now + SECOND));
    }

    #[test]
    fn pauses_double_up_to_a_hundredfold_until_it_does_well() {
        let mut now = Instant::now();
        let mut health = Health::default();
        let mut pauses = Vec::new();
        for _ in 0..40 {
            while !health.failed(&rules(), all_in(4), now) {}
            let until = health.out_until.unwrap();
            pauses.push((until - now).as_secs());
            now = until;
        }
        assert_eq!(pauses[..9], [1, 2, 4, 8, 16, 32, 64, 100, 100]);
        assert_eq!(pauses[39], 100);
        health.succeeded();
        while !health.failed(&rules(), all_in(4), now) {}
        assert_eq!(health.out_until, Some(now + SECOND));
    }

    #[test]
    fn after_a_pause_one_failure_is_enough() {
        let now = Instant::now();
        let mut health = Health::default();
        while !health.failed(&rules(), all_in(4), now) {}
        assert!(!health.failed(&rules(), all_in(4), now), "it is out already");
        assert!(health.failed(&rules(), all_in(4), now + SECOND));
    }

    #[test]
    fn one_that_cannot_be_connected_to_is_left_out_whatever_the_rules() {
        let mut now = Instant::now();
        let mut health = Health::default();
        let mut pauses = Vec::new();
        for _ in 0..40 {
            assert!(health.unreachable(now) && !health.unreachable(now));
            let until = health.out_until.unwrap();
            pauses.push((until - now).as_millis());
            now = until;
        }
        assert_eq!(pauses[..8], [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
        assert_eq!(pauses[39], 5_000);
    }

    #[test]
    fn never_means_never() {
        let never = EjectionRules::new(Ejection { consecutive_failures: 0, ..Ejection::default() });
        let mut health = Health::default();
        assert!((0..100).all(|_| !health.failed(&never, all_in(4), Instant::now())));
    }

    proptest! {
        #[test]
        fn the_floor_stays_in(all in 0..40usize, floor_percent in 0..=100u32) {
            let rules = EjectionRules::new(Ejection { consecutive_failures: 1, pause_ms: 1, floor_percent });
            let now = Instant::now();
            let mut out = 0;
            for _ in 0..all + 2 {
                if Health::default().failed(&rules, Siblings { all, out }, now) {
                    out += 1;
                }
            }
            prop_assert!((all - out) * 100 >= all * floor_percent as usize, "{out} of {all}");
            // One more would have been too many.
            prop_assert!(out == all || (all - out - 1) * 100 < all * floor_percent as usize, "{out} of {all}");
        }
    }
}
