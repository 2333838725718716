//! The thread that owns the writing connection.
//!
//! It takes whatever jobs have queued up, runs them in one transaction, and answers each of them after the commit has
//! reached the disk: one flush for many jobs. It knows nothing of what the jobs do.

use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use pilotage_spec::Timestamp;
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, oneshot, watch};

use crate::store::{Head, StorageError};

/// The most jobs in one transaction, so that a reader of the log does not fall far behind.
const GROUP_LIMIT: usize = 256;
/// The most jobs that wait; more make their callers wait.
const QUEUE_LIMIT: usize = 1_024;

/// Says what time it is.
pub(crate) type Clock = Box<dyn Fn() -> Timestamp + Send>;

/// What a job works with: the open transaction of its group.
pub(crate) struct Batch<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) head: &'a mut Head,
    pub(crate) clock: &'a Clock,
}

/// The way to the writing thread. Dropping it finishes what is queued and closes the file.
pub(crate) struct Writer {
    path: PathBuf,
    jobs: Option<mpsc::Sender<Box<dyn Job>>>,
    head: watch::Receiver<u64>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread.
    pub(crate) fn start(
        path: &Path,
        connection: Connection,
        head: Head,
        clock: Clock,
    ) -> std::io::Result<Self> {
        let (jobs, queue) = mpsc::channel(QUEUE_LIMIT);
        let (published, receiver) = watch::channel(head.tree.size());
        let state = State { path: path.to_owned(), connection, head: Some(head), clock, published };
        let thread = std::thread::Builder::new().name("journal-writer".to_owned());
        let thread = thread.spawn(move || state.run(queue))?;
        Ok(Self { path: path.to_owned(), jobs: Some(jobs), head: receiver, thread: Some(thread) })
    }

    /// The last committed `seq`.
    pub(crate) fn head(&self) -> watch::Receiver<u64> {
        self.head.clone()
    }

    /// How many jobs wait for the next group.
    #[cfg(test)]
    pub(crate) fn queued(&self) -> usize {
        self.jobs.as_ref().map_or(0, |jobs| jobs.max_capacity() - jobs.capacity())
    }

    /// Runs `work` in a transaction, and says what it gave once that is committed. If the transaction fails, so does
    /// every job in it. A caller that stops waiting does not stop the work.
    pub(crate) async fn submit<T, F>(&self, work: F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Batch<'_>) -> rusqlite::Result<T> + Send + 'static,
    {
        let closed = || StorageError::Closed { path: self.path.clone() };
        let jobs = self.jobs.as_ref().ok_or_else(closed)?;
        let (reply, answer) = oneshot::channel();
        let task = Task { work: Some(work), outcome: None, reply };
        jobs.send(Box::new(task)).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A panic in the thread has been reported there, and everybody who waited has been told.
            drop(thread.join());
        }
    }
}

/// Work whose answer has to wait for the commit.
trait Job: Send {
    fn run(&mut self, batch: &mut Batch<'_>) -> rusqlite::Result<()>;
    fn answer(self: Box<Self>, committed: Result<(), StorageError>);
}

struct Task<T, F> {
    work: Option<F>,
    outcome: Option<T>,
    reply: oneshot::Sender<Result<T, StorageError>>,
}

impl<T, F> Job for Task<T, F>
where
    T: Send,
    F: FnOnce(&mut Batch<'_>) -> rusqlite::Result<T> + Send,
{
    fn run(&mut self, batch: &mut Batch<'_>) -> rusqlite::Result<()> {
        if let Some(work) = self.work.take() {
            self.outcome = Some(work(batch)?);
        }
        Ok(())
    }

    fn answer(self: Box<Self>, committed: Result<(), StorageError>) {
        // Without an outcome the group has failed before this job ran, so there is an error to report.
        let answer = match (committed, self.outcome) {
            (Err(error), _) => Err(error),
            (Ok(()), Some(outcome)) => Ok(outcome),
            (Ok(()), None) => return,
        };
        // Nobody may be waiting any more; the work is done all the same.
        drop(self.reply.send(answer));
    }
}

/// What the thread owns.
struct State {
    path: PathBuf,
    connection: Connection,
    /// `None` after a failure: it is read again before the next group.
    head: Option<Head>,
    clock: Clock,
    published: watch::Sender<u64>,
}

impl State {
    fn run(mut self, mut queue: mpsc::Receiver<Box<dyn Job>>) {
        let mut group = Vec::new();
        while let Some(first) = queue.blocking_recv() {
            group.push(first);
            while group.len() < GROUP_LIMIT
                && let Ok(job) = queue.try_recv()
            {
                group.push(job);
            }
            let committed = self.commit(&mut group);
            for job in group.drain(..) {
                job.answer(committed.clone());
            }
        }
    }

    fn commit(&mut self, group: &mut [Box<dyn Job>]) -> Result<(), StorageError> {
        let mut head = self.take_head()?;
        let before = head.tree.size();
        self.transact(&mut head, group).map_err(|error| StorageError::new("write to", &self.path, &error))?;
        let size = head.tree.size();
        self.head = Some(head);
        if size != before {
            self.published.send_replace(size);
        }
        Ok(())
    }

    fn take_head(&mut self) -> Result<Head, StorageError> {
        if let Some(head) = self.head.take() {
            return Ok(head);
        }
        let head = Head::load(&self.connection).map_err(|e| StorageError::new("read", &self.path, &e))?;
        head.map_err(|reason| StorageError::Damaged {
            path: self.path.clone(),
            reason: format!("the head: {reason}"),
        })
    }

    fn transact(&mut self, head: &mut Head, group: &mut [Box<dyn Job>]) -> rusqlite::Result<()> {
        let before = head.tree.size();
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut batch = Batch { connection: &transaction, head, clock: &self.clock };
        for job in group {
            job.run(&mut batch)?;
        }
        if head.tree.size() != before {
            head.store(&transaction)?;
        }
        transaction.commit()
    }
}
