//! A connection, as all who use it share it.

use std::cell::{Cell, RefCell, RefMut};
use std::rc::Rc;

use crate::http2::{Reason, Role, Session, Settings};

/// One end of a connection.
pub(in crate::worker) struct Connection {
    session: RefCell<Session>,
    holds: Cell<usize>,
    /// It ends when nobody holds on to it.
    ends_unused: bool,
}

impl Connection {
    pub(in crate::worker) fn new(role: Role, settings: Settings) -> Rc<Self> {
        let session = RefCell::new(Session::new(role, settings));
        Rc::new(Self { session, holds: Cell::new(0), ends_unused: role == Role::Client })
    }

    /// Whether it ends when nobody holds on to it.
    pub(super) fn ends_unused(&self) -> bool {
        self.ends_unused
    }

    /// The state of the connection. Nobody may keep it across a call of anything that could ask for it too.
    pub(in crate::worker) fn session(&self) -> RefMut<'_, Session> {
        self.session.borrow_mut()
    }
}

/// Keeps a connection open. Whoever moves its bytes has none.
pub(in crate::worker) struct Hold(Rc<Connection>);

impl Hold {
    pub(in crate::worker) fn on(connection: &Rc<Connection>) -> Self {
        connection.holds.set(connection.holds.get() + 1);
        Self(Rc::clone(connection))
    }
}

impl Clone for Hold {
    fn clone(&self) -> Self {
        Self::on(&self.0)
    }
}

impl std::ops::Deref for Hold {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.0
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let left = self.0.holds.get() - 1;
        self.0.holds.set(left);
        if left == 0 && self.0.ends_unused {
            self.0.session().close(Reason::NO_ERROR);
        }
    }
}
