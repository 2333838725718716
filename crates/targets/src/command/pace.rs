//! How often a workload is looked at.

use std::time::Duration;

/// However quiet it is, a workload is looked at this often.
const LONGEST: Duration = Duration::from_secs(15);
/// However often looking has failed, it is tried again this often.
const LONGEST_AFTER_FAILURES: Duration = Duration::from_secs(60);
/// For so long after the last change nothing is called quiet.
const LIVELY_FOR: Duration = Duration::from_secs(30);

/// The time from one look to the next: `interval` while something happens; up to 15 s when nothing has changed for long; twice as
/// long after each look that failed, up to a minute.
pub fn pace(interval: Duration, quiet_for: Duration, failures: u32) -> Duration {
    let calm = interval + quiet_for.saturating_sub(LIVELY_FOR) / 10;
    let calm = calm.min(LONGEST.max(interval));
    let strained = calm.saturating_mul(1 << failures.min(10));
    if failures == 0 { calm } else { strained.min(LONGEST_AFTER_FAILURES.max(interval)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_workloads_and_failing_programs_are_asked_less_often() {
        let seconds = Duration::from_secs;
        assert_eq!(pace(seconds(2), seconds(0), 0), seconds(2));
        assert_eq!(pace(seconds(2), seconds(30), 0), seconds(2));
        assert_eq!(pace(seconds(2), seconds(80), 0), seconds(7));
        assert_eq!(pace(seconds(2), seconds(100_000), 0), seconds(15));
        assert_eq!(pace(seconds(2), seconds(0), 3), seconds(16));
        assert_eq!(pace(seconds(2), seconds(0), u32::MAX), seconds(60));
        assert_eq!(pace(seconds(300), seconds(100_000), 5), seconds(300));
    }
}
