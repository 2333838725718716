//! Traffic that is drawn: how many requests come, how many fail, and how long the others take.

use std::time::Duration;

use thiserror::Error;

use super::read::MOST_REQUESTS;
use crate::forecast::CurrentTraffic;
use crate::judge::{Counts, Side};
use crate::simulate::Random;

/// How much of the stable version's traffic is known before.
const KNOWN_BEFORE: Duration = Duration::from_secs(600);

/// The traffic of a service while nothing goes wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Traffic {
    /// Requests a second, all versions together.
    pub requests_per_second: f64,
    /// The share of the stable version's requests that fail, from 0 to 1.
    pub failed_share: f64,
}

/// Traffic that cannot be.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum TrafficError {
    /// Nothing comes, or less, or more than can be played.
    #[error("{0} requests a second cannot be played; more than 0 and at most {MOST_REQUESTS} can")]
    Rate(f64),
    /// Less than nothing fails, or more than all.
    #[error("a share of {0} cannot fail; it lies between 0 and 1")]
    Share(f64),
}

impl Traffic {
    /// Traffic that can be played.
    ///
    /// # Errors
    /// If the rate is not above zero, or the share does not lie between 0 and 1.
    pub fn new(requests_per_second: f64, failed_share: f64) -> Result<Self, TrafficError> {
        if !(requests_per_second > 0.0 && requests_per_second <= MOST_REQUESTS) {
            return Err(TrafficError::Rate(requests_per_second));
        }
        if !(0.0..=1.0).contains(&failed_share) {
            return Err(TrafficError::Share(failed_share));
        }
        Ok(Self { requests_per_second, failed_share })
    }

    /// The same as a forecast takes it.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative, and far below 2^63"
    )]
    pub fn as_known(&self) -> CurrentTraffic {
        let requests = self.requests_per_second * KNOWN_BEFORE.as_secs_f64();
        let known = Counts { requests: requests as u64, bad: (requests * self.failed_share) as u64 };
        CurrentTraffic { requests_per_second: self.requests_per_second, known }
    }

    /// What is known of the stable version beforehand.
    pub(super) fn before(&self, random: &mut Random) -> Side {
        let usual = Behaviour { failing: self.failed_share, slowness: 1.0 };
        side(self.requests_per_second, KNOWN_BEFORE, usual, random)
    }
}

/// How one version answers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Behaviour {
    /// The share of its requests that fail.
    pub(super) failing: f64,
    /// How many times as long as usual the others take.
    pub(super) slowness: f64,
}

/// How long requests take, in microseconds, with how many of 10,000 take so long: half of them 11 ms or less, one in twenty over
/// 32 ms, one in a hundred around 100 ms or more.
const LATENCIES: [(u32, f64); 12] = [
    (4_000, 500.0),
    (6_000, 1_500.0),
    (8_000, 2_500.0),
    (11_000, 2_200.0),
    (15_000, 1_500.0),
    (22_000, 900.0),
    (32_000, 450.0),
    (47_000, 220.0),
    (68_000, 120.0),
    (100_000, 66.0),
    (150_000, 30.0),
    (230_000, 14.0),
];

/// What so many requests a second come to in this time. Only answers are timed; no client fails twice in a row.
pub(super) fn side(rate: f64, time: Duration, behaviour: Behaviour, random: &mut Random) -> Side {
    let expected = rate * time.as_secs_f64();
    let failed = random.poisson(expected * behaviour.failing);
    let answered = expected * (1.0 - behaviour.failing) / 10_000.0;
    let mut requests = failed;
    let mut latencies = Vec::with_capacity(LATENCIES.len());
    for (micros, of_ten_thousand) in LATENCIES {
        let count = random.poisson(answered * of_ten_thousand);
        requests += count;
        if count > 0 {
            latencies.push((stretched(micros, behaviour.slowness), count));
        }
    }
    Side { requests, failed, failed_clients: failed, latencies }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "times are far below 2^53 microseconds"
)]
fn stretched(micros: u32, slowness: f64) -> u64 {
    (f64::from(micros) * slowness) as u64
}

/// Both together.
pub(super) fn together(mut one: Side, other: Side) -> Side {
    one.requests += other.requests;
    one.failed += other.failed;
    one.failed_clients += other.failed_clients;
    for (micros, count) in other.latencies {
        match one.latencies.binary_search_by_key(&micros, |(at, _)| *at) {
            Ok(index) => one.latencies[index].1 += count,
            Err(index) => one.latencies.insert(index, (micros, count)),
        }
    }
    one
}
