//! The time.

use pilotage_spec::Timestamp;

/// The time of this machine's clock.
pub(crate) fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(since.as_micros().try_into().unwrap_or(i64::MAX))
}
