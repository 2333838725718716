//! The worker thread, and how the control plane of the edge speaks to it.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::{LocalSet, spawn_local, yield_now};

use super::accept::Doors;
use super::clock::Clock;
use super::comparer::Comparer;
use super::random::Random;
use super::room::Rooms;
use super::stream::Buffers;
use super::view::View;
use crate::edge::Limits;
use crate::routing::{CompiledTable, ConnectionCounters, ConnectionShard, CookieKey, Cookies};
use crate::telemetry::AccessLog;
use crate::tls::Encryption;

/// How often idle connections are looked through, and the clock is set.
const HOUSEKEEPING: Duration = Duration::from_secs(1);

/// How long before connections are cut tunnels are told to end.
const FAREWELL: Duration = Duration::from_secs(2);

/// What all workers read.
#[derive(Debug)]
pub(crate) struct Shared {
    /// The table in use. A store here is the switch: every request that begins after it sees the new table.
    pub(crate) table: ArcSwap<CompiledTable>,
    pub(crate) limits: Limits,
    /// How many workers there are.
    pub(crate) workers: usize,
    pub(crate) rooms: Rooms,
    pub(crate) comparer: Comparer,
    pub(crate) connections: Arc<ConnectionCounters>,
    /// Signs the cookies by which clients are known again.
    pub(crate) cookie_key: Arc<CookieKey>,
    /// Certificates, and the handshakes with them.
    pub(crate) encryption: Arc<Encryption>,
}

/// What a worker is told.
pub(crate) enum Command {
    /// Take up these listeners, close those that the table in use no longer names, and answer when this worker uses it;
    /// and again when it needs nothing of the table before any more.
    Use {
        listeners: Vec<(SocketAddr, TcpListener)>,
        done: oneshot::Sender<()>,
        prepared: oneshot::Sender<()>,
    },
    /// Accept nothing new, finish what is in flight for at most this long, and end. Said again, it can only be shorter.
    Stop { grace: Duration },
}

/// A running worker.
#[derive(Debug)]
pub(crate) struct WorkerHandle {
    pub(crate) commands: mpsc::UnboundedSender<Command>,
    pub(crate) thread: JoinHandle<()>,
}

/// Starts a worker, which writes what it has answered to its end of the access log. `ended` is told its index when its thread ends, for whatever reason.
pub(crate) fn spawn(
    index: usize,
    shared: Arc<Shared>,
    access_log: AccessLog,
    ended: mpsc::UnboundedSender<usize>,
) -> io::Result<WorkerHandle> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let random = Random::from_system()?;
    let (commands, inbox) = mpsc::unbounded_channel();
    let thread = std::thread::Builder::new().name(format!("edge-worker-{index}")).spawn(move || {
        let _notice = EndNotice { index, ended };
        let local = LocalSet::new();
        local.block_on(&runtime, async move {
            Worker::new(index, shared, access_log, random).run(inbox).await;
        });
    })?;
    Ok(WorkerHandle { commands, thread })
}

/// Says that the thread ended, also when it panicked.
struct EndNotice {
    index: usize,
    ended: mpsc::UnboundedSender<usize>,
}

impl Drop for EndNotice {
    fn drop(&mut self) {
        // Nobody listens any more when the edge is stopping.
        let _ = self.ended.send(self.index);
    }
}

/// What the tasks of one worker thread share.
pub(super) struct Worker {
    pub(super) index: usize,
    pub(super) limits: Limits,
    pub(super) random: Random,
    pub(super) access_log: AccessLog,
    /// The cookies by which clients are known again.
    pub(super) cookies: Cookies,
    pub(super) clock: Clock,
    pub(super) buffers: Buffers,
    /// Woken when the table has changed, for requests that wait for an endpoint.
    pub(super) changed: Notify,
    /// Requests that wait for an endpoint now.
    pub(super) held: Cell<usize>,
    /// When connections are cut, once the worker is stopping.
    cuts_at: Cell<Option<Instant>>,
    shared: Arc<Shared>,
    view: RefCell<Rc<View>>,
}

