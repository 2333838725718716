//! The retry budget: a service that fails everywhere is not to get twice the load.

use std::cell::{Cell, RefCell};
use std::time::Instant;

use crate::Retries;

/// Over how many seconds requests and retries are compared.
const WINDOW_SECONDS: usize = 10;

/// What one worker thread may send again for one route.
///
/// A retry is allowed if, over the last ten seconds, retries stay within the percentage of requests; or if in this second
/// fewer than the floor were sent, so that a route with little traffic can retry at all.
#[derive(Debug)]
pub(crate) struct RetryBudget {
    percent: u64,
    floor: u64,
    began: Instant,
    /// The second that was last written to, counted from the beginning.
    second: Cell<u64>,
    window: RefCell<[Second; WINDOW_SECONDS]>,
}

/// What happened in one second.
#[derive(Debug, Clone, Copy, Default)]
struct Second {
    requests: u64,
    retries: u64,
}

impl RetryBudget {
    pub(crate) fn new(rules: Retries, now: Instant) -> Self {
        Self {
            percent: rules.budget_percent.into(),
            floor: rules.budget_floor.into(),
            began: now,
            second: Cell::new(0),
            window: RefCell::default(),
        }
    }

    /// Counts a request that is sent for the first time.
    pub(crate) fn request(&self, now: Instant) {
        let index = self.advance(now);
        self.window.borrow_mut()[index].requests += 1;
    }

    /// Counts a retry if it may be sent; false if the budget is used up.
    pub(crate) fn retry(&self, now: Instant) -> bool {
        let index = self.advance(now);
        let mut window = self.window.borrow_mut();
        let requests: u64 = window.iter().map(|second| second.requests).sum();
        let retries: u64 = window.iter().map(|second| second.retries).sum();
        let allowed = (retries + 1) * 100 <= requests * self.percent || window[index].retries < self.floor;
        if allowed {
            window[index].retries += 1;
        }
        allowed
    }

    /// The place of this second in the window, after clearing those that have passed since the last.
    fn advance(&self, now: Instant) -> usize {
        let second = now.saturating_duration_since(self.began).as_secs().max(self.second.get());
        let passed = second - self.second.replace(second);
        if passed > 0 {
            let mut window = self.window.borrow_mut();
            for step in 0..passed.min(WINDOW_SECONDS as u64) {
                window[index_of(second - step)] = Second::default();
            }
        }
        index_of(second)
    }
}

fn index_of(second: u64) -> usize {
    // Cannot truncate: the remainder is below the length of the window.
    (second % WINDOW_SECONDS as u64) as usize
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn budget(percent: u32, floor: u32, now: Instant) -> RetryBudget {
        RetryBudget::new(Retries { budget_percent: percent, budget_floor: floor, ..Retries::default() }, now)
    }

    fn allowed(budget: &RetryBudget, tries: usize, now: Instant) -> usize {
        (0..tries).filter(|_| budget.retry(now)).count()
    }

    #[test]
    fn retries_keep_to_their_part_of_the_requests() {
        let now = Instant::now();
        let budget = budget(20, 0, now);
        assert_eq!(allowed(&budget, 10, now), 0);
        (0..100).for_each(|_| budget.request(now));
        assert_eq!(allowed(&budget, 100, now), 20);
        assert_eq!(allowed(&budget, 100, now + Duration::from_secs(9)), 0, "still in the window");
        assert_eq!(allowed(&budget, 100, now + Duration::from_secs(10)), 0, "and so are no requests");
    }

    #[test]
    fn the_floor_is_there_each_second() {
        let now = Instant::now();
        let budget = budget(0, 3, now);
        for second in 0..30 {
            assert_eq!(allowed(&budget, 10, now + Duration::from_secs(second)), 3);
        }
    }

    proptest! {
        #[test]
        fn no_window_has_more_retries_than_its_share_and_floor(
            percent in 0..=100u32,
            floor in 0..5u32,
            steps in proptest::collection::vec((0..2_500u64, 0..30u64, 0..30usize), 1..60),
        ) {
            let began = Instant::now();
            let budget = budget(percent, floor, began);
            let mut at = 0;
            let mut seconds: Vec<(u64, u64)> = Vec::new();
            for (pause_ms, requests, retries) in steps {
                at += pause_ms;
                let now = began + Duration::from_millis(at);
                seconds.resize(at as usize / 1_000 + 1, (0, 0));
                (0..requests).for_each(|_| budget.request(now));
                let second = seconds.last_mut().unwrap();
                second.0 += requests;
                second.1 += allowed(&budget, retries, now) as u64;
            }
            for end in 1..=seconds.len() {
                let window = &seconds[end.saturating_sub(WINDOW_SECONDS)..end];
                // The requests that a retry in this window was measured by reach back one window more.
                let measured = &seconds[end.saturating_sub(2 * WINDOW_SECONDS)..end];
                let retries: u64 = window.iter().map(|second| second.1).sum();
                let requests: u64 = measured.iter().map(|second| second.0).sum();
                let most = requests * u64::from(percent) / 100 + u64::from(floor) * WINDOW_SECONDS as u64;
                prop_assert!(retries <= most, "{retries} of at most {most} in the window that ends with second {end}");
            }
        }
    }
}
