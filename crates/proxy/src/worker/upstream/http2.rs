//! Exchanges with an instance that speaks HTTP/2 by prior knowledge, as gRPC servers do. Many share a connection.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::Reason;
use h2::client::{ResponseFuture, SendRequest};
use http::{Request, Uri, Version};
use tokio::task::spawn_local;

use super::connect::connect;
use super::link::{LinkFault, Outgoing};
use crate::Address;
use crate::http1::LONGEST_HEAD;
use crate::message::{BodyLength, Fields, Name, ResponseHead, read_response, write_field};
use crate::worker::body::{BodyFault, Part};
use crate::worker::head::request_fields;
use crate::worker::http2::{Sink, Source};

/// Exchanges on one connection before another one is opened. Servers commonly allow a hundred.
const MOST_STREAMS: usize = 100;

/// How much of one answer may be under way, and of all of one connection.
const STREAM_WINDOW: u32 = 1024 * 1024;
const CONNECTION_WINDOW: u32 = 8 * 1024 * 1024;

/// A connection that many exchanges share.
#[derive(Clone)]
pub(super) struct Shared {
    sender: SendRequest<Bytes>,
    used: Rc<Use>,
    /// Its connection has ended.
    ended: Rc<Cell<bool>>,
}

/// How much a connection is used.
struct Use {
    /// Exchanges that use it now.
    exchanges: Cell<usize>,
    /// When the last one that was over ended.
    last: Cell<Instant>,
}

impl Shared {
    pub(super) async fn connect(address: &Address, limit: Duration) -> io::Result<Self> {
        let io = connect(address, limit).await?;
        let handshake = h2::client::Builder::new()
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(LONGEST_HEAD as u32)
            .enable_push(false)
            .handshake(io);
        let (sender, connection) = tokio::time::timeout(limit, handshake).await?.map_err(io::Error::other)?;
        let ended = Rc::new(Cell::new(false));
        let notice = Rc::clone(&ended);
        spawn_local(async move {
            // What goes wrong here is told to the exchanges that use it.
            let _ = connection.await;
            notice.set(true);
        });
        let used = Rc::new(Use { exchanges: Cell::new(0), last: Cell::new(Instant::now()) });
        Ok(Self { sender, used, ended })
    }

    /// Whether it is of no further use: it has ended, or nobody has used it for so long.
    pub(super) fn is_done(&self, longest: Duration) -> bool {
        self.ended.get() || (self.used.exchanges.get() == 0 && self.used.last.get().elapsed() >= longest)
    }

    /// Whether this is that connection.
    pub(super) fn is(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.used, &other.used)
    }

    pub(super) fn has_room(&self) -> bool {
        let most = self.sender.current_max_send_streams().min(MOST_STREAMS);
        !self.ended.get() && self.used.exchanges.get() < most
    }

    /// An exchange on it.
    pub(super) async fn link(&self) -> io::Result<Http2Link> {
        self.used.exchanges.set(self.used.exchanges.get() + 1);
        let place = Place(Rc::clone(&self.used));
        let sender = self.sender.clone().ready().await.map_err(io::Error::other)?;
        Ok(Http2Link {
            sender,
            state: State::Unsent,
            request: Sink::default(),
            answer: Source::default(),
            to_head: false,
            _place: place,
        })
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
    sender: SendRequest<Bytes>,
    state: State,
    request: Sink,
    answer: Source,
    to_head: bool,
    _place: Place,
}

enum State {
    Unsent,
    Waiting(ResponseFuture),
    Failed(LinkFault),
    Answering,
}

impl Http2Link {
    pub(super) fn begin(&mut self, outgoing: Outgoing<'_>) {
        let length = outgoing.head.length;
        self.to_head = outgoing.head.is_head();
        let sent = request(outgoing).ok_or(LinkFault::Nonsense).and_then(|request| {
            let ended = length == BodyLength::Empty;
            self.sender.send_request(request, ended).map_err(|_| LinkFault::Unprocessed)
        });
        self.state = match sent {
            Ok((response, stream)) => {
                self.request = Sink::new(stream, length);
                State::Waiting(response)
            }
            Err(fault) => State::Failed(fault),
        };
    }

    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.request.poll_write(cx, bytes)
    }

    pub(super) fn end(&mut self, trailers: &Fields) {
        self.request.end(trailers);
    }

    pub(super) fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        head: &mut ResponseHead,
    ) -> Poll<Result<(), LinkFault>> {
        let response = match &mut self.state {
            State::Waiting(response) => ready!(Pin::new(response).poll(cx)).map_err(|error| fault(&error)),
            State::Failed(_) | State::Unsent | State::Answering => {
                match std::mem::replace(&mut self.state, State::Unsent) {
                    State::Failed(fault) => Err(fault),
                    _ => Err(LinkFault::Broken),
                }
            }
        };
        self.state = State::Answering;
        let (parts, body) = response?.into_parts();
        let read = read_response(&parts, body.is_end_stream(), head);
        if self.to_head || matches!(head.status, 204 | 304) {
            // These have no body. Whatever comes as one must not follow the head on a client's connection.
            head.length = BodyLength::Empty;
            self.answer = Source::default();
        } else {
            self.answer = Source::new(body);
        }
        Poll::Ready(read.map_err(|_| LinkFault::Nonsense))
    }

    pub(super) fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Result<Part, BodyFault>> {
        self.answer.poll(cx)
    }

    pub(super) fn body_data(&self) -> &[u8] {
        self.answer.data()
    }

    pub(super) fn take_body(&mut self, bytes: usize) {
        self.answer.take(bytes);
    }

    pub(super) fn body_trailers(&self) -> &Fields {
        &self.answer.trailers
    }
}

impl Drop for Http2Link {
    /// An exchange that is given up half way is broken off at the instance too.
    fn drop(&mut self) {
        self.request.reset(Reason::CANCEL);
    }
}

fn fault(error: &h2::Error) -> LinkFault {
    // Both say that the instance has not begun with the request (RFC 9113, section 8.7).
    if error.reason() == Some(Reason::REFUSED_STREAM) || (error.is_go_away() && error.is_remote()) {
        LinkFault::Unprocessed
    } else {
        LinkFault::Broken
    }
}

fn request(outgoing: Outgoing<'_>) -> Option<Request<()>> {
    let head = outgoing.head;
    let target = std::str::from_utf8(head.target()).ok()?;
    let uri =
        Uri::builder().scheme("http").authority(outgoing.told.host).path_and_query(target).build().ok()?;
    let method = http::Method::from_bytes(head.method()).ok()?;
    let mut request = Request::new(());
    *request.uri_mut() = uri;
    *request.method_mut() = method;
    *request.version_mut() = Version::HTTP_2;
    let map = request.headers_mut();
    map.reserve(head.fields.iter().count() + 6);
    for (name, value) in request_fields(head, outgoing.told.drops_trace) {
        write_field(map, name, value);
    }
    for (_, name, value) in outgoing.told.fields.iter() {
        write_field(map, name, value);
    }
    if head.fields.lists(Name::Te, "trailers") {
        write_field(map, b"te", b"trailers");
    }
    Some(request)
}
