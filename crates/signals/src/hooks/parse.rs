//! What a delivery says, whoever has sent it.

use pilotage_spec::{Alert, HookKind};
use thiserror::Error;

use super::{alertmanager, generic, grafana, pagerduty, text};

/// The longest body of a delivery, in bytes.
pub const BODY_LIMIT_BYTES: usize = 256 << 10;

/// The most alerts of one delivery.
pub const ALERTS_LIMIT: usize = 100;

/// Why a delivery cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MalformedDelivery {
    /// It is not the JSON that such a hook sends.
    #[error("it is not what this hook sends: {0}")]
    Json(String),
    /// Too many alerts.
    #[error("it has {0} alerts; at most {ALERTS_LIMIT} are read")]
    TooMany(usize),
    /// Too long.
    #[error("it has {0} bytes; at most {BODY_LIMIT_BYTES} are read")]
    TooLong(usize),
}

/// The alerts of a delivery that has been proved; none for a message that is about nothing of ours.
///
/// # Errors
/// Fails if the body is too long, of another form, or has too many alerts.
pub fn parse(kind: HookKind, body: &[u8]) -> Result<Vec<Alert>, MalformedDelivery> {
    if body.len() > BODY_LIMIT_BYTES {
        return Err(MalformedDelivery::TooLong(body.len()));
    }
    let alerts = match kind {
        HookKind::Alertmanager => alertmanager::parse(body),
        HookKind::Pagerduty => pagerduty::parse(body),
        HookKind::Grafana => grafana::parse(body),
        HookKind::Generic => generic::parse(body),
    }?;
    if alerts.len() > ALERTS_LIMIT {
        return Err(MalformedDelivery::TooMany(alerts.len()));
    }
    Ok(alerts.into_iter().map(text::settled).collect())
}

/// Reads JSON; of what is wrong only the place is told, not the text.
pub(super) fn json<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, MalformedDelivery> {
    serde_json::from_slice(body).map_err(|error| {
        let reason = text::clean(&error.to_string(), 200);
        MalformedDelivery::Json(reason)
    })
}
