//! The change is known to those who manage changes.

use pilotage_spec::{TicketFrom, Timestamp};

use super::{Conflict, Finding, Gate, GateFacts, Planned, Refusal, TicketFact};
use crate::Plan;
use crate::judge::Known;

pub(super) struct TicketApproved;

impl Gate for TicketApproved {
    fn id(&self) -> &'static str {
        "ticket"
    }

    fn purpose(&self) -> &'static str {
        "The change ticket given by --ticket is approved, is about this service and this environment, and its planned time covers \
         now. Asked where the policy says `ticket: required` or names a ticket system, as a strict one does by default."
    }

    fn applies(&self, plan: &Plan) -> bool {
        plan.request.policy.ticket.is_some()
    }

    fn check(&self, plan: &Plan, facts: &GateFacts) -> Result<Finding, Refusal> {
        let ticket = match &facts.ticket {
            Known::Value(ticket) => ticket,
            Known::Unknown(reason) => {
                return Err(Refusal::unknown(
                    format!("the ticket cannot be looked at: {reason}"),
                    "try again when the ticket system answers, or mend `tickets` in pilotage.yaml",
                ));
            }
            Known::NotAsked => {
                return Err(Refusal::refused(
                    "no change ticket was given",
                    "pass --ticket KEY, such as --ticket CHG-4821",
                ));
            }
        };
        let refusal = system(plan, ticket)
            .and_then(|()| subject(plan, ticket))
            .and_then(|()| state(ticket))
            .and_then(|()| planned(ticket, facts.now));
        let finding = match refusal {
            Ok(()) => Finding::new(format!("{} is *{}*", ticket.key, ticket.state)),
            Err(refusal) => return Err(evidence(refusal, ticket)),
        };
        let finding = finding.evidence("key", &ticket.key).evidence("state", &ticket.state);
        Ok(ticket.url.iter().fold(finding, |finding, url| finding.evidence("url", url)))
    }
}

fn evidence(refusal: Refusal, ticket: &TicketFact) -> Refusal {
    let refusal = refusal.evidence("key", &ticket.key).evidence("state", &ticket.state);
    ticket.url.iter().fold(refusal, |refusal, url| refusal.evidence("url", url))
}

fn system(plan: &Plan, ticket: &TicketFact) -> Result<(), Refusal> {
    match &plan.request.policy.ticket {
        Some(TicketFrom::Any) => Ok(()),
        Some(TicketFrom::System(name)) if name.as_str() == ticket.system => Ok(()),
        Some(TicketFrom::System(name)) => Err(Refusal::refused(
            format!("{} is in `{}`, and the policy asks for a ticket in `{name}`", ticket.key, ticket.system),
            format!("pass a ticket of `{name}`"),
        )),
        None => Err(Refusal::unknown("the policy asks for no ticket", "see the policy in pilotage.yaml")),
    }
}

fn subject(plan: &Plan, ticket: &TicketFact) -> Result<(), Refusal> {
    let workload = &plan.request.workload;
    names("service", workload.service.as_str(), ticket.services.as_deref(), ticket)?;
    names("environment", workload.environment.as_str(), ticket.environments.as_deref(), ticket)
}

fn names(what: &str, wanted: &str, found: Option<&[String]>, ticket: &TicketFact) -> Result<(), Refusal> {
    let key = &ticket.key;
    match found {
        Some(found) if found.iter().any(|name| name == wanted) => Ok(()),
        Some(found) => Err(Refusal::refused(
            format!("{key} is about {what} {}, not `{wanted}`", shown(found)),
            format!("name `{wanted}` in the ticket, or pass the ticket that is meant"),
        )),
        None => Err(Refusal::refused(
            format!("{key} does not say which {what} it is about"),
            format!("name `{wanted}` in the ticket; `tickets.{}` in pilotage.yaml says where", ticket.system),
        )),
    }
}

fn shown(found: &[String]) -> String {
    let names: Vec<String> = found.iter().map(|name| format!("`{}`", name.escape_debug())).collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

fn state(ticket: &TicketFact) -> Result<(), Refusal> {
    let TicketFact { key, state, .. } = ticket;
    if let Conflict::With(conflict) = &ticket.conflict {
        return Err(Refusal::refused(
            format!("{key} conflicts: {conflict}"),
            "settle the conflict in the ticket system",
        ));
    }
    if ticket.approved {
        return Ok(());
    }
    let whom = ticket.assignee.as_deref().unwrap_or("its assignee");
    Err(Refusal::waits(
        format!("{key} is *{state}*, which does not count as approved"),
        format!("ask {whom}; it goes on by itself once the ticket is approved"),
    ))
}

fn planned(ticket: &TicketFact, now: Option<Timestamp>) -> Result<(), Refusal> {
    let key = &ticket.key;
    let (from, to) = match ticket.planned {
        Planned::Within { from, to } => (from, to),
        Planned::NotAsked => return Ok(()),
        Planned::Missing => {
            return Err(Refusal::refused(
                format!("{key} does not say when the change is planned"),
                "write its planned start and end into the ticket",
            ));
        }
    };
    match now {
        None => Err(Refusal::unknown("the time is not known", "see the server's log")),
        Some(now) if now < from => Err(Refusal::waits(
            format!("{key} is planned from {from} on"),
            "wait: it goes on by itself then, or have the ticket planned anew",
        )),
        Some(now) if now > to => Err(Refusal::refused(
            format!("{key} was planned until {to}"),
            "have the ticket planned anew, or pass another one",
        )),
        Some(_) => Ok(()),
    }
}