impl Worker {
    fn new(index: usize, shared: Arc<Shared>, access_log: AccessLog, random: Random) -> Self {
        let view = View::first(Arc::clone(&shared));
        Self {
            index,
            limits: shared.limits,
            random,
            access_log,
            cookies: Cookies::new(Arc::clone(&shared.cookie_key)),
            clock: Clock::new(),
            buffers: Buffers::default(),
            changed: Notify::new(),
            held: Cell::new(0),
            cuts_at: Cell::new(None),
            view: RefCell::new(Rc::new(view)),
            shared,
        }
    }

    /// The table in use, with this thread's connections behind it.
    pub(super) fn view(&self) -> Rc<View> {
        let table = self.shared.table.load();
        if !Arc::ptr_eq(&table, &self.view.borrow().table) {
            let next = self.view.borrow().next(Arc::clone(&table));
            self.view.replace(Rc::new(next));
        }
        Rc::clone(&self.view.borrow())
    }

    /// By when tunnels are to have ended, if the worker is stopping.
    pub(super) fn leaves_at(&self) -> Option<Instant> {
        self.cuts_at.get().map(|cut| cut.checked_sub(FAREWELL).unwrap_or(cut))
    }

    pub(super) fn encryption(&self) -> &Encryption {
        &self.shared.encryption
    }

    pub(super) fn comparer(&self) -> &Comparer {
        &self.shared.comparer
    }

    /// Where this worker counts what concerns no route.
    pub(super) fn connections(&self) -> &ConnectionShard {
        self.shared.connections.shard(self.index)
    }

    /// Whether the table is still the one of this view.
    pub(super) fn is_current(&self, view: &View) -> bool {
        Arc::ptr_eq(&self.shared.table.load(), &view.table)
    }

    async fn run(self, mut inbox: mpsc::UnboundedReceiver<Command>) {
        let worker = Rc::new(self);
        let mut doors = Doors::new(Rc::clone(&worker));
        let mut housekeeping = tokio::time::interval(HOUSEKEEPING);
        let grace = loop {
            tokio::select! {
                command = inbox.recv() => match command {
                    Some(Command::Use { listeners, done, prepared }) => {
                        doors.use_table(&worker.view(), listeners);
                        worker.use_table(done, prepared);
                    }
                    Some(Command::Stop { grace }) => break grace,
                    None => break Duration::ZERO,
                },
                _ = housekeeping.tick() => worker.keep_house(),
            }
        };
        worker.leave_within(grace);
        let mut closed = pin!(doors.close());
        loop {
            tokio::select! {
                () = &mut closed => return,
                () = worker.cuts() => {
                    tracing::warn!("connections were cut: they had not ended in time");
                    return;
                }
                Some(command) = inbox.recv() => match command {
                    // An edge that was replaced follows the tables of the one in its place, until nothing is left here.
                    Command::Use { done, prepared, .. } => worker.use_table(done, prepared),
                    Command::Stop { grace } => {
                        worker.leave_within(grace);
                        worker.changed.notify_waiters();
                    }
                },
                _ = housekeeping.tick() => worker.keep_house(),
            }
        }
    }

    /// Uses the table that was switched to, and prepares for its routes between requests.
    fn use_table(&self, done: oneshot::Sender<()>, prepared: oneshot::Sender<()>) {
        let view = self.view();
        self.changed.notify_waiters();
        // The asker may have given up waiting; the table is in use all the same.
        let _ = done.send(());
        spawn_local(async move {
            while view.prepare() {
                yield_now().await;
            }
            let _ = prepared.send(());
        });
    }

    fn keep_house(&self) {
        self.clock.set();
        self.view().close_idle(self.limits.upstream_idle);
    }

    /// Has connections cut after this time, unless they are to be earlier.
    fn leave_within(&self, grace: Duration) {
        let cut = Instant::now().checked_add(grace);
        let earlier = [self.cuts_at.get(), cut].into_iter().flatten().min();
        self.cuts_at.set(earlier);
    }

    /// Waits until connections are cut.
    async fn cuts(&self) {
        match self.cuts_at.get() {
            Some(cut) => tokio::time::sleep_until(cut.into()).await,
            None => std::future::pending().await,
        }
    }
}
