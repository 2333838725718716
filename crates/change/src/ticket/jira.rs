//! Jira and Jira Service Management, Cloud and Data Center.

use pilotage_fetch::percent_encoded;
use pilotage_spec::TicketKey;
use serde_json::Value;

use super::Ticket;
use super::answer::Answer;
use super::client::{Tickets, same_word};
use super::error::TicketError;
use super::read::{Scope, scope};

const JSON: &str = "application/json";

/// The state of an issue is its status.
pub(super) async fn issue(tickets: &Tickets, key: &TicketKey) -> Result<Ticket, TicketError> {
    let found = fields(tickets, key).await?;
    let answer = Answer { key, value: &found };
    let state = answer.text("/fields/status/name", "its state")?;
    let approved = tickets.is_approved(&state);
    ticket(tickets, &answer, state, approved)
}

/// The state of a request is the final decision of its approvals: all of them must be approved, and there must be one.
///
/// `GET /rest/servicedeskapi/request/{key}/approval`
pub(super) async fn request(tickets: &Tickets, key: &TicketKey) -> Result<Ticket, TicketError> {
    check_key(key)?;
    let base = &tickets.system.url;
    let url = format!("{base}/rest/servicedeskapi/request/{}/approval", percent_encoded(key.as_str()));
    let found = tickets.document(&url, key, JSON).await?;
    let answer = Answer { key, value: &found };
    let state = decision(tickets, &answer)?;
    let approved = tickets.is_approved(&state);
    let issue = fields(tickets, key).await?;
    ticket(tickets, &Answer { key, value: &issue }, state, approved)
}

/// The first decision that is no approval, or else the last one.
fn decision(tickets: &Tickets, answer: &Answer<'_>) -> Result<String, TicketError> {
    let approvals = answer.value.pointer("/values").and_then(Value::as_array);
    let approvals = approvals.ok_or_else(|| answer.missing("/values", "its approvals"))?;
    // An approval on a page that was not read might have been declined.
    if answer.value.pointer("/isLastPage") != Some(&Value::Bool(true)) {
        return Err(answer.malformed("/isLastPage", "true: it has more approvals than are read"));
    }
    let decisions = (0..approvals.len())
        .map(|index| answer.text(&format!("/values/{index}/finalDecision"), "its decision"));
    let decisions: Vec<String> = decisions.collect::<Result<_, _>>()?;
    let other = decisions.iter().find(|decision| !tickets.is_approved(decision));
    other.or(decisions.last()).cloned().ok_or_else(|| answer.missing("/values", "who approves it"))
}

/// An issue: `GET /rest/api/2/issue/{key}?fields=…`. Version 2, unlike 3, is served by Data Center too, and gives texts as texts.
async fn fields(tickets: &Tickets, key: &TicketKey) -> Result<Value, TicketError> {
    check_key(key)?;
    let system = &tickets.system;
    let places = [&system.service, &system.environment, &system.from, &system.to];
    let mut names = vec!["status", "assignee"];
    names.extend(places.into_iter().flatten().map(String::as_str));
    let (base, names) = (&system.url, percent_encoded(&names.join(",")));
    let url = format!("{base}/rest/api/2/issue/{}?fields={names}", percent_encoded(key.as_str()));
    let found = tickets.document(&url, key, JSON).await?;
    // An issue that has moved to another project answers by its new name.
    let answered = Answer { key, value: &found }.text("/key", "its key")?;
    if !same_word(&answered, key.as_str()) {
        return Err(TicketError::Other { server: tickets.server.clone(), key: key.clone(), answered });
    }
    Ok(found)
}

fn ticket(
    tickets: &Tickets,
    answer: &Answer<'_>,
    state: String,
    approved: bool,
) -> Result<Ticket, TicketError> {
    let Scope { services, environments, from, to } =
        scope(&tickets.system, answer, |field| format!("/fields/{field}"))?;
    Ok(Ticket {
        key: answer.key.clone(),
        url: format!("{}/browse/{}", tickets.system.url, percent_encoded(answer.key.as_str())),
        state,
        approved,
        services,
        environments,
        from,
        to,
        assignee: answer.optional_text("/fields/assignee/displayName"),
        conflict: None,
    })
}

/// The key of a project, a dash, and a number.
fn check_key(key: &TicketKey) -> Result<(), TicketError> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let fits = key.as_str().rsplit_once('-').is_some_and(|(project, number)| {
        !project.is_empty()
            && project.chars().all(word)
            && !number.is_empty()
            && number.bytes().all(|b| b.is_ascii_digit())
    });
    match fits {
        true => Ok(()),
        false => Err(TicketError::Key { key: key.clone(), system: "Jira", example: "CHG-12" }),
    }
}
