//! Leases: who may act on something, and fencing tokens that tell an old holder from the present one.

use pilotage_spec::{NameError, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::append::check_actor;
use crate::store::StorageError;
use crate::writer::Batch;
use crate::{LeaseName, number};

/// Who holds a lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The person or program.
    pub who: String,
    /// What for: the id of a deployment.
    pub what: String,
}

/// A lease that is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// What it is for.
    pub name: LeaseName,
    /// Rises each time that the lease is given out, for ever. Never 0.
    pub token: u64,
    /// Who holds it.
    pub holder: Holder,
    /// Since when.
    pub since: Timestamp,
}

/// Why a lease was not given out or not given back.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LeaseError {
    /// Somebody has it.
    #[error("{} is held by {} for {}: wait for it, or abort it", .0.name, .0.holder.who, .0.holder.what)]
    Held(Lease),
    /// It is not held with the given token.
    #[error("lease {lease} is not held with token {token} (any more)")]
    NotHeld {
        /// The lease.
        lease: LeaseName,
        /// The token that was given.
        token: u64,
    },
    /// The holder is not a usable name.
    #[error(transparent)]
    Holder(NameError),
    /// The store failed; nothing has changed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// What is done when the lease is held already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WhenHeld {
    Refuse,
    TakeOver,
}

/// Both names of a holder must be usable.
pub(crate) fn check_holder(holder: &Holder) -> Result<(), LeaseError> {
    check_actor(&holder.who).and_then(|()| check_actor(&holder.what)).map_err(LeaseError::Holder)
}

/// Gives out the lease with the next token.
pub(crate) fn acquire(
    batch: &mut Batch<'_>,
    name: LeaseName,
    holder: Holder,
    when_held: WhenHeld,
) -> rusqlite::Result<Result<Lease, LeaseError>> {
    if when_held == WhenHeld::Refuse
        && let Some(lease) = held(batch.connection, &name)?
    {
        return Ok(Err(LeaseError::Held(lease)));
    }
    let since = (batch.clock)();
    let sql = "INSERT INTO lease (name, token, who, what, since) VALUES (?1, 1, ?2, ?3, ?4) \
               ON CONFLICT (name) DO UPDATE SET token = token + 1, who = ?2, what = ?3, since = ?4 \
               RETURNING token";
    let mut statement = batch.connection.prepare_cached(sql)?;
    let parameters = params![name.as_str(), holder.who, holder.what, since.as_micros()];
    let token = statement.query_row(parameters, |row| number::from_row(row, 0))?;
    Ok(Ok(Lease { name, token, holder, since }))
}

/// Takes the lease back. The row stays, so that the token goes on rising.
pub(crate) fn release(
    batch: &mut Batch<'_>,
    lease: LeaseName,
    token: u64,
) -> rusqlite::Result<Result<(), LeaseError>> {
    let sql = "UPDATE lease SET who = NULL, what = NULL, since = NULL \
               WHERE name = ?1 AND token = ?2 AND who IS NOT NULL";
    let mut statement = batch.connection.prepare_cached(sql)?;
    let released = statement.execute(params![lease.as_str(), number::to_sql(token)])?;
    Ok(if released == 1 { Ok(()) } else { Err(LeaseError::NotHeld { lease, token }) })
}

/// The token with which the lease is held now.
pub(crate) fn current_token(connection: &Connection, name: &LeaseName) -> rusqlite::Result<Option<u64>> {
    let sql = "SELECT token FROM lease WHERE name = ?1 AND who IS NOT NULL";
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_row([name.as_str()], |row| number::from_row(row, 0)).optional()
}

fn held(connection: &Connection, name: &LeaseName) -> rusqlite::Result<Option<Lease>> {
    let sql = "SELECT name, token, who, what, since FROM lease WHERE name = ?1 AND who IS NOT NULL";
    connection.prepare_cached(sql)?.query_row([name.as_str()], from_row).optional()
}

/// All leases that are held, by name.
pub(crate) fn all_held(connection: &Connection) -> rusqlite::Result<Vec<Lease>> {
    let sql = "SELECT name, token, who, what, since FROM lease WHERE who IS NOT NULL ORDER BY name";
    connection.prepare_cached(sql)?.query_map([], from_row)?.collect()
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Lease> {
    let name: String = row.get(0)?;
    let name = LeaseName::try_from(name).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
    })?;
    Ok(Lease {
        name,
        token: number::from_row(row, 1)?,
        holder: Holder { who: row.get(2)?, what: row.get(3)? },
        since: Timestamp::from_micros(row.get(4)?),
    })
}
