//! Connections that stop being HTTP: WebSockets and other upgrades, passed through byte by byte until they end or their
//! version is drained.

mod way;
mod websocket;

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use way::Way;
#[cfg(any(test, fuzzing))]
pub(crate) use websocket::Frames;

use super::client::{Closing, Http1Client, Visitor};
use super::flight::Flight;
use super::stream::Deadline;
use super::upstream::Http1Link;
use crate::routing::CompiledRoute;
use crate::telemetry::{AccessEntry, RequestOutcome};

/// How long a client may take to close a WebSocket that it was told to close.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A tunnel between a client and an instance.
pub(super) struct Tunnel {
    pub(super) link: Box<Http1Link>,
    pub(super) flight: Flight,
    pub(super) route: Arc<CompiledRoute>,
    /// The version of the instance.
    pub(super) version: Arc<str>,
    pub(super) is_websocket: bool,
    /// When it was asked for, and what the access log is going to say; none if nobody wants one.
    pub(super) entry: Option<Box<(Instant, AccessEntry)>>,
}

/// Carries bytes both ways until both sides have ended, or for the time of the drain when the version has lost its share
/// or the edge goes away. The request is in flight as long.
pub(super) async fn carry(client: Http1Client, tunnel: Tunnel, visitor: Visitor) {
    let Tunnel { link, flight, route, version, is_websocket, entry } = tunnel;
    let way = || if is_websocket { Way::of_websocket() } else { Way::default() };
    let mut carrier = Carrier { client, link: *link, up: way(), down: way() };
    let mut drain = Drain { route, version, closing: Closing::of(&visitor), deadline: Deadline::default() };
    let worker = &visitor.worker;
    let mut changed = pin!(worker.changed.notified());
    let drained = poll_fn(|cx| {
        if carrier.go_on(cx, &visitor).is_ready() {
            return Poll::Ready(false);
        }
        while changed.as_mut().poll(cx).is_ready() {
            changed.set(worker.changed.notified());
        }
        drain.poll(cx, &visitor).map(|()| true)
    });
    if drained.await && is_websocket {
        carrier.close(&visitor).await;
    }
    let (sent, received) = (carrier.up.bytes, carrier.down.bytes);
    flight.shard().bytes_in.add(sent);
    flight.shard().bytes_out.add(received);
    drop(flight);
    if let Some((started, mut entry)) = entry.map(|entry| *entry) {
        entry.duration_micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        (entry.bytes_in, entry.bytes_out) = (sent, received);
        entry.outcome = RequestOutcome::Answered;
        worker.access_log.record(entry);
    }
}

/// When a tunnel has to end.
struct Drain {
    route: Arc<CompiledRoute>,
    version: Arc<str>,
    closing: Closing,
    deadline: Deadline,
}

impl Drain {
    fn poll(&mut self, cx: &mut Context<'_>, visitor: &Visitor) -> Poll<()> {
        let closing = visitor.is_closing() || self.closing.poll(cx).is_ready();
        let view = visitor.worker.view();
        let current = view.named(&self.route.name).map(|view| &view.route);
        if !closing && current.is_some_and(|route| route.takes_clients(&self.version)) {
            // Its share has come back, or was never lost.
            self.deadline.clear();
        } else {
            // The table that takes the share away says for how long, not the one by which the tunnel was opened.
            let drain = || Instant::now() + current.unwrap_or(&self.route).tunnel_drain;
            let end = self.deadline.at().unwrap_or_else(drain);
            self.deadline.set(visitor.worker.leaves_at().map_or(end, |leaves| end.min(leaves)));
        }
        self.deadline.poll(cx)
    }
}

struct Carrier {
    client: Http1Client,
    link: Http1Link,
    up: Way,
    down: Way,
}

impl Carrier {
    /// Ready when both directions have ended, or one has broken.
    fn go_on(&mut self, cx: &mut Context<'_>, visitor: &Visitor) -> Poll<()> {
        let Self { client, link, up, down } = self;
        let buffers = &visitor.worker.buffers;
        let sent =
            up.go_on(cx, (&mut client.io, &mut client.inlet), (&mut link.io, &mut link.outlet), buffers);
        let received =
            down.go_on(cx, (&mut link.io, &mut link.inlet), (&mut client.io, &mut client.outlet), buffers);
        match (sent, received) {
            (Poll::Ready(Err(_)), _) | (_, Poll::Ready(Err(_))) => Poll::Ready(()),
            (Poll::Ready(Ok(())), Poll::Ready(Ok(()))) => Poll::Ready(()),
            _ => Poll::Pending,
        }
    }

    /// Tells both sides of a WebSocket that the other one goes away, and gives the client time to say goodbye.
    async fn close(&mut self, visitor: &Visitor) {
        let [a, b, c, d, ..] = visitor.worker.random.next().to_ne_bytes();
        self.down.end_with(&websocket::close_from_server());
        self.up.end_with(&websocket::close_from_client([a, b, c, d]));
        let mut deadline = Deadline::default();
        deadline.set(Instant::now() + LAST_WORDS);
        poll_fn(|cx| {
            let told = self.go_on(cx, visitor);
            if told.is_ready() { Poll::Ready(()) } else { deadline.poll(cx) }
        })
        .await;
        poll_fn(|cx| {
            loop {
                self.client.inlet.take(usize::MAX);
                match self.client.inlet.poll_fill(cx, &mut self.client.io, &visitor.worker.buffers) {
                    Poll::Ready(Ok(bytes)) if bytes > 0 => {}
                    Poll::Ready(_) => return Poll::Ready(()),
                    Poll::Pending => return deadline.poll(cx),
                }
            }
        })
        .await;
    }
}
