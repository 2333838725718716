//! One client that fails over and over is one failure.
//!
//! A client that tries again after a failure fails again for the same reason, and a split keeps it at the same version:
//! whoever compares versions must not take its tries for independent ones.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// Failures of one client belong together if no two in a row are further apart.
const GAP: Duration = Duration::from_secs(10);

/// So that workers whose requests fail at the same time seldom wait for each other.
const SHARDS: usize = 16;

/// Clients remembered in each shard: together some 8,000, which is less than half a megabyte. When so many fail within one
/// gap, it is no longer a few who are counted too often.
const MOST_CLIENTS: usize = 512;

/// Failures of one version, counted once for each burst of a client. Touched by requests that have failed, by no others.
#[derive(Debug, Default)]
pub(super) struct Bursts {
    begun: AtomicU64,
    /// Allocated with the first failure of a client that is known.
    clients: OnceLock<Box<Clients>>,
}

/// When clients failed last, by the hash of what they are known by. The hash is keyed, so that nobody can choose to be
/// taken for somebody else.
#[derive(Debug, Default)]
struct Clients {
    hasher: RandomState,
    shards: [Mutex<HashMap<u64, Instant>>; SHARDS],
}

impl Bursts {
    /// A request of this client has failed. One that brought nothing by which it is known is a client of its own.
    pub(super) fn failed(&self, client: Option<&[u8]>, now: Instant) {
        if client.is_none_or(|client| self.clients.get_or_init(Box::default).begins(client, now)) {
            // Whoever reads it finds the failure itself counted too.
            self.begun.fetch_add(1, Ordering::Release);
        }
    }

    /// How many bursts have begun.
    pub(super) fn begun(&self) -> u64 {
        self.begun.load(Ordering::Acquire)
    }
}

impl Clients {
    /// Whether a failure begins a burst.
    fn begins(&self, client: &[u8], now: Instant) -> bool {
        let hash = self.hasher.hash_one(client);
        // Cannot truncate: the remainder is below the number of shards.
        let shard = &self.shards[(hash % SHARDS as u64) as usize];
        let mut last = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = |at: Instant| now.saturating_duration_since(at) > GAP;
        if let Some(at) = last.get_mut(&hash) {
            let begins = is_over(*at);
            *at = now.max(*at);
            return begins;
        }
        if last.len() >= MOST_CLIENTS {
            last.retain(|_, at| !is_over(*at));
        }
        if last.len() < MOST_CLIENTS {
            last.insert(hash, now);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failures(bursts: &Bursts, failures: impl IntoIterator<Item = (Option<u32>, Instant)>) -> u64 {
        let before = bursts.begun();
        for (client, at) in failures {
            bursts.failed(client.map(u32::to_be_bytes).as_ref().map(|id| &id[..]), at);
        }
        bursts.begun() - before
    }

    #[test]
    fn tries_in_a_row_are_one_failure() {
        let (bursts, begun) = (Bursts::default(), Instant::now());
        let at = |seconds| begun + Duration::from_secs(seconds);
        assert_eq!(failures(&bursts, [0, 9, 18, 28].map(|seconds| (Some(1), at(seconds)))), 1);
        assert_eq!(failures(&bursts, [(Some(1), at(39))]), 1, "it was quiet for longer than the gap");
        assert_eq!(failures(&bursts, [(Some(2), at(39)), (Some(2), at(38))]), 1, "another client");
        assert_eq!(failures(&bursts, [(None, at(39)), (None, at(39))]), 2, "nobody knows who they are");
    }

    #[test]
    fn clients_beyond_the_memory_all_count_and_those_who_were_quiet_make_room() {
        const MANY: u32 = 20_000;
        let (bursts, begun) = (Bursts::default(), Instant::now());
        let everybody = |at| (0..MANY).map(move |client| (Some(client), at));
        assert_eq!(failures(&bursts, everybody(begun)), u64::from(MANY));
        let again = failures(&bursts, everybody(begun));
        assert_eq!(again, u64::from(MANY) - (SHARDS * MOST_CLIENTS) as u64, "the others were remembered");
        let later = begun + GAP + Duration::from_secs(1);
        assert_eq!(failures(&bursts, (MANY..MANY + 10).map(|client| (Some(client), later))), 10);
        assert_eq!(failures(&bursts, (MANY..MANY + 10).map(|client| (Some(client), later))), 0);
    }

    #[test]
    fn a_client_that_fails_on_many_threads_at_once_is_one() {
        let (bursts, now) = (Bursts::default(), Instant::now());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..1_000).for_each(|_| bursts.failed(Some(b"alice"), now)));
            }
        });
        assert_eq!(bursts.begun(), 1);
    }
}
