//! The tables, and how an older file is brought up to date.

use rusqlite::{Connection, TransactionBehavior};

use super::head::Head;

/// In the file's header: tells a journal from other programs' databases. The bytes of `PLTG`.
pub(crate) const APPLICATION_ID: i32 = i32::from_be_bytes(*b"PLTG");

/// One script for each schema version, oldest first. A script that was released is never changed: files made by it are
/// out there. Version `n` is what the first `n` scripts make.
pub(crate) const MIGRATIONS: &[&str] = &["
    CREATE TABLE event (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL,
        time INTEGER NOT NULL,
        stream TEXT NOT NULL,
        version INTEGER NOT NULL,
        kind TEXT NOT NULL,
        actor TEXT NOT NULL,
        payload TEXT NOT NULL,
        salt BLOB NOT NULL,
        leaf BLOB NOT NULL,
        UNIQUE (stream, version)
    ) STRICT;
    CREATE TABLE head (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        journal TEXT NOT NULL,
        size INTEGER NOT NULL,
        root BLOB NOT NULL,
        edge BLOB NOT NULL
    ) STRICT;
    CREATE TABLE lease (
        name TEXT PRIMARY KEY,
        token INTEGER NOT NULL,
        who TEXT,
        what TEXT,
        since INTEGER
    ) STRICT, WITHOUT ROWID;
"];

/// The schema version that these scripts lead to.
pub(crate) fn newest(migrations: &[&str]) -> i32 {
    i32::try_from(migrations.len()).unwrap_or(i32::MAX)
}

/// The schema version of a file.
pub(crate) fn version(connection: &Connection) -> rusqlite::Result<i32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// The application id of a file.
pub(crate) fn application_id(connection: &Connection) -> rusqlite::Result<i32> {
    connection.pragma_query_value(None, "application_id", |row| row.get(0))
}

/// Fills an empty database.
pub(crate) fn create(connection: &mut Connection, journal: &str) -> rusqlite::Result<()> {
    migrate(connection, MIGRATIONS)?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    Head::create(connection, journal)
}

/// Runs the scripts that the file has not seen yet, all of them or none.
pub(crate) fn migrate(connection: &mut Connection, migrations: &[&str]) -> rusqlite::Result<()> {
    let found = version(connection)?;
    if found >= newest(migrations) {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for script in migrations.iter().skip(usize::try_from(found).unwrap_or(0)) {
        transaction.execute_batch(script)?;
    }
    transaction.pragma_update(None, "user_version", newest(migrations))?;
    transaction.commit()
}

/// Compares the tables with what the scripts make; says which one differs. A trigger or view that somebody added
/// could hide or change events, a lost constraint could let wrong ones in.
pub(crate) fn check(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let found = objects(connection)?;
    let seen = usize::try_from(version(connection)?).unwrap_or(0).min(MIGRATIONS.len());
    let mut model = Connection::open_in_memory()?;
    migrate(&mut model, &MIGRATIONS[..seen])?;
    let wanted = objects(&model)?;
    let differs = |one: &[(String, Option<String>)], other: &[(String, Option<String>)]| {
        one.iter().find(|object| !other.contains(object)).map(|(name, _)| name.clone())
    };
    Ok(differs(&found, &wanted).or_else(|| differs(&wanted, &found)))
}

/// The names and definitions of all tables, indexes, triggers and views.
fn objects(connection: &Connection) -> rusqlite::Result<Vec<(String, Option<String>)>> {
    let mut statement = connection.prepare("SELECT name, sql FROM sqlite_schema")?;
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEXT: &str = "CREATE TABLE sink (name TEXT PRIMARY KEY) STRICT;";

    fn tables(connection: &Connection) -> Vec<String> {
        objects(connection).unwrap().into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn an_older_file_gets_only_what_it_lacks() {
        let mut connection = Connection::open_in_memory().unwrap();
        create(&mut connection, "00").unwrap();
        assert_eq!(version(&connection).unwrap(), 1);
        let migrations = [MIGRATIONS[0], NEXT];
        migrate(&mut connection, &migrations).unwrap();
        assert_eq!(version(&connection).unwrap(), 2);
        assert!(tables(&connection).contains(&"sink".to_owned()));
        migrate(&mut connection, &migrations).unwrap();
        assert_eq!(version(&connection).unwrap(), 2);
    }

    #[test]
    fn a_failed_migration_leaves_the_file_as_it_was() {
        let mut connection = Connection::open_in_memory().unwrap();
        create(&mut connection, "00").unwrap();
        let before = tables(&connection);
        assert!(migrate(&mut connection, &[MIGRATIONS[0], NEXT, "CREATE TABLE broken ("]).is_err());
        assert_eq!(version(&connection).unwrap(), 1);
        assert_eq!(tables(&connection), before);
    }

    #[test]
    fn what_does_not_belong_there_is_named() {
        let mut connection = Connection::open_in_memory().unwrap();
        create(&mut connection, "00").unwrap();
        assert_eq!(check(&connection).unwrap(), None);
        let trigger = "CREATE TRIGGER evil AFTER INSERT ON event BEGIN DELETE FROM event; END";
        connection.execute_batch(trigger).unwrap();
        assert_eq!(check(&connection).unwrap(), Some("evil".to_owned()));
    }
}
