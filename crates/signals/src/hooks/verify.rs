//! Whether a delivery comes from whom it should, over the bytes as they came.

use std::time::Duration;

use constant_time_eq::constant_time_eq;
use hmac::{Hmac, KeyInit, Mac};
use pilotage_spec::{HookKind, Timestamp};
use sha2::Sha256;
use thiserror::Error;

use super::headers::Headers;
use super::{alertmanager, generic, grafana, pagerduty};

/// How far the time of a signed delivery may be from ours, either way (Standard Webhooks, "Verifying timestamp").
pub const TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// Why a delivery is not believed. No reason tells anything of the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unverified {
    /// There is no signature or token, or it is not written as it should be.
    #[error("it is not signed as this hook's deliveries are")]
    Missing,
    /// There is one, and it is another.
    #[error("its signature or token is wrong")]
    Wrong,
    /// It is signed, and too old or from the future.
    #[error("its time is more than {} minutes from ours", TOLERANCE.as_secs() / 60)]
    Stale,
    /// The secret is empty, or not what such a hook needs.
    #[error("the hook's secret cannot be used")]
    Secret,
}

/// Proves a delivery with the hook's secret.
///
/// # Errors
/// Says why it is not believed; nothing of it must be used then.
pub fn verify(
    kind: HookKind,
    headers: Headers<'_>,
    body: &[u8],
    secret: &str,
    now: Timestamp,
) -> Result<(), Unverified> {
    if secret.trim().is_empty() {
        return Err(Unverified::Secret);
    }
    match kind {
        HookKind::Alertmanager => alertmanager::verify(headers, secret),
        HookKind::Pagerduty => pagerduty::verify(headers, body, secret),
        HookKind::Grafana => grafana::verify(headers, body, secret, now),
        HookKind::Generic => generic::verify(headers, body, secret, now),
    }
}

/// HMAC with SHA-256 (RFC 2104) over parts that follow one another.
pub(super) fn signature(secret: &[u8], parts: &[&[u8]]) -> Result<Vec<u8>, Unverified> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).map_err(|_| Unverified::Secret)?;
    parts.iter().for_each(|part| mac.update(part));
    Ok(mac.finalize().into_bytes().to_vec())
}

/// Whether one of the signatures is the right one; how long that takes tells nothing of where they differ.
pub(super) fn one_of<'a>(given: impl Iterator<Item = &'a str>, right: &str) -> Result<(), Unverified> {
    /// More signatures than a source has while its secret is changed.
    const LIMIT: usize = 16;
    let mut found = None;
    for signature in given.take(LIMIT) {
        let equal = constant_time_eq(signature.as_bytes(), right.as_bytes());
        found = Some(found.unwrap_or(false) | equal);
    }
    match found {
        Some(true) => Ok(()),
        Some(false) => Err(Unverified::Wrong),
        None => Err(Unverified::Missing),
    }
}

/// Whether a time in whole seconds since 1970, as it stands in a header, is near ours.
pub(super) fn is_near(seconds: &str, now: Timestamp) -> Result<(), Unverified> {
    let digits = !seconds.is_empty() && seconds.bytes().all(|byte| byte.is_ascii_digit());
    let seconds: i64 = seconds.parse().ok().filter(|_| digits).ok_or(Unverified::Missing)?;
    let at = Timestamp::from_micros(seconds.saturating_mul(1_000_000));
    let apart = at.since(now).max(now.since(at));
    if apart > TOLERANCE { Err(Unverified::Stale) } else { Ok(()) }
}
