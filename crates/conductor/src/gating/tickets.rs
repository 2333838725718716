//! What the change ticket says.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use pilotage_change::ticket::{Ticket, TicketError, Tickets};
use pilotage_engine::Asked;
use pilotage_engine::gate::{Conflict, Planned, TicketFact};
use pilotage_engine::judge::Known;
use pilotage_secrets::Secret;
use pilotage_spec::{Project, TicketKey, TicketSystem, TicketSystemName};

use crate::conductor::{Inner, lock};

/// An answer is good for so long: a deployment that waits asks again and again.
const FRESH: Duration = Duration::from_secs(10);
/// So many answers are kept.
const KEPT: usize = 1_000;

/// The last answers.
#[derive(Default)]
pub(crate) struct TicketCache(Mutex<HashMap<String, (Instant, Known<TicketFact>)>>);

impl TicketCache {
    fn get(&self, name: &str) -> Option<Known<TicketFact>> {
        let answers = lock(&self.0);
        answers.get(name).filter(|(at, _)| at.elapsed() < FRESH).map(|(_, answer)| answer.clone())
    }

    fn put(&self, name: &str, answer: &Known<TicketFact>) {
        let mut answers = lock(&self.0);
        if answers.len() >= KEPT {
            answers.retain(|_, (at, _)| at.elapsed() < FRESH);
        }
        if answers.len() < KEPT {
            answers.insert(name.to_owned(), (Instant::now(), answer.clone()));
        }
    }
}

/// The ticket that was named, as its system says now.
pub(super) async fn fact(inner: &Inner, asked: &Asked, project: &Project) -> Known<TicketFact> {
    let Some(named) = &asked.ticket else { return Known::NotAsked };
    if let Some(answer) = inner.tickets.get(named) {
        return answer;
    }
    let answer = match find(named, project) {
        Ok((name, system, key)) => look(inner, name, system, &key).await,
        Err(reason) => Err(reason),
    };
    let answer = answer.map_or_else(Known::Unknown, Known::Value);
    inner.tickets.put(named, &answer);
    answer
}

/// The system and the key that `KEY` or `SYSTEM:KEY` means.
fn find<'a>(
    named: &str,
    project: &'a Project,
) -> Result<(&'a TicketSystemName, &'a TicketSystem, TicketKey), String> {
    let (system, key) = match named.split_once(':') {
        Some((system, key)) => (Some(system), key),
        None => (None, named),
    };
    let key = key.parse::<TicketKey>().map_err(|error| error.to_string())?;
    let names = || project.tickets.keys().map(TicketSystemName::as_str).collect::<Vec<_>>().join(", ");
    let found = match system {
        Some(system) => project.tickets.iter().find(|(name, _)| name.as_str() == system),
        None if project.tickets.len() > 1 => {
            return Err(format!("there are several ticket systems ({}): write SYSTEM:{key}", names()));
        }
        None => project.tickets.iter().next(),
    };
    match found {
        Some((name, system)) => Ok((name, system, key)),
        None if project.tickets.is_empty() => {
            Err("pilotage.yaml names no ticket system under `tickets`".to_owned())
        }
        None => Err(format!("there is no such ticket system; there are: {}", names())),
    }
}

async fn look(
    inner: &Inner,
    name: &TicketSystemName,
    system: &TicketSystem,
    key: &TicketKey,
) -> Result<TicketFact, String> {
    let token = match &system.sign_in {
        Some(sign_in) => inner.secrets.read_token(&sign_in.token).await.map(Some),
        None => Ok(None),
    };
    let token = token.map_err(|error| error.to_string())?;
    let text = token.as_ref().and_then(Secret::expose_text).unwrap_or_default();
    // Whatever such a system repeats of what it was sent.
    let words = |error: TicketError| inner.secrets.known().text(&error.to_string()).into_owned();
    let tickets = Tickets::new(system, |_| Ok(text.to_owned())).map_err(words)?;
    let ticket = tickets.look(key).await.map_err(words)?;
    let planned = planned(&ticket, system);
    Ok(TicketFact {
        system: name.to_string(),
        key: ticket.key.to_string(),
        url: Some(ticket.url),
        state: ticket.state,
        approved: ticket.approved,
        services: ticket.services,
        environments: ticket.environments,
        planned,
        assignee: ticket.assignee,
        conflict: ticket.conflict.map_or(Conflict::None, Conflict::With),
    })
}

fn planned(ticket: &Ticket, system: &TicketSystem) -> Planned {
    match (ticket.from, ticket.to) {
        (Some(from), Some(to)) => Planned::Within { from, to },
        (None, None) if system.from.is_none() && system.to.is_none() => Planned::NotAsked,
        _ => Planned::Missing,
    }
}
