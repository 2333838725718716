//! The state folder: the last table on disk, and the lock that lets one edge at a time use it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, FlockOperation, fallocate, flock, fstat, stat};
use rustix::io::Errno;

use super::EdgeError;
use crate::{Route, RoutingTable};

const TABLE: &str = "table.json";
const BROKEN: &str = "table.json.broken";
const STAGED: &str = "table.json.new";
const LOCK: &str = "edge.lock";

/// The state folder of this edge, locked for as long as the value lives, unless the lock is handed to another edge.
#[derive(Debug)]
pub(super) struct StateFolder {
    path: PathBuf,
    /// The lock belongs to the open file, which may have descriptors in two processes; see flock(2).
    lock: Option<File>,
}

/// Room on the disk for a table, beside the one in use, whose place it takes when it is committed.
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
            Ok(()) => Ok(Self { path: path.to_owned(), lock: Some(lock) }),
            Err(Errno::WOULDBLOCK) => Err(EdgeError::StateInUse { folder: path.to_owned() }),
            Err(error) => {
                Err(EdgeError::Io { doing: format!("locking {}", lock_path.display()), source: error.into() })
            }
        }
    }

    /// Takes over the folder from another edge, with the open file that holds the lock.
    pub(super) fn taken_over(path: &Path, lock: OwnedFd) -> Result<Self, EdgeError> {
        let lock_path = path.join(LOCK);
        let doing = || format!("comparing {} with the lock of the edge before", lock_path.display());
        let own = stat(&lock_path).map_err(|error| EdgeError::io(doing())(error.into()))?;
        let given = fstat(&lock).map_err(|error| EdgeError::io(doing())(error.into()))?;
        if (own.st_dev, own.st_ino) != (given.st_dev, given.st_ino) {
            return Err(EdgeError::OtherFolder { folder: path.to_owned() });
        }
        Ok(Self { path: path.to_owned(), lock: Some(lock.into()) })
    }

    /// The open file that holds the lock, for another edge.
    pub(super) fn lock_duplicate(&self) -> io::Result<OwnedFd> {
        let lock = self.lock.as_ref().ok_or(io::ErrorKind::NotFound)?;
        Ok(lock.try_clone()?.into())
    }

    /// Lets go of the lock; it is held on if another edge has a duplicate.
    pub(super) fn let_go(&mut self) {
        self.lock = None;
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

    /// Makes room for a table beside the one in use. A full disk is noticed here, before anything has changed; to write
    /// the table takes longer, and is done when it is committed.
    pub(super) fn stage(&self, table: &RoutingTable) -> io::Result<StagedTable> {
        let file = File::create(self.path.join(STAGED))?;
        // What is not needed of it stays with the file: to give it back takes longer than to write the table.
        match fallocate(&file, FallocateFlags::KEEP_SIZE, 0, enough_for(table)) {
            // Not every file system can; then it is noticed later, and the table before is put back.
            Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS) => {}
            Err(error) => return Err(error.into()),
        }
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
    /// Makes a table the one that the next edge starts from; returns when that survives a power cut. Blocks.
    pub(super) fn commit(mut self, table: &RoutingTable) -> io::Result<()> {
        let text = serde_json::to_vec(table)?;
        self.file.write_all(&text)?;
        self.file.sync_all()?;
        fs::rename(self.folder.join(STAGED), self.folder.join(TABLE))?;
        File::open(&self.folder)?.sync_all()
    }
}

/// About twice as many bytes as a table takes.
fn enough_for(table: &RoutingTable) -> u64 {
    const TABLE: u64 = 4 * 1024;
    const ROUTE: u64 = 256;
    const ENDPOINT: u64 = 128;
    let endpoints = |route: &Route| route.pools.iter().map(|pool| pool.endpoints.len() as u64).sum::<u64>();
    table.routes.iter().fold(TABLE, |sum, route| sum + ROUTE + ENDPOINT * endpoints(route))
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
        state.stage(&table).unwrap().commit(&table).unwrap();
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

    #[test]
    fn the_lock_is_held_on_by_whom_it_was_handed_to() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut old = StateFolder::open(folder.path()).unwrap();
        let _another = StateFolder::open(other.path()).unwrap();
        let wrong = StateFolder::taken_over(other.path(), old.lock_duplicate().unwrap());
        assert!(matches!(wrong, Err(EdgeError::OtherFolder { .. })));

        let new = StateFolder::taken_over(folder.path(), old.lock_duplicate().unwrap()).unwrap();
        old.let_go();
        drop(old);
        assert!(matches!(StateFolder::open(folder.path()), Err(EdgeError::StateInUse { .. })));
        drop(new);
        StateFolder::open(folder.path()).unwrap();
    }
}
