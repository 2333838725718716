//! One endpoint as one thread knows it: idle connections, load, and whether it could be reached lately.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::attempt::{Attempt, Attempting};
use super::http2::{Http2Link, Shared};
use super::{Http1Link, Link};
use crate::routing::Health;
use crate::worker::thread::Worker;
use crate::{Address, Endpoint, Protocol};

/// Idle connections kept by one thread to one endpoint.
const MOST_IDLE: usize = 256;

/// How many of the idle connections are looked at before a new one is opened instead.
const MOST_LOOKED_AT: usize = 8;

/// A request that must not be sent twice goes out on a connection that was used this recently, or on a new one: the
/// longer a connection was idle, the likelier its other end is about to close it.
const FRESH: Duration = Duration::from_millis(500);

/// One endpoint, as one thread knows it.
pub(in crate::worker) struct Upstream {
    /// The instance's name.
    pub(in crate::worker) instance: Arc<str>,
    pub(in crate::worker) address: Address,
    protocol: Protocol,
    pub(in crate::worker) in_flight: Cell<u32>,
    #[expect(clippy::vec_box, reason = "a link is handed over as it lies, boxed")]
    idle: RefCell<Vec<Box<Http1Link>>>,
    /// Connections that exchanges share.
    shared: RefCell<Vec<Shared>>,
    /// The next one of those, while it is being opened.
    opening: RefCell<Option<Rc<Attempt>>>,
    /// Named by no table any more: connections that come back are closed.
    retired: Cell<bool>,
    health: Cell<Health>,
    /// When this thread came to know it.
    since: Instant,
}

impl Upstream {
    pub(in crate::worker) fn new(endpoint: &Endpoint, protocol: Protocol, now: Instant) -> Self {
        Self {
            instance: endpoint.instance.as_str().into(),
            address: endpoint.address.clone(),
            protocol,
            in_flight: Cell::new(0),
            idle: RefCell::default(),
            shared: RefCell::default(),
            opening: RefCell::default(),
            retired: Cell::new(false),
            health: Cell::default(),
            since: now,
        }
    }

    /// An idle connection that can take a request now, the one used last first.
    fn take_idle(&self, repeatable: bool) -> Option<Link> {
        let mut idle = self.idle.borrow_mut();
        for _ in 0..MOST_LOOKED_AT {
            if !repeatable && idle.last()?.idle_for() >= FRESH {
                // Those before it were idle for longer still.
                return None;
            }
            let link = idle.pop()?;
            let silent = if repeatable { link.io.is_silent() } else { link.io.is_silent_for_certain() };
            if silent {
                return Some(Link::Http1(link));
            }
        }
        None
    }

    /// Place on a connection that other exchanges use too.
    fn take_shared(&self) -> Option<Link> {
        let shared = self.shared.borrow();
        let with_room = shared.iter().find(|shared| shared.has_room())?;
        Some(Link::Http2(Box::new(with_room.link())))
    }

    /// A connection that is open already, and can take a request now.
    pub(in crate::worker) fn take_open(&self, repeatable: bool) -> Option<Link> {
        match self.protocol {
            Protocol::Http1 => self.take_idle(repeatable),
            Protocol::Http2 => self.take_shared(),
        }
    }

    /// A new connection.
    pub(in crate::worker) async fn connect(&self, limit: Duration, worker: &Rc<Worker>) -> io::Result<Link> {
        match self.protocol {
            Protocol::Http1 => {
                let link = Http1Link::connect(&self.address, limit, Rc::clone(worker)).await?;
                Ok(Link::Http1(Box::new(link)))
            }
            Protocol::Http2 => {
                let link = tokio::time::timeout(limit, self.connect_shared(limit, worker)).await??;
                Ok(Link::Http2(Box::new(link)))
            }
        }
    }

    /// Place on a new connection, which others may have begun to open.
    async fn connect_shared(&self, limit: Duration, worker: &Rc<Worker>) -> io::Result<Http2Link> {
        let opening = self.opening.borrow().clone();
        if let Some(attempt) = opening.filter(|attempt| attempt.take_place()) {
            match attempt.outcome().await {
                Ok(shared) if shared.has_room() => return Ok(shared.link()),
                // Whoever opened it has given up for reasons of its own, or the instance wants fewer at a time.
                Ok(_) | Err(io::ErrorKind::Interrupted) => {}
                Err(kind) => return Err(kind.into()),
            }
        }
        let attempting = Attempting::new();
        self.opening.replace(Some(Rc::clone(&attempting.0)));
        let connected = Shared::connect(&self.address, limit, worker).await;
        let outcome = connected.as_ref().map(Shared::clone).map_err(io::Error::kind);
        attempting.end(outcome);
        let shared = connected?;
        if !self.retired.get() {
            self.shared.borrow_mut().push(shared.clone());
        }
        Ok(shared.link())
    }

    /// Keeps a connection that was opened and not used after all.
    pub(in crate::worker) fn park_unused(&self, link: Link) {
        match link {
            Link::Http1(link) => self.keep(link),
            Link::Http2(_) => {}
        }
    }

    /// Keeps a connection for the next request, if it can take one.
    pub(in crate::worker) fn park(&self, link: Link) {
        match link {
            Link::Http1(link) if link.is_reusable() => self.keep(link),
            Link::Http1(_) | Link::Http2(_) => {}
        }
    }

    fn keep(&self, mut link: Box<Http1Link>) {
        let mut idle = self.idle.borrow_mut();
        if !self.retired.get() && idle.len() < MOST_IDLE {
            link.rest();
            idle.push(link);
        }
    }

    pub(in crate::worker) fn close_idle(&self, longest: Duration) {
        self.idle.borrow_mut().retain(|link| link.idle_for() < longest && link.io.is_silent());
        self.shared.borrow_mut().retain(|shared| !shared.is_done(longest));
    }

    pub(in crate::worker) fn retire(&self) {
        self.retired.set(true);
        self.idle.borrow_mut().clear();
        // Exchanges under way hold on to their connection.
        self.shared.borrow_mut().clear();
    }

    /// Whether it is left out for a while.
    pub(in crate::worker) fn is_out(&self, now: Instant) -> bool {
        self.health.get().is_out(now)
    }

    /// How long this thread has known it.
    pub(in crate::worker) fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.since)
    }

    /// Notes how it has done; true if it is left out from now on.
    pub(in crate::worker) fn note(&self, change: impl FnOnce(&mut Health) -> bool) -> bool {
        let mut health = self.health.get();
        let left_out = change(&mut health);
        self.health.set(health);
        left_out
    }
}
