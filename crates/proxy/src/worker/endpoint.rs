//! One endpoint as one thread knows it: idle connections, load, and whether it could be reached lately.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use super::link::Link;
use crate::Address;

/// Idle connections kept by one thread to one endpoint.
const MOST_IDLE: usize = 256;

/// How many of the idle connections are looked at before a new one is opened instead.
const MOST_LOOKED_AT: usize = 8;

/// A request that must not be sent twice goes out on a connection that was used this recently, or on a new one: the
/// longer a connection was idle, the likelier its other end is about to close it.
const FRESH: Duration = Duration::from_millis(500);

/// After the first failed connect an endpoint is left out for so long; twice as long after each further one.
const FIRST_EJECTION: Duration = Duration::from_millis(100);
const LONGEST_EJECTION: Duration = Duration::from_secs(5);

/// One endpoint, as one thread knows it.
pub(super) struct Upstream {
    pub(super) address: Address,
    pub(super) in_flight: Cell<u32>,
    idle: RefCell<Vec<Link>>,
    /// Named by no table any more: connections that come back are closed.
    retired: Cell<bool>,
    failures: Cell<u32>,
    ejected_until: Cell<Option<Instant>>,
}

impl Upstream {
    pub(super) fn new(address: Address) -> Self {
        Self {
            address,
            in_flight: Cell::new(0),
            idle: RefCell::default(),
            retired: Cell::new(false),
            failures: Cell::new(0),
            ejected_until: Cell::new(None),
        }
    }

    /// An idle connection that can take a request now, the one used last first.
    pub(super) fn take_idle(&self, repeatable: bool) -> Option<Link> {
        let mut idle = self.idle.borrow_mut();
        let mut index = idle.len();
        for _ in 0..MOST_LOOKED_AT {
            index = index.checked_sub(1)?;
            let link = &idle[index];
            if link.is_closed() {
                idle.remove(index);
            } else if repeatable && link.is_ready() {
                return Some(idle.remove(index));
            } else if !repeatable && link.idle_for() >= FRESH {
                // Those before it were idle for longer still.
                return None;
            } else if !repeatable && link.is_ready() {
                let link = idle.remove(index);
                if link.is_quiet() {
                    return Some(link);
                }
            }
        }
        None
    }

    /// Keeps a connection for the next request.
    pub(super) fn park(&self, mut link: Link) {
        let mut idle = self.idle.borrow_mut();
        if !self.retired.get() && !link.is_closed() && idle.len() < MOST_IDLE {
            link.rest();
            idle.push(link);
        }
    }

    pub(super) fn close_idle(&self, longest: Duration) {
        self.idle.borrow_mut().retain(|link| !link.is_closed() && link.idle_for() < longest);
    }

    pub(super) fn retire(&self) {
        self.retired.set(true);
        self.idle.borrow_mut().clear();
    }

    /// It could not be connected to: leave it out for a while.
    pub(super) fn eject(&self) {
        let failures = self.failures.get().min(16);
        self.failures.set(failures + 1);
        let pause = (FIRST_EJECTION * (1 << failures)).min(LONGEST_EJECTION);
        self.ejected_until.set(Some(Instant::now() + pause));
    }

    /// It could be connected to.
    pub(super) fn reached(&self) {
        self.failures.set(0);
        self.ejected_until.set(None);
    }

    pub(super) fn is_ejected(&self) -> bool {
        self.ejected_until.get().is_some_and(|until| Instant::now() < until)
    }
}
