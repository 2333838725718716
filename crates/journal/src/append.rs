//! What a caller asks to be recorded, and the limits on it.

use std::borrow::Cow;

use pilotage_spec::NameError;
use serde_json::Value;
use thiserror::Error;

use crate::store::StorageError;
use crate::{EventKind, LeaseName, NewEvent, StreamId};

/// The longest payload, in bytes of JSON text.
pub const PAYLOAD_LIMIT_BYTES: usize = 1 << 20;
/// The most events that one call appends.
pub const EVENTS_LIMIT: usize = 1_000;
/// The longest name of an actor, in bytes.
pub const ACTOR_LIMIT_BYTES: usize = 256;

/// Bytes of random salt in front of a payload when it is hashed, so that a redacted payload cannot be guessed.
pub(crate) const SALT_BYTES: usize = 16;

/// Events for one stream that are recorded together or not at all.
#[derive(Debug, Clone, PartialEq)]
pub struct Append {
    /// Where they go.
    pub stream: StreamId,
    /// What the stream must be like beforehand.
    pub expected: Expected,
    /// Who records them.
    pub actor: String,
    /// What is recorded, in order.
    pub events: Vec<NewEvent>,
    /// A lease that must be held with this very token when they are recorded.
    pub fence: Option<(LeaseName, u64)>,
}

impl Append {
    /// An append without a fence.
    pub fn new(
        stream: StreamId,
        expected: Expected,
        actor: impl Into<String>,
        events: Vec<NewEvent>,
    ) -> Self {
        Self { stream, expected, actor: actor.into(), events, fence: None }
    }

    /// The same append, refused unless `lease` is held with `token`.
    pub fn fenced(mut self, lease: LeaseName, token: u64) -> Self {
        self.fence = Some((lease, token));
        self
    }
}

/// What a stream must be like for an append to be accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Anything.
    Any,
    /// Its last event has this version; 0: it does not exist yet.
    Version(u64),
}

/// Why nothing was appended.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AppendError {
    /// Somebody else has appended in the meantime. Read the stream again and decide anew.
    #[error("stream {stream} is at version {actual}, not {expected}: read it again and decide anew")]
    Conflict {
        /// The stream.
        stream: StreamId,
        /// The version that was expected.
        expected: u64,
        /// The version that it has.
        actual: u64,
    },
    /// The lease is not held with the given token any more.
    #[error("lease {lease} is not held with token {token} any more: {}", current_holder(.current))]
    Fenced {
        /// The lease.
        lease: LeaseName,
        /// The token that was given.
        token: u64,
        /// The token with which it is held now, if it is held.
        current: Option<u64>,
    },
    /// There is nothing to append.
    #[error("an append to {stream} has no events: give at least one")]
    Empty {
        /// The stream.
        stream: StreamId,
    },
    /// More events than one call may append.
    #[error("{count} events in one append; at most {EVENTS_LIMIT} are allowed: split them")]
    TooMany {
        /// How many were given.
        count: usize,
    },
    /// A payload is too long.
    #[error(
        "the payload of {kind} for {stream} is {bytes} bytes long; at most {PAYLOAD_LIMIT_BYTES} are allowed: \
         record a digest and keep the content elsewhere"
    )]
    PayloadTooLong {
        /// The stream.
        stream: StreamId,
        /// The kind of the event.
        kind: EventKind,
        /// The length as JSON text, in bytes.
        bytes: usize,
    },
    /// The actor is not a usable name.
    #[error(transparent)]
    Actor(NameError),
    /// The store failed; nothing was recorded.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

fn current_holder(current: &Option<u64>) -> String {
    match current {
        Some(token) => format!("another holder has it with token {token}"),
        None => "it is free".to_owned(),
    }
}

/// An append that keeps the limits, with everything done that needs no transaction.
pub(crate) struct Prepared {
    pub(crate) append: Append,
    pub(crate) bodies: Vec<Body>,
}

/// A payload as it is stored.
pub(crate) struct Body {
    pub(crate) text: String,
    pub(crate) salt: [u8; SALT_BYTES],
}

/// Takes out of a text what must not be recorded.
pub type Redact = dyn for<'a> Fn(&'a str) -> Cow<'a, str> + Send + Sync;

/// Checks the limits of several appends that belong together, and writes out their payloads: after what must not be recorded was
/// taken out, and before anything is hashed.
pub(crate) fn prepare(appends: Vec<Append>, redact: Option<&Redact>) -> Result<Vec<Prepared>, AppendError> {
    let count = appends.iter().map(|append| append.events.len()).sum();
    if count > EVENTS_LIMIT {
        return Err(AppendError::TooMany { count });
    }
    appends
        .into_iter()
        .map(|mut append| {
            if let Some(redact) = redact {
                append.events.iter_mut().for_each(|event| redact_texts(&mut event.payload, redact));
            }
            prepare_one(append)
        })
        .collect()
}

fn redact_texts(value: &mut Value, redact: &Redact) {
    match value {
        Value::String(text) => {
            if let Cow::Owned(redacted) = redact(text) {
                *text = redacted;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| redact_texts(item, redact)),
        Value::Object(fields) => fields.values_mut().for_each(|field| redact_texts(field, redact)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn prepare_one(append: Append) -> Result<Prepared, AppendError> {
    check_actor(&append.actor).map_err(AppendError::Actor)?;
    if append.events.is_empty() {
        return Err(AppendError::Empty { stream: append.stream });
    }
    let bodies = append.events.iter().map(|event| body(&append.stream, event)).collect::<Result<_, _>>()?;
    Ok(Prepared { append, bodies })
}

fn body(stream: &StreamId, event: &NewEvent) -> Result<Body, AppendError> {
    let text = event.payload.to_string();
    if text.len() > PAYLOAD_LIMIT_BYTES {
        let (stream, kind) = (stream.clone(), event.kind.clone());
        return Err(AppendError::PayloadTooLong { stream, kind, bytes: text.len() });
    }
    Ok(Body { text, salt: crate::random::bytes()? })
}

/// A name of a person or program: not empty, no control characters, 256 bytes at most.
pub(crate) fn check_actor(actor: &str) -> Result<(), NameError> {
    let kind = "actor";
    if actor.is_empty() {
        return Err(NameError::Empty { kind });
    }
    if actor.len() > ACTOR_LIMIT_BYTES {
        return Err(NameError::TooLong { kind, length: actor.chars().count(), limit: ACTOR_LIMIT_BYTES });
    }
    if actor.chars().any(char::is_control) {
        let text = actor.escape_debug().collect();
        return Err(NameError::Malformed { kind, text, rule: "use no control characters" });
    }
    Ok(())
}
