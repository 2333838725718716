//! How often somebody may ask.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use pilotage_access::Limiter;
use pilotage_spec::PrincipalName;

use super::origin::Source;
use super::refusal::Refusal;

/// In the long run, a hundred requests a second; several commands that follow something at once take a tenth of that.
const REQUEST_EVERY: Duration = Duration::from_millis(10);
/// After some quiet, so many at once.
const REQUESTS_AT_ONCE: u32 = 400;
/// In the long run, one wrong credential in so long.
const FAILURE_EVERY: Duration = Duration::from_secs(3);
/// After some quiet, so many wrong ones at once.
const FAILURES_AT_ONCE: u32 = 20;

/// How often each may ask. Nothing here is kept over a restart.
pub(super) struct Limits {
    principals: Mutex<Limiter<PrincipalName>>,
    sources: Mutex<Limiter<Source>>,
    failures: Mutex<Limiter<Source>>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            principals: Mutex::new(Limiter::new(REQUEST_EVERY, REQUESTS_AT_ONCE)),
            sources: Mutex::new(Limiter::new(REQUEST_EVERY, REQUESTS_AT_ONCE)),
            failures: Mutex::new(Limiter::new(FAILURE_EVERY, FAILURES_AT_ONCE)),
        }
    }
}

impl Limits {
    /// Counts a request of somebody who is known.
    pub(super) fn known(&self, principal: &PrincipalName, now: Duration) -> Result<(), Refusal> {
        with(&self.principals, |limiter| limiter.take(principal, now))
    }

    /// Counts a request of somebody who is not known.
    pub(super) fn unknown(&self, source: Source, now: Duration) -> Result<(), Refusal> {
        with(&self.sources, |limiter| limiter.take(&source, now))
    }

    /// Whether another credential of this source is looked at. Refused are right ones too: whoever guesses must not be told
    /// which are.
    pub(super) fn may_try(&self, source: Source, now: Duration) -> Result<(), Refusal> {
        with(&self.failures, |limiter| limiter.look(&source, now))
    }

    /// Counts a credential that was wrong.
    pub(super) fn failed(&self, source: Source, now: Duration) -> Result<(), Refusal> {
        with(&self.failures, |limiter| limiter.take(&source, now))
    }
}

fn with<K>(
    limiter: &Mutex<Limiter<K>>,
    ask: impl FnOnce(&mut Limiter<K>) -> Result<(), Duration>,
) -> Result<(), Refusal> {
    // What a panicking holder leaves behind counts one request more or less.
    let mut limiter = limiter.lock().unwrap_or_else(PoisonError::into_inner);
    ask(&mut limiter).map_err(Refusal::too_many)
}
