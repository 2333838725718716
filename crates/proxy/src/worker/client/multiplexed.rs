//! A client's HTTP/2 connection: its streams, and how it ends.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use tokio::task::spawn_local;

use super::connection::{Closing, LAST_WORDS, Visitor};
use super::http2::Http2Client;
use crate::http1::{HeadFault, LONGEST_HEAD};
use crate::http2::{Accepted, Role, Settings};
use crate::message::RequestHead;
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

/// How long a connection without streams keeps what it needs for the next one.
const PAUSE: Duration = Duration::from_secs(1);

/// Tasks that a connection keeps for its next streams while there are others.
const MOST_RESTING: usize = 32;

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
        shared: Rc::new(Shared { visitor, streams: RefCell::default() }),
    };
    poll_fn(|cx| talk.poll(cx)).await;
}

/// What the streams of a connection share.
struct Shared {
    visitor: Visitor,
    streams: RefCell<Waiting>,
}

/// Streams without a task, and tasks without a stream: tasks are used again, since making one costs as much as answering.
#[derive(Default)]
struct Waiting {
    opened: VecDeque<Opened>,
    resting: Vec<Waker>,
    /// How many tasks are to end.
    unneeded: usize,
    /// The connection is gone: nobody rests any more.
    over: bool,
}

/// A stream that is to be answered.
struct Opened {
    stream: Stream,
    head: RequestHead,
    read: Result<(), HeadFault>,
}

impl Shared {
    /// Has a stream answered.
    fn hand_on(self: &Rc<Self>, opened: Opened) {
        let mut streams = self.streams.borrow_mut();
        streams.opened.push_back(opened);
        match streams.resting.pop() {
            Some(task) => task.wake(),
            None => drop(spawn_local(answer_streams(Rc::clone(self)))),
        }
    }

    /// Waits for the next stream; none if this task is not needed any more.
    fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Option<Opened>> {
        let mut streams = self.streams.borrow_mut();
        if let Some(opened) = streams.opened.pop_front() {
            return Poll::Ready(Some(opened));
        }
        if streams.over || streams.unneeded > 0 || streams.resting.len() >= MOST_RESTING {
            streams.unneeded = streams.unneeded.saturating_sub(1);
            return Poll::Ready(None);
        }
        streams.resting.push(cx.waker().clone());
        Poll::Pending
    }

    /// Ends the tasks that rest.
    fn dismiss(&self) {
        let mut streams = self.streams.borrow_mut();
        streams.unneeded += streams.resting.len();
        streams.resting.drain(..).for_each(Waker::wake);
    }

    /// Ends all tasks that have no stream.
    fn end(&self) {
        let opened = {
            let mut streams = self.streams.borrow_mut();
            streams.over = true;
            std::mem::take(&mut streams.opened)
        };
        drop(opened);
        self.dismiss();
    }
}

/// What a connection is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Patience {
    /// Streams are open, which have limits of their own.
    Serving,
    /// It is to begin.
    Beginning,
    /// It is to open a stream, and may do so at once.
    Pausing,
    /// It is to open a stream, and keeps no memory for it.
    Idle,
    /// It is to take what was said last.
    Ending,
}

/// A client's connection, as its own task holds it.
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
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) if self.patience == Patience::Pausing => self.rest(cx),
            Poll::Ready(()) if self.leaving || self.patience != Patience::Idle => Poll::Ready(()),
            Poll::Ready(()) => self.leave(cx),
        }
    }

    /// Gives back what is only needed for streams.
    fn rest(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.connection.session().trim();
        self.shared.dismiss();
        self.patience = Patience::Idle;
        let limit = self.shared.visitor.worker.limits.client_idle;
        self.deadline.set(Instant::now() + limit.saturating_sub(PAUSE));
        self.poll(cx)
    }

    fn accept(&mut self) {
        loop {
            let accepted = self.connection.session().accept();
            let Some(Accepted { slot, head, read }) = accepted else { return };
            self.shared.hand_on(Opened { stream: Stream::new(&self.connection, slot), head, read });
        }
    }

    /// Sets the deadline anew when something else is waited for.
    fn wait_for(&mut self) {
        let limits = self.shared.visitor.worker.limits;
        let session = self.connection.session();
        let (patience, limit) = if session.is_over() || self.driver.has_said_all() {
            (Patience::Ending, LAST_WORDS)
        } else if session.is_new() {
            (Patience::Beginning, limits.request_head.min(limits.client_idle))
        } else if session.open_streams() > 0 {
            (Patience::Serving, Duration::ZERO)
        } else if self.patience == Patience::Idle {
            return;
        } else {
            (Patience::Pausing, PAUSE.min(limits.client_idle))
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

impl Drop for Talk {
    fn drop(&mut self) {
        self.shared.end();
    }
}

/// Answers one stream after the other.
async fn answer_streams(shared: Rc<Shared>) {
    let visitor = &shared.visitor;
    let mut desk = Desk::new(Forwarding::new(visitor.peer, visitor.listen, visitor.is_secure()));
    while let Some(opened) = poll_fn(|cx| shared.poll_next(cx)).await {
        let Opened { stream, head, read } = opened;
        stream.give_back(std::mem::replace(&mut desk.request, head));
        let mut client = Http2Client::new(stream, &desk.request);
        let exchange = Exchange::new(visitor, &mut client, &mut desk);
        let outcome = match read {
            Ok(()) => exchange.run().await,
            Err(fault) => exchange.refuse(unreadable(fault)).await,
        };
        if !matches!(outcome, Outcome::Answered) {
            client.cut();
        }
    }
}
