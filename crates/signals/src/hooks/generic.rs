//! Alerts of anything else, in a form of our own, signed as Standard Webhooks (standardwebhooks.com, specification 1.0) or GitHub
//! (docs.github.com, "Validating webhook deliveries") do.

use std::collections::BTreeMap;

use pilotage_spec::{Alert, Timestamp};
use serde::Deserialize;

use super::encoding::{base64, from_base64, hex};
use super::headers::Headers;
use super::parse::{MalformedDelivery, json};
use super::text;
use super::verify::{Unverified, is_near, one_of, signature};

pub(super) fn verify(
    headers: Headers<'_>,
    body: &[u8],
    secret: &str,
    now: Timestamp,
) -> Result<(), Unverified> {
    // A secret that is meant for Standard Webhooks never proves a signature without a time.
    match (headers.one("webhook-signature"), secret.strip_prefix("whsec_")) {
        (Some(given), key) => standard(headers, given, body, key.unwrap_or(secret), now),
        (None, None) => {
            let given = headers.one("x-hub-signature-256").ok_or(Unverified::Missing)?;
            let right = hex(&signature(secret.as_bytes(), &[body])?);
            one_of(given.trim().strip_prefix("sha256=").into_iter(), &right)
        }
        (None, Some(_)) => Err(Unverified::Missing),
    }
}

/// The signed text is id, time and body with full stops between them; several signatures have spaces between them.
fn standard(
    headers: Headers<'_>,
    given: &str,
    body: &[u8],
    key: &str,
    now: Timestamp,
) -> Result<(), Unverified> {
    let id = headers.one("webhook-id").filter(|id| !id.is_empty()).ok_or(Unverified::Missing)?;
    let seconds = headers.one("webhook-timestamp").ok_or(Unverified::Missing)?;
    is_near(seconds, now)?;
    let key = from_base64(key).filter(|key| !key.is_empty()).ok_or(Unverified::Secret)?;
    let parts: [&[u8]; 5] = [id.as_bytes(), b".", seconds.as_bytes(), b".", body];
    let right = base64(&signature(&key, &parts)?);
    one_of(given.split(' ').filter_map(|part| part.strip_prefix("v1,")), &right)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    alerts: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    #[serde(default)]
    status: Status,
    severity: String,
    summary: String,
    started_at: String,
    #[serde(default)]
    url: Option<String>,
    labels: BTreeMap<String, String>,
}

#[derive(Deserialize, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Status {
    #[default]
    Firing,
    Resolved,
}

pub(super) fn parse(body: &[u8]) -> Result<Vec<Alert>, MalformedDelivery> {
    let message: Message = json(body)?;
    message.alerts.into_iter().map(alert).collect()
}

fn alert(entry: Entry) -> Result<Alert, MalformedDelivery> {
    let wrong = |what: &str| MalformedDelivery::Json(what.to_owned());
    if entry.id.trim().is_empty() {
        return Err(wrong("an alert has no id"));
    }
    let started_at = text::time(&entry.started_at)
        .ok_or_else(|| wrong("`started_at` of an alert is not an RFC 3339 time"))?;
    Ok(Alert {
        key: text::key(&[&entry.id, &entry.started_at]),
        resolved: entry.status == Status::Resolved,
        severity: Some(text::clean(&entry.severity, 40)),
        summary: text::first([Some(&entry.summary)]),
        url: text::url(entry.url),
        started_at: Some(started_at),
        labels: text::labels(entry.labels),
    })
}
