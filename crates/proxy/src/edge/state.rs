//! The state folder: the last table on disk, and the lock that lets one edge at a time use it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::EdgeError;
use crate::RoutingTable;

const TABLE: &str = "table.json";
const BROKEN: &str = "table.json.broken";
const STAGED: &str = "table.json.new";
const LOCK: &str = "edge.lock";

/// The state folder of this edge, locked for as long as the value lives.
#[derive(Debug)]
pub(super) struct StateFolder {
    path: PathBuf,
    _lock: File,
}

/// A table that has been written beside the one in use, and takes its place when it is committed.
#[derive(Debug)]
pub(super) struct StagedTable {
    file: File,
    folder: PathBuf,
}

impl StateFolder {
    /// Opens the folder, creating it if it is missing, and locks it.
    pub(super) fn open(path: &Path) -> Result<Self, EdgeError> {
        fs::create_dir_all(path).map_err(EdgeError::io(format!("creating {}", path.display())))?;
        let lock_path = path.join(LOCK);
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(EdgeError::io(format!("opening {}", lock_path.display())))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(EdgeError::StateInUse { folder: path.to_owned() }),
            Err(error) => {
                Err(EdgeError::Io { doing: format!("locking {}", lock_path.display()), source: error.into() })
            }
        }
    }

    /// The table of the edge before this one; empty if there was none. A file that cannot be used is moved aside and
    /// reported in the log: an edge that serves nothing until it is told is better than one that does not start.
    pub(super) fn load(&self) -> RoutingTable {
        let path = self.path.join(TABLE);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return RoutingTable::empty(),
            Err(error) => return self.start_empty(&path, &error.to_string()),
        };
        match parse(&text) {
            Ok(table) => table,
            Err(reason) => self.start_empty(&path, &reason),
        }
    }

    /// Writes the table beside the one in use. A full disk is noticed here, before anything has changed.
    pub(super) fn stage(&self, table: &RoutingTable) -> io::Result<StagedTable> {
        let text = serde_json::to_vec(table)?;
        let mut file = File::create(self.path.join(STAGED))?;
        file.write_all(&text)?;
        Ok(StagedTable { file, folder: self.path.clone() })
    }

    fn start_empty(&self, path: &Path, reason: &str) -> RoutingTable {
        let aside = self.path.join(BROKEN);
        let moved = match fs::rename(path, &aside) {
            Ok(()) => format!("it was moved to {}", aside.display()),
            Err(error) => format!("it could not be moved aside either: {error}"),
        };
        tracing::error!(
            "the routing table {} cannot be used ({reason}); {moved}. The edge starts without routes and serves \
             nothing until it is handed a table",
            path.display()
        );
        RoutingTable::empty()
    }
}

impl StagedTable {
    /// Makes the staged table the one that the next edge starts from; returns when that survives a power cut. Blocks.
    pub(super) fn commit(self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(self.folder.join(STAGED), self.folder.join(TABLE))?;
        File::open(&self.folder)?.sync_all()
    }
}

fn parse(text: &[u8]) -> Result<RoutingTable, String> {
    let table: RoutingTable = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    table.validate().map_err(|error| error.to_string())?;
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_committed_table_is_loaded_and_a_broken_one_moved_aside() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFolder::open(folder.path()).unwrap();
        assert_eq!(state.load(), RoutingTable::empty());

        let table = RoutingTable { epoch: 7, ..RoutingTable::empty() };
        state.stage(&table).unwrap().commit().unwrap();
        assert_eq!(state.load(), table);

        fs::write(folder.path().join(TABLE), "{\"format\":1,\"epo").unwrap();
        assert_eq!(state.load(), RoutingTable::empty());
        assert!(folder.path().join(BROKEN).exists());
        assert!(!folder.path().join(TABLE).exists());
    }

    #[test]
    fn a_second_edge_is_refused_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let _held = StateFolder::open(folder.path()).unwrap();
        assert!(matches!(StateFolder::open(folder.path()), Err(EdgeError::StateInUse { .. })));
    }
}
