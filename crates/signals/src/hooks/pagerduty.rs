//! PagerDuty's webhooks, version 3 (developer.pagerduty.com, "Webhooks Overview" and "Verifying Webhook Signatures").

use std::collections::BTreeMap;

use pilotage_spec::Alert;
use serde::Deserialize;

use super::encoding::hex;
use super::headers::Headers;
use super::parse::{MalformedDelivery, json};
use super::text;
use super::verify::{Unverified, one_of, signature};

/// Several signatures, with a comma between them, come while a secret is changed.
pub(super) fn verify(headers: Headers<'_>, body: &[u8], secret: &str) -> Result<(), Unverified> {
    let given = headers.one("x-pagerduty-signature").ok_or(Unverified::Missing)?;
    let right = hex(&signature(secret.as_bytes(), &[body])?);
    one_of(given.split(',').filter_map(|part| part.trim().strip_prefix("v1=")), &right)
}

#[derive(Deserialize)]
struct Message {
    event: Event,
}

#[derive(Deserialize)]
struct Event {
    event_type: String,
    occurred_at: String,
    #[serde(default)]
    data: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Incident {
    id: String,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    html_url: Option<String>,
    #[serde(default)]
    urgency: Option<String>,
    #[serde(default)]
    created_at: Option<String>,
    #[serde(default)]
    priority: Option<Reference>,
    #[serde(default)]
    service: Option<Reference>,
}

#[derive(Deserialize)]
struct Reference {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    summary: Option<String>,
}

/// An incident that came, came back, or is over. All other messages are about its handling, and about nothing of ours.
pub(super) fn parse(body: &[u8]) -> Result<Vec<Alert>, MalformedDelivery> {
    let Message { event } = json(body)?;
    let (resolved, again) = match event.event_type.as_str() {
        "incident.triggered" => (false, false),
        "incident.reopened" => (false, true),
        "incident.resolved" => (true, false),
        _ => return Ok(Vec::new()),
    };
    let wrong = |reason: String| MalformedDelivery::Json(text::clean(&reason, 200));
    let data = event.data.ok_or_else(|| wrong("the event has no data".to_owned()))?;
    let incident: Incident = serde_json::from_value(data).map_err(|error| wrong(error.to_string()))?;
    let began = incident.created_at.as_ref().filter(|_| !again).unwrap_or(&event.occurred_at);
    let (service_id, service) =
        incident.service.map_or((None, None), |service| (service.id, service.summary));
    let priority = incident.priority.and_then(|priority| priority.summary);
    let urgency = incident.urgency.clone();
    let labels: BTreeMap<String, String> =
        [("service", service), ("service_id", service_id), ("urgency", urgency), ("priority", priority)]
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)))
            .collect();
    Ok(vec![Alert {
        key: text::key(&[&incident.id, began]),
        resolved,
        // PagerDuty knows two urgencies, and high is the one that wakes people.
        severity: incident.urgency.map(|urgency| match urgency.as_str() {
            "high" => "critical".to_owned(),
            other => text::clean(other, 40),
        }),
        summary: text::first([incident.title.as_ref()]),
        url: text::url(incident.html_url),
        started_at: text::time(began),
        labels: text::labels(labels),
    }])
}
