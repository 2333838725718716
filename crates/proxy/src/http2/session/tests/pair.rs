//! Two sessions, and between them what a connection does: it carries bytes, in pieces, as many as it has room for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Wake;

use super::*;

/// Whether a task has been woken.
#[derive(Debug)]
pub(super) struct Flag(AtomicBool);

impl Flag {
    /// A task is looked at once without being woken.
    pub(super) fn raised() -> Arc<Self> {
        Arc::new(Self(AtomicBool::new(true)))
    }

    pub(super) fn is_up(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn lower(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What moves the bytes of one session.
struct Carrier {
    woken: Arc<Flag>,
    /// What the session has said and the connection had no room for.
    outlet: Vec<u8>,
    /// What has come and is not a whole frame.
    arrived: Vec<u8>,
    /// What is on its way here.
    under_way: Vec<u8>,
}

impl Carrier {
    fn new() -> Self {
        Self { woken: Flag::raised(), outlet: Vec::new(), arrived: Vec::new(), under_way: Vec::new() }
    }
}

pub(super) struct Pair {
    pub(super) client: Session,
    pub(super) server: Session,
    carriers: [Carrier; 2],
    /// How much can be on its way, each way.
    capacity: usize,
    /// How much is read at once.
    piece: usize,
}

impl Pair {
    /// On a connection that takes everything at once.
    pub(super) fn of(client: Session, server: Session) -> Self {
        Self::on(client, server, usize::MAX, usize::MAX)
    }

    pub(super) fn on(client: Session, server: Session, capacity: usize, piece: usize) -> Self {
        Self { client, server, carriers: [Carrier::new(), Carrier::new()], capacity, piece }
    }

    pub(super) fn end(&mut self, role: Role) -> &mut Session {
        match role {
            Role::Client => &mut self.client,
            Role::Server => &mut self.server,
        }
    }

    /// Carries until nothing is left to be carried.
    pub(super) fn carry_all(&mut self) {
        while self.can_carry(Role::Client) || self.can_carry(Role::Server) {
            self.carry(Role::Client);
            self.carry(Role::Server);
        }
    }

    /// Whether there is anything to do for whoever moves the bytes of this end.
    pub(super) fn can_carry(&self, role: Role) -> bool {
        let (session, [own, other]) = match role {
            Role::Client => (&self.client, [0, 1]),
            Role::Server => (&self.server, [1, 0]),
        };
        let has_room = self.carriers[other].under_way.len() < self.capacity;
        let own = &self.carriers[own];
        own.woken.is_up()
            || (!own.under_way.is_empty() && !session.is_clogged())
            || (!own.outlet.is_empty() && has_room)
    }

    /// Does what whoever moves the bytes does when it is woken.
    pub(super) fn carry(&mut self, role: Role) {
        let (session, [own, other]) = match role {
            Role::Client => (&mut self.client, &mut self.carriers),
            Role::Server => {
                self.carriers.swap(0, 1);
                (&mut self.server, &mut self.carriers)
            }
        };
        own.woken.lower();
        session.drive();
        loop {
            let used = session.receive(&own.arrived).expect("an end does not keep to the protocol");
            own.arrived.drain(..used);
            loop {
                if own.outlet.is_empty() {
                    session.take_output(&mut own.outlet);
                }
                let room = self.capacity - other.under_way.len();
                let sent = own.outlet.len().min(room);
                if sent == 0 {
                    break;
                }
                other.under_way.extend(own.outlet.drain(..sent));
            }
            if session.is_clogged() || own.under_way.is_empty() {
                break;
            }
            let read = own.under_way.len().min(self.piece);
            own.arrived.extend(own.under_way.drain(..read));
        }
        session.rest(&mut Context::from_waker(&Arc::clone(&own.woken).into()));
        if role == Role::Server {
            self.carriers.swap(0, 1);
        }
    }
}
