//! The journal as the rest of the program sees it.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use pilotage_spec::Timestamp;
use tokio::sync::{oneshot, watch};

use crate::lease::{self, WhenHeld};
use crate::store::{Lock, OpenError, StorageError, open_writer};
use crate::writer::{Clock, Writer};
use crate::{
    Append, AppendError, BackupError, BackupReport, Event, Holder, Lease, LeaseError, LeaseName, ReadError,
    Reader, Redact, StreamId, Verified, VerifyError, append, record,
};

/// The append-only event store, open for writing. Cheap to clone.
///
/// Writing is asynchronous and is answered after it has reached the disk; a call that is no longer waited for may take
/// effect all the same. Reading blocks for as long as the disk takes. When the last clone is dropped, what is queued is
/// finished and the file is closed.
#[derive(Clone)]
pub struct Journal {
    inner: Arc<Inner>,
}

struct Inner {
    reader: Reader,
    writer: Writer,
    redact: OnceLock<Box<Redact>>,
    /// Last, so that the file is closed before another process may open it.
    _lock: Lock,
}

impl Journal {
    /// Opens the journal for writing, and makes it if it is not there. One process at a time can have it open so.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Self::open_with_clock(path, Box::new(system_time))
    }

    /// Opens a journal that is there for reading, whether or not a process writes to it.
    pub fn open_read_only(path: &Path) -> Result<Reader, OpenError> {
        Reader::open(path)
    }

    pub(crate) fn open_with_clock(path: &Path, clock: Clock) -> Result<Self, OpenError> {
        let open = open_writer(path)?;
        let failed =
            |source| OpenError::Io { action: "start the writer of", path: open.path.clone(), source };
        let writer = Writer::start(&open.path, open.connection, open.head, clock).map_err(failed)?;
        let reader = Reader::new(open.path);
        Ok(Self { inner: Arc::new(Inner { reader, writer, redact: OnceLock::new(), _lock: open.lock }) })
    }

    /// From now on every text of a payload passes this before it is recorded and hashed. Only the first call counts.
    pub fn redact_by(&self, redact: Box<Redact>) {
        let _ = self.inner.redact.set(redact);
    }

    /// Records events in one stream, all or none, and says them as recorded.
    pub async fn append(&self, append: Append) -> Result<Vec<Event>, AppendError> {
        self.append_all(vec![append]).await
    }

    /// Records events in several streams, all or none, in the order given.
    pub async fn append_all(&self, appends: Vec<Append>) -> Result<Vec<Event>, AppendError> {
        let parts = append::prepare(appends, self.inner.redact.get().map(Box::as_ref))?;
        self.inner.writer.submit(move |batch| record::append(batch, parts)).await?
    }

    /// See [`Reader::stream`].
    pub fn stream(&self, id: &StreamId, after_version: u64) -> Result<Vec<Event>, ReadError> {
        self.inner.reader.stream(id, after_version)
    }

    /// See [`Reader::after`].
    pub fn after(&self, seq: u64, limit: usize) -> Result<Vec<Event>, ReadError> {
        self.inner.reader.after(seq, limit)
    }

    /// See [`Reader::fold`].
    pub fn fold<T>(&self, seq: u64, state: T, step: impl FnMut(&mut T, Event)) -> Result<T, ReadError> {
        self.inner.reader.fold(seq, state, step)
    }

    /// See [`Reader::streams`].
    pub fn streams(&self, prefix: &str) -> Result<Vec<StreamId>, ReadError> {
        self.inner.reader.streams(prefix)
    }

    /// The `seq` of the last committed event, as it grows; 0 before the first.
    pub fn head(&self) -> watch::Receiver<u64> {
        self.inner.writer.head()
    }

    /// Takes a lease that is free.
    pub async fn acquire(&self, lease: LeaseName, holder: Holder) -> Result<Lease, LeaseError> {
        self.give_out(lease, holder, WhenHeld::Refuse).await
    }

    /// Takes a lease whether it is free or not, with a new token: whoever had it is fenced off from now on. A holder
    /// that comes back after a restart takes over from itself.
    pub async fn take_over(&self, lease: LeaseName, holder: Holder) -> Result<Lease, LeaseError> {
        self.give_out(lease, holder, WhenHeld::TakeOver).await
    }

    async fn give_out(
        &self,
        lease: LeaseName,
        holder: Holder,
        when_held: WhenHeld,
    ) -> Result<Lease, LeaseError> {
        lease::check_holder(&holder)?;
        self.inner.writer.submit(move |batch| lease::acquire(batch, lease, holder, when_held)).await?
    }

    /// Gives a lease back.
    pub async fn release(&self, lease: LeaseName, token: u64) -> Result<(), LeaseError> {
        self.inner.writer.submit(move |batch| lease::release(batch, lease, token)).await?
    }

    /// See [`Reader::leases`].
    pub fn leases(&self) -> Result<Vec<Lease>, ReadError> {
        self.inner.reader.leases()
    }

    /// See [`Reader::backup`]. Runs on a thread of its own; appends go on meanwhile.
    pub async fn backup(&self, to: &Path) -> Result<BackupReport, BackupError> {
        let (reader, to) = (self.reader(), to.to_owned());
        let (reply, answer) = oneshot::channel();
        let failed = |reason: String| {
            let path = self.path().to_owned();
            BackupError::Storage(StorageError::Failed { action: "back up", path, reason })
        };
        std::thread::Builder::new()
            .name("journal-backup".to_owned())
            .spawn(move || drop(reply.send(reader.backup(&to))))
            .map_err(|error| failed(error.to_string()))?;
        answer.await.map_err(|_| failed("its thread ended early".to_owned()))?
    }

    /// See [`Reader::verify`].
    pub fn verify(&self) -> Result<Verified, VerifyError> {
        self.inner.reader.verify()
    }

    /// The same journal for those who only read.
    pub fn reader(&self) -> Reader {
        self.inner.reader.clone()
    }

    /// The journal's file.
    pub fn path(&self) -> &Path {
        self.inner.reader.path()
    }

    #[cfg(test)]
    pub(crate) fn writer(&self) -> &Writer {
        &self.inner.writer
    }
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").field("path", &self.path()).finish_non_exhaustive()
    }
}

fn system_time() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(since_epoch.as_micros().try_into().unwrap_or(i64::MAX))
}
