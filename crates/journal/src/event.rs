//! One fact, before and after it is in the journal.

use std::fmt;

use pilotage_spec::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{EventKind, StreamId};

/// A fact that is to be recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// What happened.
    pub kind: EventKind,
    /// The particulars; at most [`PAYLOAD_LIMIT_BYTES`](crate::PAYLOAD_LIMIT_BYTES) as JSON text.
    pub payload: Value,
}

impl NewEvent {
    /// A fact of this kind with these particulars.
    pub fn new(kind: EventKind, payload: Value) -> Self {
        Self { kind, payload }
    }
}

/// A recorded fact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its place in the journal: 1, 2, 3 … without gaps.
    pub seq: u64,
    /// Its name, unique among all journals.
    pub id: EventId,
    /// When it was recorded. Rises strictly with `seq`, even when the clock of the machine steps back.
    pub time: Timestamp,
    /// What it is about.
    pub stream: StreamId,
    /// Its place in the stream: 1, 2, 3 … without gaps.
    pub version: u64,
    /// What happened.
    pub kind: EventKind,
    /// Who did it.
    pub actor: String,
    /// The particulars.
    pub payload: Value,
}

/// The name of an event: the random id of its journal, a dash, and its `seq`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(String);

impl EventId {
    pub(crate) fn new(journal: &str, seq: u64) -> Self {
        Self(format!("{journal}-{seq}"))
    }

    pub(crate) fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
