//! Exchanges with an instance that speaks HTTP/2 by prior knowledge, as gRPC servers do. Many share a connection.

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::task::spawn_local;

use super::connect::connect;
use super::link::{LinkFault, Outgoing};
use crate::Address;
use crate::http1::LONGEST_HEAD;
use crate::http2::{Broken, HeadWriter, Role, Settings};
use crate::message::{BodyLength, Fields, Name, ResponseHead};
use crate::worker::body::{BodyFault, Part};
use crate::worker::head::request_fields;
use crate::worker::http2::{Connection, Driver, Hold, Stream};
use crate::worker::stream::Inlet;
use crate::worker::thread::Worker;

/// Exchanges on one connection before another one is opened. Servers commonly allow a hundred.
pub(super) const MOST_STREAMS: usize = 100;

/// How much of one answer may be under way.
const STREAM_WINDOW: u32 = 256 * 1024;

const SETTINGS: Settings = Settings {
    streams: MOST_STREAMS as u32,
    stream_window: STREAM_WINDOW,
    // Enough for all streams: a client that does not take its answer must not hold up those of others.
    connection_window: MOST_STREAMS as u32 * STREAM_WINDOW,
    head: LONGEST_HEAD as u32,
};

/// A connection that many exchanges share.
#[derive(Clone)]
pub(super) struct Shared {
    connection: Hold,
    used: Rc<Use>,
}

/// How much a connection is used.
struct Use {
    /// Exchanges that use it now.
    exchanges: Cell<usize>,
    /// When the last one that was over ended.
    last: Cell<Instant>,
}

impl Shared {
    pub(super) async fn connect(address: &Address, limit: Duration, worker: &Rc<Worker>) -> io::Result<Self> {
        let io = connect(address, limit).await?;
        let connection = Connection::new(Role::Client, SETTINGS);
        let mut driver = Driver::new(Rc::clone(&connection), Rc::clone(worker), io, Inlet::default());
        // What goes wrong here is told to the exchanges that use it.
        spawn_local(async move { poll_fn(|cx| driver.poll(cx)).await });
        let used = Rc::new(Use { exchanges: Cell::new(0), last: Cell::new(Instant::now()) });
        Ok(Self { connection: Hold::on(&connection), used })
    }

    /// Whether it is of no further use: it has ended, or nobody has used it for so long.
    pub(super) fn is_done(&self, longest: Duration) -> bool {
        let unused = self.used.exchanges.get() == 0;
        self.connection.session().is_done() || (unused && self.used.last.get().elapsed() >= longest)
    }

    pub(super) fn has_room(&self) -> bool {
        let open = self.used.exchanges.get();
        open < MOST_STREAMS && self.connection.session().takes_requests()
    }

    /// An exchange on it.
    pub(super) fn link(&self) -> Http2Link {
        self.used.exchanges.set(self.used.exchanges.get() + 1);
        Http2Link {
            state: State::Unsent(self.connection.clone()),
            to_head: false,
            _place: Place(Rc::clone(&self.used)),
        }
    }
}

/// An exchange's place on its connection.
struct Place(Rc<Use>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.exchanges.set(self.0.exchanges.get().saturating_sub(1));
        self.0.last.set(Instant::now());
    }
}

/// One exchange.
pub(in crate::worker) struct Http2Link {
    state: State,
    to_head: bool,
    _place: Place,
}

enum State {
    Unsent(Hold),
    Sent(Stream),
    /// The connection takes no more, or what it should take cannot be said.
    Refused,
}

impl Http2Link {
    pub(super) fn begin(&mut self, outgoing: Outgoing<'_>) {
        let State::Unsent(connection) = std::mem::replace(&mut self.state, State::Refused) else { return };
        let length = outgoing.head.length;
        self.to_head = outgoing.head.is_head();
        let asked = connection
            .session()
            .ask(self.to_head, length == BodyLength::Empty, |out| write_head(out, outgoing));
        if let Ok(slot) = asked {
            let mut stream = Stream::held(connection, slot);
            stream.expect(length, outgoing.head.protocol);
            self.state = State::Sent(stream);
        }
    }

    fn stream(&mut self) -> io::Result<&mut Stream> {
        match &mut self.state {
            State::Sent(stream) => Ok(stream),
            State::Unsent(_) | State::Refused => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.stream()?.poll_write(cx, bytes)
    }

    pub(super) fn end(&mut self, trailers: &Fields) {
        if let Ok(stream) = self.stream() {
            stream.end(trailers);
        }
    }

    pub(super) fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        head: &mut ResponseHead,
    ) -> Poll<Result<(), LinkFault>> {
        let to_head = self.to_head;
        let Ok(stream) = self.stream() else { return Poll::Ready(Err(LinkFault::Unprocessed)) };
        match ready!(stream.poll_answer(cx, head)) {
            Ok(()) => {}
            Err(Broken::Unprocessed) => return Poll::Ready(Err(LinkFault::Unprocessed)),
            Err(Broken::Malformed) => return Poll::Ready(Err(LinkFault::Nonsense)),
            Err(Broken::Off) => return Poll::Ready(Err(LinkFault::Broken)),
        }
        if to_head || matches!(head.status, 204 | 304) {
            // These have no body. Whatever comes as one must not follow the head on a client's connection.
            stream.ignore_body();
        }
        Poll::Ready(Ok(()))
    }

    pub(super) fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Result<Part, BodyFault>> {
        self.stream()?.poll_body(cx)
    }

    pub(super) fn body_data(&self) -> &[u8] {
        match &self.state {
            State::Sent(stream) => stream.body_data(),
            State::Unsent(_) | State::Refused => &[],
        }
    }

    pub(super) fn take_body(&mut self, bytes: usize) {
        if let Ok(stream) = self.stream() {
            stream.take_body(bytes);
        }
    }

    pub(super) fn body_trailers(&self) -> &Fields {
        match &self.state {
            State::Sent(stream) => stream.body_trailers(),
            State::Unsent(_) | State::Refused => Fields::none(),
        }
    }
}

fn write_head(out: &mut HeadWriter<'_>, outgoing: Outgoing<'_>) {
    let (head, told) = (outgoing.head, outgoing.told);
    out.field(b":method", head.method());
    out.field(b":scheme", b"http");
    out.field(b":authority", told.host);
    out.field(b":path", head.target());
    for (name, value) in request_fields(head, told.drops_trace) {
        out.field(name, value);
    }
    for (_, name, value) in told.fields.iter() {
        out.field(name, value);
    }
    if head.fields.lists(Name::Te, "trailers") {
        out.field(b"te", b"trailers");
    }
}
