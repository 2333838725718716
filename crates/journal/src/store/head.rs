//! The one row that says how far the journal has come. It is written in the transaction of the events it counts.

use pilotage_spec::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use crate::merkle::Tree;

/// How far the journal has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    /// The journal's random id, the first part of the id of each event.
    pub(crate) journal: String,
    /// The Merkle tree over all events; its size is the last `seq`.
    pub(crate) tree: Tree,
    /// The time of the last event.
    pub(crate) last_time: Timestamp,
}

/// The head's columns as they are stored.
pub(crate) struct StoredHead {
    pub(crate) journal: String,
    pub(crate) size: i64,
    pub(crate) root: Vec<u8>,
    pub(crate) edge: Vec<u8>,
}

impl StoredHead {
    pub(crate) fn load(connection: &Connection) -> rusqlite::Result<Option<Self>> {
        let sql = "SELECT journal, size, root, edge FROM head WHERE only = 1";
        let row = connection.query_row(sql, [], |row| {
            Ok(Self { journal: row.get(0)?, size: row.get(1)?, root: row.get(2)?, edge: row.get(3)? })
        });
        row.optional()
    }

    /// The tree, or what is wrong with it.
    pub(crate) fn tree(&self) -> Result<Tree, &'static str> {
        let size = u64::try_from(self.size).map_err(|_| "its size is negative")?;
        let tree = Tree::from_edge_bytes(size, &self.edge).ok_or("its edge does not fit its size")?;
        if tree.root().as_slice() != self.root {
            return Err("its root does not fit its edge");
        }
        Ok(tree)
    }
}

impl Head {
    /// Reads the head, or says what is wrong with it.
    pub(crate) fn load(connection: &Connection) -> rusqlite::Result<Result<Self, &'static str>> {
        let Some(stored) = StoredHead::load(connection)? else { return Ok(Err("it is missing")) };
        let last_time = connection
            .query_row("SELECT time FROM event ORDER BY seq DESC LIMIT 1", [], |row| row.get(0))
            .optional()?;
        let last_time = Timestamp::from_micros(last_time.unwrap_or(i64::MIN));
        Ok(stored.tree().map(|tree| Self { journal: stored.journal, tree, last_time }))
    }

    /// Writes the head of a new journal.
    pub(crate) fn create(connection: &Connection, journal: &str) -> rusqlite::Result<()> {
        let tree = Tree::default();
        let sql = "INSERT INTO head (only, journal, size, root, edge) VALUES (1, ?1, 0, ?2, ?3)";
        connection.execute(sql, params![journal, tree.root(), tree.edge_bytes()]).map(|_| ())
    }

    /// Writes the tree.
    pub(crate) fn store(&self, connection: &Connection) -> rusqlite::Result<()> {
        let sql = "UPDATE head SET size = ?1, root = ?2, edge = ?3 WHERE only = 1";
        let size = crate::number::to_sql(self.tree.size());
        let mut statement = connection.prepare_cached(sql)?;
        statement.execute(params![size, self.tree.root(), self.tree.edge_bytes()]).map(|_| ())
    }
}
