//! The walk over the entries.

use std::collections::HashMap;

use pilotage_spec::Digest;
use rusqlite::{Connection, ErrorCode, Row};

use super::finding::{Finding, Verified, VerifyError};
use crate::EventId;
use crate::append::SALT_BYTES;
use crate::leaf::Entry;
use crate::merkle::{Hash, Tree};
use crate::number;
use crate::store::{StoredHead, check_schema};

/// Findings that are told one by one; more are only counted.
const FINDINGS_LIMIT: usize = 20;
/// The last entries, which are checked whenever the journal is opened.
const TAIL: u64 = 256;

/// Checks the whole journal as it is at one moment.
pub(crate) fn verify(connection: &Connection) -> rusqlite::Result<Result<Verified, VerifyError>> {
    let mut audit = Audit::default();
    let tree = audit.guarded(connection, |audit| {
        audit.database(connection, "PRAGMA integrity_check(20)")?;
        audit.entries(connection, None)
    })?;
    Ok(match tree {
        Some(tree) if audit.findings.is_empty() => {
            Ok(Verified { size: tree.size(), root: Digest::from_bytes(tree.root()) })
        }
        _ => Err(VerifyError::Differs { findings: audit.findings, more: audit.more }),
    })
}

/// Checks the structure of the file, the head, and the last entries; says the first thing that is wrong.
pub(crate) fn check_tail(connection: &Connection) -> rusqlite::Result<Option<Finding>> {
    let mut audit = Audit::default();
    audit.guarded(connection, |audit| {
        audit.database(connection, "PRAGMA quick_check(1)")?;
        audit.entries(connection, Some(TAIL))
    })?;
    Ok(audit.findings.into_iter().next())
}

/// What has been found so far.
#[derive(Default)]
struct Audit {
    findings: Vec<Finding>,
    more: u64,
}

impl Audit {
    fn add(&mut self, finding: Finding) {
        if self.findings.len() < FINDINGS_LIMIT {
            self.findings.push(finding);
        } else {
            self.more += 1;
        }
    }

    /// Runs a check on one snapshot; damage that SQLite stumbles over is a finding too.
    fn guarded<T>(
        &mut self,
        connection: &Connection,
        check: impl FnOnce(&mut Self) -> rusqlite::Result<Option<T>>,
    ) -> rusqlite::Result<Option<T>> {
        let checked = connection.unchecked_transaction().and_then(|_snapshot| check(self));
        match checked {
            Err(error) if is_damage(&error) => {
                self.add(Finding::Database { reason: error.to_string() });
                Ok(None)
            }
            other => other,
        }
    }

    /// Lets SQLite check the file, and compares the tables with those of the journal.
    fn database(&mut self, connection: &Connection, pragma: &str) -> rusqlite::Result<()> {
        let mut statement = connection.prepare(pragma)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let line: String = row.get(0)?;
            if line != "ok" {
                self.add(Finding::Database { reason: line.replace('\n', ", ") });
            }
        }
        if let Some(name) = check_schema(connection)? {
            self.add(Finding::Schema { name });
        }
        Ok(())
    }

    /// Walks over the last `tail` entries, or all of them, and compares them with the head, whose tree it returns.
    fn entries(&mut self, connection: &Connection, tail: Option<u64>) -> rusqlite::Result<Option<Tree>> {
        let Some(head) = StoredHead::load(connection)? else {
            self.add(Finding::Head { reason: "it is missing".to_owned() });
            return Ok(None);
        };
        let tree = head.tree().map_err(|reason| self.add(Finding::Head { reason: reason.to_owned() })).ok();
        let size = tree.as_ref().map_or(0, Tree::size);
        let start = tail.map_or(0, |tail| size.saturating_sub(tail));
        let mut walk = Walk::new(self, &head.journal, start);
        walk.run(connection)?;
        if let Some(tree) = &tree {
            walk.compare(tree);
        }
        Ok(tree)
    }
}

fn is_damage(error: &rusqlite::Error) -> bool {
    let is_code =
        matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase));
    // A column of the wrong type, or text that is not UTF-8, where SQLite itself sees nothing wrong.
    is_code
        || matches!(
            error,
            rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::Utf8Error(..)
        )
}

/// A pass over the entries in order.
struct Walk<'a> {
    audit: &'a mut Audit,
    journal: &'a str,
    /// Entries up to this one are not looked at.
    start: u64,
    last_seq: u64,
    last_time: i64,
    versions: HashMap<String, u64>,
    /// The stored leaf hashes; those that differ from what they should be have been reported.
    leaves: Vec<Hash>,
    /// Nothing is missing so far, so that versions and the tree can be compared.
    is_complete: bool,
}

