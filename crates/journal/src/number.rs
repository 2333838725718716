//! SQLite's integers are signed; ours are not.

use rusqlite::Row;

/// A number as SQLite stores it. Numbers beyond its range do not occur in a journal: the greatest one stands for them.
pub(crate) fn to_sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A column that must not be negative.
pub(crate) fn from_row(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, number))
}
