//! How often somebody may ask. The generic cell rate algorithm (ITU-T I.371), which is a token bucket that keeps one time
//! instead of a count.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

/// So many are remembered at once. Beyond that, the one that has been quiet the longest is forgotten.
const REMEMBERED_LIMIT: usize = 4096;

/// Lets everybody ask so often, and a few times at once. Times are since a moment of the caller's choice, and never go back.
#[derive(Debug)]
pub struct Limiter<K> {
    /// One question every so long, in the long run.
    every: Duration,
    /// How far ahead of that somebody may be.
    ahead: Duration,
    /// When each would be on time again.
    due: HashMap<K, Duration>,
}

impl<K: Eq + Hash + Clone> Limiter<K> {
    /// One question `every` so long, and `at_once` of them after some quiet.
    pub fn new(every: Duration, at_once: u32) -> Self {
        Self { every, ahead: every * at_once, due: HashMap::new() }
    }

    /// Counts a question.
    ///
    /// # Errors
    /// Says how long to wait if it comes too early; then it is not counted.
    pub fn take(&mut self, key: &K, now: Duration) -> Result<(), Duration> {
        let due = self.due_after(key, now)?;
        if self.due.len() >= REMEMBERED_LIMIT && !self.due.contains_key(key) {
            self.forget(now);
        }
        self.due.insert(key.clone(), due);
        Ok(())
    }

    /// Whether a question would come in time, without counting one.
    ///
    /// # Errors
    /// Says how long to wait.
    pub fn look(&self, key: &K, now: Duration) -> Result<(), Duration> {
        self.due_after(key, now).map(drop)
    }

    fn due_after(&self, key: &K, now: Duration) -> Result<Duration, Duration> {
        let due = self.due.get(key).copied().unwrap_or_default().max(now) + self.every;
        match due.checked_sub(now + self.ahead) {
            Some(wait) if !wait.is_zero() => Err(wait),
            _ => Ok(due),
        }
    }

    /// Forgets those who are on time again, for whom nothing changes by that; or else the one who will be first.
    fn forget(&mut self, now: Duration) {
        self.due.retain(|_, due| *due > now);
        if self.due.len() >= REMEMBERED_LIMIT {
            let first = self.due.iter().min_by_key(|(_, due)| **due).map(|(key, _)| key.clone());
            first.map(|key| self.due.remove(&key));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn some_may_come_at_once_and_then_one_at_a_time() {
        let mut limiter = Limiter::new(SECOND, 3);
        let now = Duration::from_secs(100);
        for _ in 0..3 {
            assert_eq!(limiter.take(&"a", now), Ok(()));
        }
        assert_eq!(limiter.take(&"a", now), Err(SECOND));
        assert_eq!(limiter.look(&"a", now), Err(SECOND));
        assert_eq!(limiter.take(&"b", now), Ok(()), "each has its own");
        assert_eq!(limiter.take(&"a", now + SECOND), Ok(()), "what was refused is not counted");
        assert_eq!(limiter.take(&"a", now + SECOND), Err(SECOND));
        assert_eq!((0..9).filter(|_| limiter.take(&"a", now + 60 * SECOND).is_ok()).count(), 3);
    }

    #[test]
    fn however_many_ask_memory_is_bounded_and_the_busiest_stays_limited() {
        let mut limiter = Limiter::new(SECOND, 2);
        let now = Duration::from_secs(1);
        for _ in 0..2 {
            limiter.take(&u32::MAX, now).unwrap();
        }
        for key in 0..10_000 {
            limiter.take(&key, now).unwrap();
        }
        assert!(limiter.due.len() <= REMEMBERED_LIMIT);
        assert!(limiter.take(&u32::MAX, now).is_err());
    }
}
