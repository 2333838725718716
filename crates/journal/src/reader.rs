//! Reading: a few connections that cannot write, each used by one reader at a time.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use pilotage_spec::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use thiserror::Error;

use crate::store::{OpenError, StorageError, connect_reader, open_reader};
use crate::{
    BackupError, BackupReport, Event, EventId, EventKind, Lease, StreamId, Verified, VerifyError, backup,
    lease, number, verify,
};

/// Connections kept open while nobody reads; more are opened when more read at once.
const IDLE_LIMIT: usize = 4;

const COLUMNS: &str = "seq, id, time, stream, version, kind, actor, payload";

/// A journal to be read. Cheap to clone; blocks its thread for as long as the disk takes.
#[derive(Debug, Clone)]
pub struct Reader {
    pool: Arc<Pool>,
}

#[derive(Debug)]
struct Pool {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

/// Why the journal could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReadError {
    /// An entry makes no sense.
    #[error("entry {seq} of {} cannot be read: {reason}. See `pilotage audit verify`", .path.display())]
    Entry {
        /// The journal.
        path: PathBuf,
        /// The entry.
        seq: u64,
        /// What is wrong.
        reason: String,
    },
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Reader {
    /// Opens a journal that is there. Its content is not checked: see [`Reader::verify`].
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        Ok(Self::new(open_reader(path)?))
    }

    pub(crate) fn new(path: PathBuf) -> Self {
        Self { pool: Arc::new(Pool { path, idle: Mutex::default() }) }
    }

    /// The events of a stream that come after `after_version`, oldest first; 0 gives all.
    pub fn stream(&self, id: &StreamId, after_version: u64) -> Result<Vec<Event>, ReadError> {
        let sql = format!("SELECT {COLUMNS} FROM event WHERE stream = ?1 AND version > ?2 ORDER BY version");
        self.events(&sql, params![id.as_str(), number::to_sql(after_version)])
    }

    /// At most `limit` events of all streams that come after `seq`, oldest first; 0 gives those from the start.
    pub fn after(&self, seq: u64, limit: usize) -> Result<Vec<Event>, ReadError> {
        let sql = format!("SELECT {COLUMNS} FROM event WHERE seq > ?1 ORDER BY seq LIMIT ?2");
        self.events(&sql, params![number::to_sql(seq), number::to_sql(limit as u64)])
    }

    /// Shows `step` each event of all streams that comes after `seq`, oldest first, as they are at one moment. They are
    /// read one by one, so that a long journal takes little memory; that also makes it the fastest way through one.
    pub fn fold<T>(
        &self,
        seq: u64,
        mut state: T,
        mut step: impl FnMut(&mut T, Event),
    ) -> Result<T, ReadError> {
        let sql = format!("SELECT {COLUMNS} FROM event WHERE seq > ?1 ORDER BY seq");
        self.visit(&sql, params![number::to_sql(seq)], |event| step(&mut state, event))?;
        Ok(state)
    }

    /// The streams whose names start with `prefix`, by name; an empty prefix gives all.
    pub fn streams(&self, prefix: &str) -> Result<Vec<StreamId>, ReadError> {
        self.read(|connection| {
            let mut streams = Vec::new();
            let mut next = stream_from(connection, "stream >= ?1", prefix)?;
            while let Some(stream) = next.filter(|stream| stream.starts_with(prefix)) {
                next = stream_from(connection, "stream > ?1", &stream)?;
                streams.push(stream);
            }
            Ok(streams)
        })?
        .into_iter()
        .map(|stream| stream.parse().map_err(|error| self.unreadable(0, &error)))
        .collect()
    }

    /// The `seq` of the last event; 0 if there is none.
    pub fn last_seq(&self) -> Result<u64, ReadError> {
        let sql = "SELECT seq FROM event ORDER BY seq DESC LIMIT 1";
        let last = self.read(|connection| {
            connection.prepare_cached(sql)?.query_row([], |row| number::from_row(row, 0)).optional()
        })?;
        Ok(last.unwrap_or(0))
    }

    /// The leases that are held, by name.
    pub fn leases(&self) -> Result<Vec<Lease>, ReadError> {
        Ok(self.read(lease::all_held)?)
    }

    /// Recomputes the Merkle tree from the entries, and compares everything that can be compared.
    pub fn verify(&self) -> Result<Verified, VerifyError> {
        self.read(verify::verify)?
    }

    /// Copies the journal as it is now to a new file, checks the copy, and makes it durable.
    pub fn backup(&self, to: &Path) -> Result<BackupReport, BackupError> {
        let connection = self.connection()?;
        backup::write(&connection, to)
    }

    /// The journal's file.
    pub fn path(&self) -> &Path {
        &self.pool.path
    }

    fn events(&self, sql: &str, parameters: &[&dyn rusqlite::ToSql]) -> Result<Vec<Event>, ReadError> {
        let mut events = Vec::new();
        self.visit(sql, parameters, |event| events.push(event))?;
        Ok(events)
    }

    fn visit(
        &self,
        sql: &str,
        parameters: &[&dyn rusqlite::ToSql],
        mut visit: impl FnMut(Event),
    ) -> Result<(), ReadError> {
        let visited = self.read(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query(parameters)?;
            while let Some(row) = rows.next()? {
                match event(row) {
                    Ok(event) => visit(event),
                    Err(error) => return Ok(Err((row.get(0)?, error))),
                }
            }
            Ok(Ok(()))
        })?;
        visited.map_err(|(seq, error): (i64, _)| self.unreadable(seq.unsigned_abs(), error.as_ref()))
    }

    fn unreadable(&self, seq: u64, error: &dyn std::error::Error) -> ReadError {
        ReadError::Entry { path: self.pool.path.clone(), seq, reason: error.to_string() }
    }

    fn read<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StorageError> {
        let connection = self.connection()?;
        let result = read(&connection).map_err(|error| StorageError::new("read", &self.pool.path, &error))?;
        let mut idle = self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_LIMIT {
            idle.push(connection);
        }
        Ok(result)
    }

    fn connection(&self) -> Result<Connection, StorageError> {
        let idle = self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| connect_reader(&self.pool.path), Ok)
    }
}

/// The first stream that fulfils the condition: the index is jumped through, not read through.
fn stream_from(connection: &Connection, condition: &str, text: &str) -> rusqlite::Result<Option<String>> {
    let sql = format!("SELECT stream FROM event WHERE {condition} ORDER BY stream LIMIT 1");
    connection.prepare_cached(&sql)?.query_row([text], |row| row.get(0)).optional()
}

fn event(row: &Row<'_>) -> Result<Event, Box<dyn std::error::Error>> {
    Ok(Event {
        seq: number::from_row(row, 0)?,
        id: EventId::from_stored(row.get(1)?),
        time: Timestamp::from_micros(row.get(2)?),
        stream: StreamId::try_from(row.get::<_, String>(3)?)?,
        version: number::from_row(row, 4)?,
        kind: EventKind::try_from(row.get::<_, String>(5)?)?,
        actor: row.get(6)?,
        payload: serde_json::from_str(row.get_ref(7)?.as_str()?)?,
    })
}
