//! Requests of two versions that come by themselves, some of which fail, in bursts if wanted.

use pilotage_engine::evidence::Increment;

use pilotage_engine::simulate::Random;

/// What one version does.
#[derive(Clone, Copy)]
pub struct Version {
    /// Requests a second, those that are tried again left out.
    pub requests_per_second: f64,
    /// The share of them that fail.
    pub failed_share: f64,
}

/// Requests, failed requests, and failures with one a burst.
#[derive(Clone, Copy, Default)]
pub struct Seen {
    pub requests: u64,
    pub failed: u64,
    pub bursts: u64,
}

impl Version {
    /// What is seen in so many seconds. A client that fails tries again at once: `burst` requests fail in the mean, and
    /// the failures altogether are as many as without bursts.
    pub fn seen(&self, seconds: f64, burst: f64, draws: &mut Random) -> Seen {
        let requests = self.requests_per_second * seconds;
        let bursts = draws.poisson(requests * self.failed_share / burst);
        let failed: u64 = if burst > 1.0 { (0..bursts).map(|_| length(burst, draws)).sum() } else { bursts };
        Seen { requests: failed + draws.poisson(requests * (1.0 - self.failed_share)), failed, bursts }
    }
}

/// The length of a burst: geometric, one at least.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small whole number")]
fn length(mean: f64, draws: &mut Random) -> u64 {
    1 + (draws.share().ln() / (1.0 - 1.0 / mean).ln()).floor() as u64
}

/// The candidate and the stable version under one share of the requests.
pub fn versions(requests_per_second: f64, share: f64, failed_share: f64, risk: f64) -> [Version; 2] {
    [
        Version {
            requests_per_second: requests_per_second * share,
            failed_share: (failed_share * risk).min(1.0),
        },
        Version { requests_per_second: requests_per_second * (1.0 - share), failed_share },
    ]
}

/// What a test is given.
pub const fn increment(candidate: (u64, u64), stable: (u64, u64)) -> Increment {
    Increment {
        candidate_requests: candidate.0,
        candidate_failed: candidate.1,
        stable_requests: stable.0,
        stable_failed: stable.1,
    }
}
