//! How long to wait before a service is started again.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(30);
/// A service that ran this long is taken for healthy: the next pause is short again.
const HEALTHY_AFTER: Duration = Duration::from_secs(60);

/// A first end after this long is a lapse rather than a fault in starting: nothing is waited for.
const LAPSE_AFTER: Duration = Duration::from_secs(1);

/// No pause after a first lapse; then pauses that double up to 30 s.
#[derive(Debug, Default)]
pub struct Backoff {
    attempts: u32,
}

impl Backoff {
    /// The pause after a service ended that had run for `uptime`. `random` spreads services that ended together: any
    /// value, evenly distributed.
    pub fn next(&mut self, uptime: Duration, random: u8) -> Duration {
        if uptime >= HEALTHY_AFTER {
            self.attempts = 0;
        }
        let lapse = self.attempts == 0 && uptime >= LAPSE_AFTER;
        let pause = if lapse {
            Duration::ZERO
        } else {
            FIRST.saturating_mul(1 << self.attempts.min(16)).min(LONGEST)
        };
        self.attempts += 1;
        // From 80 to 100 percent, so that 30 s is the most.
        pause.mul_f64(0.8 + 0.2 * f64::from(random) / 255.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lapse_is_forgiven_and_pauses_double_to_half_a_minute() {
        let mut backoff = Backoff::default();
        let crash = Duration::from_millis(5);
        let pauses: Vec<u128> = (0..9).map(|_| backoff.next(crash, 255).as_millis()).collect();
        assert_eq!(pauses, [200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000]);
        assert_eq!(backoff.next(Duration::from_secs(60), 0), Duration::ZERO);
        assert_eq!(backoff.next(crash, 0), Duration::from_millis(320));
    }
}