impl<'a> Walk<'a> {
    fn new(audit: &'a mut Audit, journal: &'a str, start: u64) -> Self {
        let (versions, leaves) = (HashMap::new(), Vec::new());
        Self {
            audit,
            journal,
            start,
            last_seq: start,
            last_time: i64::MIN,
            versions,
            leaves,
            is_complete: true,
        }
    }

    fn run(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let sql = "SELECT seq, id, time, stream, version, kind, actor, payload, salt, leaf FROM event \
                   WHERE seq > ?1 ORDER BY seq";
        let mut statement = connection.prepare(sql)?;
        // From the start also means what was put before it.
        let after = if self.start == 0 { i64::MIN } else { number::to_sql(self.start) };
        let mut rows = statement.query([after])?;
        while let Some(row) = rows.next()? {
            match stored(row) {
                Ok((entry, leaf)) => self.visit(&entry, leaf),
                Err(error) if row.get_ref(0).is_ok() => self.unreadable(row.get(0)?, &error),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn unreadable(&mut self, seq: i64, error: &rusqlite::Error) {
        self.audit.add(Finding::Unreadable { seq, reason: error.to_string() });
        self.is_complete = false;
        self.last_seq = u64::try_from(seq).unwrap_or(self.last_seq);
    }

    fn visit(&mut self, entry: &Entry<'_>, leaf: Hash) {
        self.check_seq(entry);
        let is_own = entry.id == EventId::new(self.journal, entry.seq).as_str();
        if !is_own || entry.salt.len() != SALT_BYTES || entry.leaf() != leaf {
            let (kind, stream) = (entry.kind.to_owned(), entry.stream.to_owned());
            self.audit.add(Finding::Changed { seq: entry.seq, kind, stream });
        } else {
            self.check_order(entry);
        }
        self.last_time = entry.time;
        self.versions.insert(entry.stream.to_owned(), entry.version);
        self.leaves.push(leaf);
    }

    fn check_seq(&mut self, entry: &Entry<'_>) {
        let expected = self.last_seq + 1;
        if entry.seq > expected {
            self.audit.add(Finding::Missing { first: expected, last: entry.seq - 1 });
            self.is_complete = false;
        }
        self.last_seq = entry.seq;
    }

    /// Only for entries whose hash is right; of the others it is known that they are wrong.
    fn check_order(&mut self, entry: &Entry<'_>) {
        if entry.time <= self.last_time {
            self.audit.add(Finding::Time { seq: entry.seq });
        }
        let before = match self.versions.get(entry.stream) {
            Some(version) => *version,
            None if self.start == 0 => 0,
            None => return,
        };
        if self.is_complete && entry.version != before + 1 {
            let (stream, expected) = (entry.stream.to_owned(), before + 1);
            self.audit.add(Finding::Version { seq: entry.seq, stream, expected, found: entry.version });
        }
    }

    /// Compares what was seen with the head's tree.
    fn compare(&mut self, tree: &Tree) {
        if self.last_seq < tree.size() {
            self.audit.add(Finding::Missing { first: self.last_seq + 1, last: tree.size() });
        } else if self.last_seq > tree.size() {
            self.audit.add(Finding::Added { first: tree.size() + 1, last: self.last_seq });
        }
        if !self.is_complete || self.last_seq != tree.size() {
            return;
        }
        for subtree in tree.subtrees().filter(|subtree| subtree.start >= self.start) {
            let mut seen = Tree::default();
            let skipped = usize::try_from(subtree.start - self.start).unwrap_or(usize::MAX);
            let count = usize::try_from(subtree.leaves).unwrap_or(usize::MAX);
            self.leaves.iter().skip(skipped).take(count).for_each(|leaf| seen.push(*leaf));
            if seen.root() != subtree.root {
                let (first, last) = (subtree.start + 1, subtree.start + subtree.leaves);
                self.audit.add(Finding::Forged { first, last });
            }
        }
    }
}

/// The columns of an entry, without making sense of them, and its stored hash.
fn stored<'row>(row: &'row Row<'_>) -> rusqlite::Result<(Entry<'row>, Hash)> {
    let text = |column: usize| -> rusqlite::Result<&'row str> {
        let value = row.get_ref(column)?;
        value.as_str().map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(column, value.data_type(), Box::new(error))
        })
    };
    let salt = row.get_ref(8)?;
    let salt = salt
        .as_blob()
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(8, salt.data_type(), Box::new(error)))?;
    let entry = Entry {
        seq: number::from_row(row, 0)?,
        id: text(1)?,
        time: row.get(2)?,
        stream: text(3)?,
        version: number::from_row(row, 4)?,
        kind: text(5)?,
        actor: text(6)?,
        payload: text(7)?,
        salt,
    };
    Ok((entry, row.get(9)?))
}
