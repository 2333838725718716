//! Opening a connection that many are waiting for.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;

use tokio::sync::Notify;

use super::http2::{MOST_STREAMS, Shared};

/// A connection that is being opened, for as many exchanges as it is going to have room for: they would otherwise open one
/// each when all of them come at once.
pub(super) struct Attempt {
    outcome: RefCell<Option<Result<Shared, io::ErrorKind>>>,
    /// For how many more there will be room.
    places: Cell<usize>,
    over: Notify,
}

impl Attempt {
    fn new() -> Rc<Self> {
        // One place is for whoever opens the connection.
        Rc::new(Self {
            outcome: RefCell::default(),
            places: Cell::new(MOST_STREAMS - 1),
            over: Notify::new(),
        })
    }

    /// Whether there will be room for another one, who has to wait for it.
    pub(super) fn take_place(&self) -> bool {
        let places = self.places.get();
        self.places.set(places.saturating_sub(1));
        places > 0 && self.outcome.borrow().is_none()
    }

    /// Waits until it is over.
    pub(super) async fn outcome(&self) -> Result<Shared, io::ErrorKind> {
        loop {
            if let Some(outcome) = &*self.outcome.borrow() {
                return outcome.clone();
            }
            self.over.notified().await;
        }
    }
}

/// What whoever opens the connection holds: if it gives up, those who wait hear of it.
pub(super) struct Attempting(pub(super) Rc<Attempt>);

impl Attempting {
    pub(super) fn new() -> Self {
        Self(Attempt::new())
    }

    pub(super) fn end(&self, outcome: Result<Shared, io::ErrorKind>) {
        self.0.outcome.borrow_mut().get_or_insert(outcome);
        self.0.over.notify_waiters();
    }
}

impl Drop for Attempting {
    fn drop(&mut self) {
        self.end(Err(io::ErrorKind::Interrupted));
    }
}
