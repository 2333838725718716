//! The thread that makes lines of entries and writes them.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{JoinHandle, park_timeout};
use std::time::{Duration, Instant};

use tokio::signal::unix::Signal;
use tokio::sync::oneshot;

use super::output::{Output, count_lines};
use super::ring::CAPACITY;
use super::{AccessEntry, AccessLog, AccessLogTarget, line, watch};
use crate::routing::AccessLogCounters;

/// How often empty rings are looked into. A full ring lasts through this at 400,000 requests a second.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How often it is looked whether the file was moved away.
const CHECK_EVERY: Duration = Duration::from_secs(1);
/// Lines are written when they have so many bytes together, or when there are no more.
const BATCH_BYTES: usize = 64 * 1024;

/// The thread that writes the access log.
#[derive(Debug)]
pub(crate) struct AccessLogWriter {
    wishes: Arc<Wishes>,
    counters: Arc<AccessLogCounters>,
    thread: JoinHandle<()>,
    /// Told when the last line is written.
    finished: oneshot::Receiver<()>,
}

/// What the thread is asked to do, and what it has to say.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    stop: AtomicBool,
    reopen: AtomicBool,
    /// Why lines could not be written last.
    trouble: Mutex<Option<String>>,
}

impl Wishes {
    /// Why lines could not be written last, since it was asked before.
    pub(super) fn take_trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn set_trouble(&self, trouble: String) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(trouble);
    }
}

impl AccessLogWriter {
    /// Opens the log if one is wanted, and starts the thread. Returns also each worker's end of it, wanted or not.
    pub(crate) fn start(
        target: Option<&AccessLogTarget>,
        workers: usize,
        counters: &Arc<AccessLogCounters>,
    ) -> io::Result<(Option<Self>, Vec<AccessLog>)> {
        let Some(target) = target else {
            return Ok((None, (0..workers).map(|_| AccessLog::off()).collect()));
        };
        let output = Output::open(target)?;
        let (logs, rings) =
            (0..workers).map(|_| AccessLog::with_capacity(CAPACITY, Arc::clone(counters))).unzip();
        let wishes = Arc::new(Wishes::default());
        let (finish, finished) = oneshot::channel();
        let mut writing = Writing {
            output,
            rings,
            wishes: Arc::clone(&wishes),
            counters: Arc::clone(counters),
            text: Vec::with_capacity(BATCH_BYTES * 2),
            told: false,
        };
        let thread = std::thread::Builder::new().name("edge-access-log".to_owned()).spawn(move || {
            writing.run();
            // Nobody waits for it when the edge was told to stop at once.
            let _ = finish.send(());
        })?;
        let writer = Self { wishes, counters: Arc::clone(counters), thread, finished };
        Ok((Some(writer), logs))
    }

    /// Opens the file anew at each such signal, and says in the edge's log when lines are dropped, for ever.
    pub(crate) fn attend(&self, mut reopen: Signal) -> impl Future<Output = ()> + Send + use<> {
        let (wishes, counters) = (Arc::clone(&self.wishes), Arc::clone(&self.counters));
        async move {
            let reopen_at_signal = async {
                while reopen.recv().await.is_some() {
                    wishes.reopen.store(true, Ordering::Release);
                }
            };
            tokio::join!(reopen_at_signal, watch::watch(&wishes, &counters));
        }
    }

    /// Writes out what was recorded before, for at most so long, and ends the log.
    pub(crate) async fn finish(self, limit: Duration) {
        self.wishes.stop.store(true, Ordering::Release);
        self.thread.thread().unpark();
        if tokio::time::timeout(limit, self.finished).await.is_err() {
            tracing::warn!("the access log cannot be written; its last lines are lost");
        }
    }
}

/// What the thread works with.
struct Writing {
    output: Output,
    rings: Vec<Receiver<AccessEntry>>,
    wishes: Arc<Wishes>,
    counters: Arc<AccessLogCounters>,
    text: Vec<u8>,
    /// Whether it was said that the file cannot be opened anew.
    told: bool,
}

impl Writing {
    fn run(&mut self) {
        let mut checked = Instant::now();
        loop {
            // Asked first: what was recorded before the wish is then in the rings that are emptied after it.
            let stop = self.wishes.stop.load(Ordering::Acquire);
            let reopen = self.wishes.reopen.swap(false, Ordering::AcqRel);
            if reopen || checked.elapsed() >= CHECK_EVERY {
                checked = Instant::now();
                self.reopen(reopen);
            }
            let found = self.empty_rings();
            match (found, stop) {
                (true, _) => {}
                (false, true) => return,
                (false, false) => park_timeout(LOOK_EVERY),
            }
        }
    }

    fn reopen(&mut self, always: bool) {
        match self.output.reopen(always) {
            Ok(lost) => {
                self.counters.add_dropped(u64::from(lost));
                self.told = false;
            }
            Err(error) if !self.told => {
                tracing::warn!(
                    "the access log cannot be opened anew: {error}; the file that is open goes on being used"
                );
                self.told = true;
            }
            Err(_) => {}
        }
    }

