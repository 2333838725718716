//! A client's HTTP/2 connection: its streams, and how it ends.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use tokio::task::spawn_local;

use super::connection::{Closing, LAST_WORDS, Visitor};
use super::http2::Http2Client;
use crate::http1::{HeadFault, LONGEST_HEAD};
use crate::http2::{Role, Settings};
use crate::worker::exchange::{Desk, Exchange, Outcome, unreadable};
use crate::worker::forwarding::Forwarding;
use crate::worker::http2::{Connection, Driver, Stream};
use crate::worker::stream::{Deadline, Inlet, Transport};

/// Streams may be opened 256 at a time, and much of one body may be under way, and of all of one connection.
const SETTINGS: Settings = Settings {
    streams: 256,
    stream_window: 256 * 1024,
    connection_window: 4 * 1024 * 1024,
    head: LONGEST_HEAD as u32,
};

/// Desks that a connection keeps for its next streams.
const MOST_DESKS: usize = 16;

/// Serves a connection of a client that speaks HTTP/2. `begun` has been read from it already.
pub(super) async fn converse(visitor: Visitor, io: Transport, begun: BytesMut) {
    let worker = Rc::clone(&visitor.worker);
    let connection = Connection::new(Role::Server, SETTINGS);
    let mut talk = Talk {
        driver: Driver::new(Rc::clone(&connection), worker, io, Inlet::of(begun)),
        connection,
        closing: Closing::of(&visitor),
        deadline: Deadline::default(),
        patience: Patience::Serving,
        leaving: false,
        shared: Rc::new(Shared { visitor, desks: RefCell::default() }),
    };
    poll_fn(|cx| talk.poll(cx)).await;
}

/// What the streams of a connection share.
struct Shared {
    visitor: Visitor,
    desks: RefCell<Vec<Desk>>,
}

impl Shared {
    fn desk(&self) -> Desk {
        let visitor = &self.visitor;
        let kept = self.desks.borrow_mut().pop();
        kept.unwrap_or_else(|| Desk::new(Forwarding::new(visitor.peer, visitor.listen, visitor.is_secure())))
    }

    fn keep(&self, desk: Desk) {
        let mut desks = self.desks.borrow_mut();
        if desks.len() < MOST_DESKS {
            desks.push(desk);
        }
    }
}

/// What a connection is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Patience {
    /// Streams are open, which have limits of their own.
    Serving,
    /// It is to begin.
    Beginning,
    /// It is to open a stream.
    Idle,
    /// It is to take what was said last.
    Ending,
}

struct Talk {
    shared: Rc<Shared>,
    connection: Rc<Connection>,
    driver: Driver,
    closing: Closing,
    deadline: Deadline,
    patience: Patience,
    /// The client has been told to open no more streams.
    leaving: bool,
}

impl Talk {
    /// Ready when the connection has ended.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.driver.poll(cx).is_ready() {
            return Poll::Ready(());
        }
        self.accept();
        if !self.leaving && self.closing.poll(cx).is_ready() {
            return self.leave(cx);
        }
        self.wait_for();
        match self.deadline.poll(cx) {
            Poll::Ready(()) if self.leaving || self.patience != Patience::Idle => Poll::Ready(()),
            Poll::Ready(()) => self.leave(cx),
            Poll::Pending => Poll::Pending,
        }
    }

    fn accept(&mut self) {
        loop {
            let accepted = self.connection.session().accept();
            let Some(accepted) = accepted else { return };
            let stream = Stream::new(&self.connection, accepted.slot);
            let mut desk = self.shared.desk();
            let spare = std::mem::replace(&mut desk.request, accepted.head);
            self.connection.session().give_back(spare);
            spawn_local(answer(Rc::clone(&self.shared), stream, desk, accepted.read));
        }
    }

    /// Sets the deadline anew when something else is waited for.
    fn wait_for(&mut self) {
        let limits = self.shared.visitor.worker.limits;
        let session = self.connection.session();
        let (patience, limit) = if session.is_over() {
            (Patience::Ending, LAST_WORDS)
        } else if session.is_new() {
            (Patience::Beginning, limits.request_head.min(limits.client_idle))
        } else if session.open_streams() == 0 {
            (Patience::Idle, limits.client_idle)
        } else {
            (Patience::Serving, Duration::ZERO)
        };
        if self.patience == patience {
            return;
        }
        self.patience = patience;
        match patience {
            Patience::Serving => self.deadline.clear(),
            _ => self.deadline.set(Instant::now() + limit),
        }
    }

    /// Tells the client with GOAWAY to open no more streams here; those that are open go on to their ends.
    fn leave(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.leaving = true;
        self.patience = Patience::Serving;
        self.deadline.clear();
        self.connection.session().leave();
        self.poll(cx)
    }
}

/// Answers one request.
async fn answer(shared: Rc<Shared>, stream: Stream, mut desk: Desk, read: Result<(), HeadFault>) {
    let mut client = Http2Client::new(stream, &desk.request);
    let exchange = Exchange::new(&shared.visitor, &mut client, &mut desk);
    let outcome = match read {
        Ok(()) => exchange.run().await,
        Err(fault) => exchange.refuse(unreadable(fault)).await,
    };
    if !matches!(outcome, Outcome::Answered) {
        client.cut();
    }
    shared.keep(desk);
}
