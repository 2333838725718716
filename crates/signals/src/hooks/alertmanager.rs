//! Alertmanager's webhooks, version 4 (prometheus.io/docs/alerting/latest/configuration, `<webhook_config>`). They are not signed: what
//! proves them is what `http_config` sends along, a bearer token or a password.

use std::collections::BTreeMap;

use constant_time_eq::constant_time_eq;
use pilotage_spec::Alert;
use serde::Deserialize;

use super::encoding::from_base64;
use super::headers::Headers;
use super::parse::{MalformedDelivery, json};
use super::text;
use super::verify::Unverified;

pub(super) fn verify(headers: Headers<'_>, secret: &str) -> Result<(), Unverified> {
    let given = headers.one("authorization").ok_or(Unverified::Missing)?;
    let (scheme, credentials) = given.split_once(' ').ok_or(Unverified::Missing)?;
    let token = match scheme.to_ascii_lowercase().as_str() {
        "bearer" => credentials.trim().as_bytes().to_vec(),
        // RFC 7617: the user's name up to the first colon; it may be any, the password is what counts.
        "basic" => {
            let pair = from_base64(credentials.trim()).ok_or(Unverified::Missing)?;
            let colon = pair.iter().position(|byte| *byte == b':').ok_or(Unverified::Missing)?;
            pair[colon + 1..].to_vec()
        }
        _ => return Err(Unverified::Missing),
    };
    if constant_time_eq(&token, secret.as_bytes()) { Ok(()) } else { Err(Unverified::Wrong) }
}

#[derive(Deserialize)]
struct Message {
    version: String,
    #[serde(flatten)]
    group: Group,
}

/// What Alertmanager and Grafana have in common.
#[derive(Deserialize)]
pub(super) struct Group {
    pub(super) alerts: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    status: Status,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    starts_at: String,
    #[serde(default, rename = "generatorURL")]
    generator_url: Option<String>,
    fingerprint: String,
}

#[derive(Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Status {
    Firing,
    Resolved,
}

pub(super) fn parse(body: &[u8]) -> Result<Vec<Alert>, MalformedDelivery> {
    let message: Message = json(body)?;
    if message.version != "4" {
        let version = text::clean(&message.version, 20);
        return Err(MalformedDelivery::Json(format!("it is of version {version}, not 4")));
    }
    alerts(message.group)
}

pub(super) fn alerts(group: Group) -> Result<Vec<Alert>, MalformedDelivery> {
    group.alerts.into_iter().map(alert).collect()
}

fn alert(entry: Entry) -> Result<Alert, MalformedDelivery> {
    if entry.fingerprint.trim().is_empty() {
        return Err(MalformedDelivery::Json("an alert has no fingerprint".to_owned()));
    }
    let words = [
        entry.annotations.get("summary"),
        entry.annotations.get("description"),
        entry.labels.get("alertname"),
    ];
    Ok(Alert {
        key: text::key(&[&entry.fingerprint, &entry.starts_at]),
        resolved: entry.status == Status::Resolved,
        severity: entry.labels.get("severity").map(|severity| text::clean(severity, 40)),
        summary: text::first(words),
        url: text::url(entry.generator_url),
        started_at: text::time(&entry.starts_at),
        labels: text::labels(entry.labels),
    })
}
