//! A ticket in any JSON document.

use pilotage_fetch::percent_encoded;
use pilotage_spec::{TicketKey, substitute};

use super::Ticket;
use super::answer::Answer;
use super::client::Tickets;
use super::error::TicketError;
use super::read::{Scope, scope};

/// The document at the address with the ticket's key in it; `state` says where its state is.
pub(super) async fn document(tickets: &Tickets, key: &TicketKey, state: &str) -> Result<Ticket, TicketError> {
    let encoded = percent_encoded(key.as_str());
    let url = substitute(&tickets.system.url, |name| (name == "TICKET").then(|| encoded.clone()));
    let url = url.map_err(|error| TicketError::Unreachable {
        server: tickets.server.clone(),
        reason: error.to_string(),
    })?;
    let found = tickets.document(&url, key, "application/json").await?;
    let answer = Answer { key, value: &found };
    let state = answer.text(state, "its state")?;
    let Scope { services, environments, from, to } = scope(&tickets.system, &answer, str::to_owned)?;
    let approved = tickets.is_approved(&state);
    let (key, assignee, conflict) = (key.clone(), None, None);
    Ok(Ticket {
        key,
        url: tickets.server.clone(),
        state,
        approved,
        services,
        environments,
        from,
        to,
        assignee,
        conflict,
    })
}
