//! Grafana's webhooks: the form of Alertmanager's with more fields, signed by HMAC where a secret is set
//! (grafana.com/docs, "Configure webhook notifications", section on HMAC). The signature is bare hexadecimal, over the body, or over the
//! time, a colon and the body where a header for the time is set.

use pilotage_spec::{Alert, Timestamp};

use super::alertmanager::{self, Group};
use super::encoding::hex;
use super::headers::Headers;
use super::parse::{MalformedDelivery, json};
use super::verify::{Unverified, is_near, one_of, signature};

const SIGNATURE: &str = "x-grafana-alerting-signature";
/// The name that the documentation of this hook asks for: Grafana has no default.
const TIME: &str = "x-grafana-alerting-signature-timestamp";

pub(super) fn verify(
    headers: Headers<'_>,
    body: &[u8],
    secret: &str,
    now: Timestamp,
) -> Result<(), Unverified> {
    let given = headers.one(SIGNATURE).ok_or(Unverified::Missing)?;
    let right = match headers.one(TIME) {
        Some(seconds) => {
            is_near(seconds, now)?;
            signature(secret.as_bytes(), &[seconds.as_bytes(), b":", body])?
        }
        None => signature(secret.as_bytes(), &[body])?,
    };
    one_of(std::iter::once(given.trim()), &hex(&right))
}

pub(super) fn parse(body: &[u8]) -> Result<Vec<Alert>, MalformedDelivery> {
    alertmanager::alerts(json::<Group>(body)?)
}
