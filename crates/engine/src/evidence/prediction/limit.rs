//! What a limit can see: a test of one version alone.

use super::poisson::poisson;
use crate::evidence::limit_test::{LimitStanding, LimitTest};
use crate::evidence::special::{bisect, number};

/// The number of failures among so many requests from which on the share is certainly above the limit; `None` if there is none.
fn fewest_above(alpha: f64, limit: f64, requests: u64) -> Option<u64> {
    let above = |failed: u64| standing(alpha, limit, requests, failed) == Some(LimitStanding::Above);
    if !above(requests) {
        return None;
    }
    let (mut not, mut is) = (0, requests);
    while is - not > 1 {
        let middle = not.midpoint(is);
        if above(middle) { is = middle } else { not = middle }
    }
    Some(is)
}

/// The number of failures among so many requests up to which the share is certainly below the limit; `None` if there is none.
fn most_below(alpha: f64, limit: f64, requests: u64) -> Option<u64> {
    let below = |failed: u64| standing(alpha, limit, requests, failed) == Some(LimitStanding::Below);
    if !below(0) {
        return None;
    }
    let (mut is, mut not) = (0, requests + 1);
    while not - is > 1 {
        let middle = is.midpoint(not);
        if below(middle) { is = middle } else { not = middle }
    }
    Some(is)
}

/// The smallest share of failures that is found above the limit with this probability, among so many requests; `None` if there is none.
pub fn smallest_share_above(alpha: f64, limit: f64, requests: u64, power: f64) -> Option<f64> {
    let needed = fewest_above(alpha, limit, requests)?;
    let found = |share: f64| at_least(share * number(requests), needed) >= power;
    found(1.0).then(|| bisect(limit, 1.0, |share| !found(share)))
}

/// The probability that a version with this share of failures is certainly below the limit after so many requests.
pub fn power_below(alpha: f64, limit: f64, requests: u64, share: f64) -> f64 {
    let Some(most) = most_below(alpha, limit, requests) else { return 0.0 };
    1.0 - at_least(share * number(requests), most.saturating_add(1))
}

fn standing(alpha: f64, limit: f64, requests: u64, failed: u64) -> Option<LimitStanding> {
    let mut test = LimitTest::new(alpha, limit).ok()?;
    test.observe(requests, failed).ok()?;
    Some(test.standing())
}

/// The probability of so many events where this many are expected.
fn at_least(mean: f64, count: u64) -> f64 {
    let first = usize::try_from(count).unwrap_or(usize::MAX);
    poisson(mean).get(first..).map_or(0.0, |tail| tail.iter().sum::<f64>().min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failure_more_or_less_decides() {
        let (alpha, limit, requests) = (0.01, 0.05, 1_000);
        let above = fewest_above(alpha, limit, requests).unwrap();
        assert_eq!(standing(alpha, limit, requests, above), Some(LimitStanding::Above));
        assert_ne!(standing(alpha, limit, requests, above - 1), Some(LimitStanding::Above));
        let below = most_below(alpha, limit, requests).unwrap();
        assert_eq!(standing(alpha, limit, requests, below), Some(LimitStanding::Below));
        assert_ne!(standing(alpha, limit, requests, below + 1), Some(LimitStanding::Below));
        assert!(below < 50 && 50 < above, "{below} {above}");
    }

    #[test]
    fn nothing_can_be_told_from_few_requests() {
        assert_eq!(most_below(0.01, 0.05, 20), None);
        assert_eq!(fewest_above(0.01, 0.99, 20), None);
        assert_eq!(power_below(0.01, 0.05, 20, 0.0), 0.0);
        assert!(power_below(0.01, 0.05, 1_000, 0.001) > 0.999);
        let share = smallest_share_above(0.01, 0.05, 1_000, 0.8).unwrap();
        assert!((0.06..0.12).contains(&share), "{share}");
    }
}
