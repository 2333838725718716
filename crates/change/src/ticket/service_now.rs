//! Change requests of ServiceNow, by its Table API.

use pilotage_fetch::percent_encoded;
use pilotage_spec::{TicketKey, Timestamp};
use serde_json::Value;

use super::Ticket;
use super::answer::{Answer, text};
use super::client::{Tickets, same_word};
use super::error::TicketError;
use super::time::moment_in_utc;

/// The fields that are asked for in any case.
const FIELDS: [&str; 5] = ["number", "state", "approval", "conflict_status", "assigned_to"];

/// When a change is planned, unless the file names other fields.
const PLANNED: [&str; 2] = ["start_date", "end_date"];

/// A change request: `GET /api/now/table/change_request?sysparm_query=number=…`. With `sysparm_display_value=all`, each field has
/// its stored value (times in UTC) and what people see.
pub(super) async fn change(
    tickets: &Tickets,
    key: &TicketKey,
    approvals: &[String],
    conflicts: &[String],
) -> Result<Ticket, TicketError> {
    check_key(key)?;
    let system = &tickets.system;
    let from_field = system.from.as_deref().unwrap_or(PLANNED[0]);
    let to_field = system.to.as_deref().unwrap_or(PLANNED[1]);
    let found =
        tickets.document(&address(tickets, key, from_field, to_field), key, "application/json").await?;
    let record = record(tickets, key, &found)?;
    let change = Change { answer: Answer { key, value: record } };
    let state = change.field("state", "its state")?;
    let approval = change.field("approval", "whether it is approved")?;
    let is_state = system.states.iter().any(|wanted| state.is(wanted));
    let is_approved = approvals.iter().any(|wanted| approval.is(wanted));
    let conflict =
        change.optional("conflict_status").filter(|field| conflicts.iter().any(|word| field.is(word)));
    let names =
        |place: &Option<String>, what| place.as_ref().map(|name| change.names(name, what)).transpose();
    Ok(Ticket {
        key: key.clone(),
        url: format!(
            "{}/nav_to.do?uri={}",
            system.url,
            percent_encoded(&format!("change_request.do?sysparm_query=number={key}"))
        ),
        state: format!("{}, approval: {}", state.shown, approval.shown),
        approved: is_state && is_approved,
        services: names(&system.service, "for which services it is")?,
        environments: names(&system.environment, "for which environments it is")?,
        from: Some(change.moment(from_field, "from when on it is planned")?),
        to: Some(change.moment(to_field, "until when it is planned")?),
        assignee: change.optional("assigned_to").map(|field| field.shown),
        conflict: conflict.map(|field| field.shown),
    })
}

fn address(tickets: &Tickets, key: &TicketKey, from: &str, to: &str) -> String {
    let system = &tickets.system;
    let mut fields = FIELDS.to_vec();
    fields.extend([from, to]);
    fields.extend([&system.service, &system.environment].into_iter().flatten().map(String::as_str));
    format!(
        "{}/api/now/table/change_request?sysparm_query={}&sysparm_display_value=all&sysparm_exclude_reference_link=true&\
         sysparm_limit=2&sysparm_fields={}",
        system.url,
        percent_encoded(&format!("number={key}")),
        percent_encoded(&fields.join(","))
    )
}

/// The one record of an answer, which must be the one that was asked for: an instance that does not understand a query may
/// answer with any.
fn record<'a>(tickets: &Tickets, key: &TicketKey, found: &'a Value) -> Result<&'a Value, TicketError> {
    let server = || tickets.server.clone();
    let answer = Answer { key, value: found };
    let records = found.pointer("/result").and_then(Value::as_array);
    let records = records.ok_or_else(|| answer.missing("/result", "anything"))?;
    let record = match records.as_slice() {
        [] => return Err(TicketError::NotFound { server: server(), key: key.clone() }),
        [record] => record,
        _ => {
            return Err(TicketError::Other {
                server: server(),
                key: key.clone(),
                answered: "several changes".to_owned(),
            });
        }
    };
    let number = Change { answer: Answer { key, value: record } }.field("number", "its number")?;
    match number.is(key.as_str()) {
        true => Ok(record),
        false => Err(TicketError::Other { server: server(), key: key.clone(), answered: number.stored }),
    }
}

struct Change<'a> {
    answer: Answer<'a>,
}

/// A field as it is stored, and as people see it.
struct Field {
    stored: String,
    shown: String,
}

impl Field {
    fn is(&self, word: &str) -> bool {
        same_word(&self.stored, word) || same_word(&self.shown, word)
    }
}

impl Change<'_> {
    fn optional(&self, name: &str) -> Option<Field> {
        let field = self.answer.value.get(name)?;
        let stored = field.get("value").and_then(text)?;
        let shown = field.get("display_value").and_then(text).unwrap_or_else(|| stored.clone());
        Some(Field { stored, shown })
    }

    fn field(&self, name: &str, what: &'static str) -> Result<Field, TicketError> {
        self.optional(name).ok_or_else(|| self.answer.missing(name, what))
    }

    fn names(&self, name: &str, what: &'static str) -> Result<Vec<String>, TicketError> {
        let shown = self.field(name, what)?.shown;
        Ok(shown.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect())
    }

    fn moment(&self, name: &str, what: &'static str) -> Result<Timestamp, TicketError> {
        let field = self.field(name, what)?;
        moment_in_utc(&field.stored)
            .ok_or_else(|| self.answer.malformed(name, "a time such as `2026-11-23 09:00:00`"))
    }
}

fn check_key(key: &TicketKey) -> Result<(), TicketError> {
    match key.as_str().chars().all(|c| c.is_ascii_alphanumeric()) {
        true => Ok(()),
        false => Err(TicketError::Key { key: key.clone(), system: "ServiceNow", example: "CHG0030001" }),
    }
}