    /// Writes what the rings hold, and says whether there was anything. Each ring gets its turn: one that is filled
    /// faster than it is written must not keep the others from theirs.
    fn empty_rings(&mut self) -> bool {
        let mut found = false;
        for index in 0..self.rings.len() {
            for _ in 0..CAPACITY {
                let Some(Ok(entry)) = self.rings.get(index).map(Receiver::try_recv) else { break };
                found = true;
                line::append(&mut self.text, &entry);
                if self.text.len() >= BATCH_BYTES {
                    self.write();
                }
            }
        }
        if !self.text.is_empty() {
            self.write();
        }
        found
    }

    fn write(&mut self) {
        let begun_before = u64::from(self.output.lines.is_within_line());
        let written = self.output.lines.write(&self.text);
        let begun = u64::from(self.output.lines.is_within_line());
        let dropped = begun_before + count_lines(&self.text) - written.lines - begun;
        self.text.clear();
        self.counters.add_written(written.lines);
        self.counters.add_dropped(dropped);
        if let Some(error) = written.error {
            self.wishes.set_trouble(error.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Read;
    use std::path::Path;

    use super::super::entry::example;
    use super::*;

    /// Guards against a hang; never how long something should take.
    const PATIENCE: Duration = Duration::from_secs(20);

    fn start(path: &Path) -> (AccessLogWriter, Vec<AccessLog>, Arc<AccessLogCounters>) {
        let counters = Arc::new(AccessLogCounters::default());
        let target = AccessLogTarget::File(path.to_owned());
        let (writer, logs) = AccessLogWriter::start(Some(&target), 2, &counters).unwrap();
        (writer.unwrap(), logs, counters)
    }

    fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !holds() {
            assert!(begun.elapsed() < PATIENCE, "still not so: {what}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[tokio::test]
    async fn all_that_was_recorded_is_written_before_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("access.log");
        std::fs::write(&path, "what was there\n").unwrap();
        let (writer, logs, counters) = start(&path);
        for _ in 0..1_000 {
            logs.iter().for_each(|log| log.record(example()));
        }
        writer.finish(PATIENCE).await;

        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 2_001);
        let requests = text.lines().skip(1);
        assert!(requests.map(serde_json::from_str::<serde_json::Value>).all(|line| line.is_ok()));
        assert_eq!((counters.read().written, counters.read().dropped), (2_000, 0));
    }

    #[tokio::test]
    async fn a_rotated_file_is_left_within_a_while_and_nothing_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("access.log");
        let (writer, logs, counters) = start(&path);
        logs[0].record(example());
        eventually("the first line is written", || counters.read().written == 1);
        std::fs::rename(&path, folder.path().join("access.log.1")).unwrap();
        eventually("there is a new file", || path.exists());
        logs[1].record(example());
        writer.finish(PATIENCE).await;
        for name in ["access.log", "access.log.1"] {
            assert_eq!(std::fs::read_to_string(folder.path().join(name)).unwrap().lines().count(), 1);
        }
    }

    #[tokio::test]
    async fn a_full_disk_drops_lines_and_counts_them() {
        let (writer, logs, counters) = start(Path::new("/dev/full"));
        for _ in 0..100 {
            logs[0].record(example());
        }
        eventually("all lines are dropped", || counters.read().dropped == 100);
        assert!(writer.wishes.take_trouble().unwrap().contains("space"));
        writer.finish(PATIENCE).await;
        assert_eq!(counters.read().written, 0);
    }

    #[tokio::test]
    async fn a_pipe_that_nobody_reads_holds_up_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        // Opening a pipe to read waits for its writer, and the other way round.
        let (reader_path, (sender, receiver)) = (path.clone(), std::sync::mpsc::channel());
        let opening = std::thread::spawn(move || sender.send(File::open(reader_path).unwrap()).unwrap());
        let target = AccessLogTarget::File(path);
        let counters = Arc::new(AccessLogCounters::default());
        let mut started = None;
        eventually("the pipe has a reader", || {
            started = AccessLogWriter::start(Some(&target), 1, &counters).ok();
            started.is_some()
        });
        let (writer, logs) = started.unwrap();
        let writer = writer.unwrap();
        let mut reader = receiver.recv().unwrap();
        opening.join().unwrap();

        let mut recorded = 0;
        eventually("the ring is full", || {
            (0..CAPACITY).for_each(|_| logs[0].record(example()));
            recorded += CAPACITY as u64;
            counters.read().dropped > 0
        });
        writer.finish(Duration::from_millis(1)).await;
        // Whoever reads at last gets whole lines, and every line was counted.
        let reading = std::thread::spawn(move || {
            let mut text = String::new();
            reader.read_to_string(&mut text).unwrap();
            text
        });
        let text = reading.join().unwrap();
        let stats = counters.read();
        assert!(text.ends_with('\n'));
        assert_eq!(text.lines().count() as u64, stats.written);
        assert_eq!(stats.written + stats.dropped, recorded);
    }
}
