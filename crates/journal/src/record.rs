//! Appending, inside the writer's transaction: check everything first, then write.

use std::collections::HashMap;

use pilotage_spec::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use crate::append::{Body, Prepared};
use crate::leaf::Entry;
use crate::writer::Batch;
use crate::{Append, AppendError, Event, EventId, Expected, LeaseName, NewEvent, StreamId, lease, number};

/// Appends all parts, or says why none of them may be.
pub(crate) fn append(
    batch: &mut Batch<'_>,
    parts: Vec<Prepared>,
) -> rusqlite::Result<Result<Vec<Event>, AppendError>> {
    let first_versions = match check(batch.connection, &parts)? {
        Ok(first_versions) => first_versions,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let mut events = Vec::with_capacity(parts.iter().map(|part| part.bodies.len()).sum());
    for (Prepared { append, bodies }, mut version) in parts.into_iter().zip(first_versions) {
        for (new, body) in append.events.into_iter().zip(bodies) {
            events.push(insert(batch, &append.stream, version, &append.actor, new, body)?);
            version += 1;
        }
    }
    Ok(Ok(events))
}

/// The version of the first event of each part, or the reason to refuse them all. Nothing has been written yet, so a
/// refusal needs no undoing and does not touch the others in the group.
fn check(connection: &Connection, parts: &[Prepared]) -> rusqlite::Result<Result<Vec<u64>, AppendError>> {
    let mut versions = HashMap::new();
    let mut first_versions = Vec::with_capacity(parts.len());
    for Prepared { append, .. } in parts {
        let version = match versions.get(&append.stream) {
            Some(version) => *version,
            None => stream_version(connection, &append.stream)?,
        };
        if let Some(refusal) = refusal(connection, append, version)? {
            return Ok(Err(refusal));
        }
        first_versions.push(version + 1);
        versions.insert(&append.stream, version + append.events.len() as u64);
    }
    Ok(Ok(first_versions))
}

fn refusal(connection: &Connection, append: &Append, version: u64) -> rusqlite::Result<Option<AppendError>> {
    if let Some((lease, token)) = &append.fence {
        let current = lease::current_token(connection, lease)?;
        if current != Some(*token) {
            return Ok(Some(fenced(lease, *token, current)));
        }
    }
    Ok(match append.expected {
        Expected::Version(expected) if expected != version => {
            Some(AppendError::Conflict { stream: append.stream.clone(), expected, actual: version })
        }
        _ => None,
    })
}

fn fenced(lease: &LeaseName, token: u64, current: Option<u64>) -> AppendError {
    AppendError::Fenced { lease: lease.clone(), token, current }
}

fn stream_version(connection: &Connection, stream: &StreamId) -> rusqlite::Result<u64> {
    let sql = "SELECT version FROM event WHERE stream = ?1 ORDER BY version DESC LIMIT 1";
    let mut statement = connection.prepare_cached(sql)?;
    let version = statement.query_row([stream.as_str()], |row| number::from_row(row, 0)).optional()?;
    Ok(version.unwrap_or(0))
}

fn insert(
    batch: &mut Batch<'_>,
    stream: &StreamId,
    version: u64,
    actor: &str,
    new: NewEvent,
    body: Body,
) -> rusqlite::Result<Event> {
    let seq = batch.head.tree.size() + 1;
    let id = EventId::new(&batch.head.journal, seq);
    let time = next_time((batch.clock)(), batch.head.last_time);
    let entry = Entry {
        seq,
        id: id.as_str(),
        time: time.as_micros(),
        stream: stream.as_str(),
        version,
        kind: new.kind.as_str(),
        actor,
        payload: &body.text,
        salt: &body.salt,
    };
    let leaf = entry.leaf();
    let sql = "INSERT INTO event (seq, id, time, stream, version, kind, actor, payload, salt, leaf) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    batch.connection.prepare_cached(sql)?.execute(params![
        number::to_sql(seq),
        entry.id,
        entry.time,
        entry.stream,
        number::to_sql(version),
        entry.kind,
        entry.actor,
        entry.payload,
        entry.salt,
        leaf,
    ])?;
    batch.head.tree.push(leaf);
    batch.head.last_time = time;
    let NewEvent { kind, payload } = new;
    Ok(Event { seq, id, time, stream: stream.clone(), version, kind, actor: actor.to_owned(), payload })
}

/// The clock's time, or the next microsecond after the last event if the clock has not got that far.
fn next_time(now: Timestamp, last: Timestamp) -> Timestamp {
    now.max(Timestamp::from_micros(last.as_micros().saturating_add(1)))
}
