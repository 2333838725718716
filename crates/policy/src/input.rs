//! What a condition can ask about: a small document of its own, whose fields stay when those of the program change.
//!
//! A field that is `null` is known to be nothing: no ticket, no version before this one. A field that is not known is not
//! there at all, so that a condition which needs it is an error, and thereby a refusal.

use pilotage_spec::{Identity, PrincipalKind, PrincipalName, RoleName, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The version of the document. Fields may be added within one; none is taken away or changes its meaning.
pub const INPUT_FORMAT: u32 = 1;

/// The document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// See [`INPUT_FORMAT`].
    pub format: u32,
    /// What is to be done.
    pub plan: Plan,
    /// What is known about it.
    pub facts: Facts,
    /// When it is asked.
    pub now: Now,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The service.
    pub service: String,
    /// The environment, by its own name, not an alias.
    pub environment: String,
    /// The version that is brought out.
    pub version: String,
    /// The version that serves now; `null` at the first deployment.
    pub from: Option<String>,
    /// How it is brought out.
    pub strategy: Strategy,
    /// How many instances are wanted.
    pub replicas: u32,
}

/// How a version is brought out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Strategy {
    /// Its name in the file.
    pub name: String,
    /// Its kind, such as `canary`.
    pub kind: String,
    /// The shares of the clients that the new version is given one after the other, in percent.
    pub shares: Vec<u32>,
    /// How long each share is watched, in seconds.
    pub watch_seconds: u64,
}

/// What is known about a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// Who made the release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// Who asked for the deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requester: Option<Requester>,
    /// The approvals that count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approvals: Option<Vec<Approval>>,
    /// The change ticket; `null` where none was named.
    pub ticket: Option<Ticket>,
    /// Whether a rollback of this release was rehearsed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rehearsed: Option<bool>,
    /// The environments in which this very artifact has passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed_in: Option<Vec<String>>,
}

/// Who asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requester {
    /// The account.
    pub principal: PrincipalName,
    /// What kind of account it is.
    pub kind: PrincipalKind,
    /// The groups that it belongs to.
    pub groups: Vec<RoleName>,
}

/// One approval that counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// The account.
    pub principal: PrincipalName,
    /// The groups that it belongs to.
    pub groups: Vec<RoleName>,
}

/// The change ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ticket {
    /// Its key, such as `CHG-4821`.
    pub key: String,
    /// Its state, in the words of the ticket system.
    pub state: String,
}

/// The time of the question, always in UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Now {
    /// RFC 3339, to the second.
    pub timestamp: String,
    /// The day, such as `2026-11-20`.
    pub date: String,
    /// The day of the week, such as `Friday`.
    pub weekday: String,
    /// The hour, from 0 to 23.
    pub hour: u32,
    /// The minute, from 0 to 59.
    pub minute: u32,
    /// Always `UTC`.
    pub zone: String,
}

impl Now {
    /// A time as a condition sees it. A time beyond the calendar is its end.
    pub fn at(time: Timestamp) -> Self {
        let instant = jiff::Timestamp::from_microsecond(time.as_micros()).unwrap_or(jiff::Timestamp::MAX);
        let civil = instant.to_zoned(jiff::tz::TimeZone::UTC);
        Self {
            timestamp: format!("{instant:.0}"),
            date: civil.date().to_string(),
            weekday: civil.strftime("%A").to_string(),
            hour: civil.hour().unsigned_abs().into(),
            minute: civil.minute().unsigned_abs().into(),
            zone: "UTC".to_owned(),
        }
    }
}

impl From<&Identity> for Requester {
    fn from(identity: &Identity) -> Self {
        Self {
            principal: identity.principal.clone(),
            kind: identity.kind,
            groups: identity.groups.iter().cloned().collect(),
        }
    }
}

impl Input {
    /// The document as conditions are worked out over it.
    pub fn to_json(&self) -> Value {
        // Plain structures with texts for keys, which always serialize; an empty document would refuse everything.
        serde_json::to_value(self).unwrap_or(Value::Null)
    }
}

/// An input in which every field is there, as the documentation shows it and as names in conditions are checked against.
pub(crate) const EXAMPLE: &str = include_str!("input.json");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_an_input_with_every_field() {
        let document: Value = serde_json::from_str(EXAMPLE).unwrap();
        let input: Input = serde_json::from_value(document.clone()).unwrap();
        assert_eq!(input.to_json(), document);
        assert_eq!(input.format, INPUT_FORMAT);
        let at = Timestamp::from_micros(1_795_179_900_000_000);
        assert_eq!(Now::at(at), input.now);
    }

    #[test]
    fn what_is_not_known_is_not_there_and_what_is_nothing_is_null() {
        let mut input: Input = serde_json::from_str(EXAMPLE).unwrap();
        input.plan.from = None;
        input.facts = Facts {
            author: None,
            requester: None,
            approvals: None,
            ticket: None,
            rehearsed: None,
            passed_in: None,
        };
        let document = input.to_json();
        assert_eq!(document["plan"].get("from"), Some(&Value::Null));
        assert_eq!(document["facts"], serde_json::json!({ "ticket": null }));
    }

    #[test]
    fn any_time_has_a_day_and_an_hour() {
        for micros in [i64::MIN, -1, 0, i64::MAX] {
            assert!(Now::at(Timestamp::from_micros(micros)).hour < 24);
        }
        assert_eq!(Now::at(Timestamp::from_micros(0)).weekday, "Thursday");
    }
}
