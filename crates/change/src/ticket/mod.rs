//! What the ticket of a change says: whether it is approved, for what, and for when.

mod answer;
mod client;
mod error;
mod forge;
mod jira;
mod json;
mod read;
mod service_now;
mod sign_in;
mod time;

pub use client::Tickets;
pub use error::TicketError;

use pilotage_spec::{TicketKey, Timestamp};
use serde::{Deserialize, Serialize};

/// What a ticket says. Texts in it come from outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// Its key.
    pub key: TicketKey,
    /// Where a person can read it.
    pub url: String,
    /// Its state, as its system calls it.
    pub state: String,
    /// Whether it is in one of the states that mean approval, and whatever else its system needs for that.
    pub approved: bool,
    /// For which services it is; `None` if the system is not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub services: Option<Vec<String>>,
    /// For which environments it is; `None` if the system is not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environments: Option<Vec<String>>,
    /// From when on the change is planned; `None` if the system is not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Until when; `None` if the system is not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// Who has it in hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<String>,
    /// With what it is in conflict, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conflict: Option<String>,
}
