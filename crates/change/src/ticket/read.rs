//! What a ticket says beside its state, where the file says where.

use pilotage_spec::{TicketSystem, Timestamp};

use super::answer::Answer;
use super::error::TicketError;

/// For what a change is, and for when.
#[derive(Debug, Default)]
pub(super) struct Scope {
    pub services: Option<Vec<String>>,
    pub environments: Option<Vec<String>>,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
}

/// Reads what the file asks for; `pointer` makes a JSON pointer of a place.
pub(super) fn scope(
    system: &TicketSystem,
    answer: &Answer<'_>,
    pointer: impl Fn(&str) -> String,
) -> Result<Scope, TicketError> {
    let names = |place: &Option<String>, what| {
        place.as_ref().map(|place| answer.names(&pointer(place), what)).transpose()
    };
    let moment = |place: &Option<String>, what| {
        place.as_ref().map(|place| answer.moment(&pointer(place), what)).transpose()
    };
    let scope = Scope {
        services: names(&system.service, "for which services it is")?,
        environments: names(&system.environment, "for which environments it is")?,
        from: moment(&system.from, "from when on it is planned")?,
        to: moment(&system.to, "until when it is planned")?,
    };
    Ok(scope)
}
