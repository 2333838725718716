//! A client's connection, from its first byte to its last.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};

use super::{Http1Client, multiplexed};
use crate::http1::HeadFault;
use crate::message::Protocol;
use crate::tls::Negotiated;
use crate::worker::exchange::{Answer, Desk, Exchange, HEAD_TOO_SLOW, Outcome, unreadable, without_port};
use crate::worker::forwarding::Forwarding;
use crate::worker::stream::{Deadline, Transport};
use crate::worker::thread::Worker;
use crate::worker::tunnel;

/// How long an idle connection may still send a request after its listener was closed: the request may be on its way
/// already, and is then answered with `Connection: close` instead of a reset.
const LINGER: Duration = Duration::from_millis(250);

/// How long a client that was told to close may go on sending before it is cut off: a reset sent too early would reach it
/// before it has read the answer.
pub(super) const LAST_WORDS: Duration = Duration::from_secs(2);

/// Most bytes that are read and thrown away meanwhile.
const MOST_LAST_WORDS: usize = 1024 * 1024;

/// A connected client.
pub(in crate::worker) struct Visitor {
    pub(in crate::worker) worker: Rc<Worker>,
    pub(in crate::worker) peer: SocketAddr,
    pub(in crate::worker) listen: SocketAddr,
    /// Of an encrypted connection.
    pub(in crate::worker) negotiated: Option<Negotiated>,
    /// True once the client should take its next request elsewhere.
    pub(in crate::worker) closing: watch::Receiver<bool>,
    /// The worker does not end before all of these are dropped.
    pub(in crate::worker) _open: mpsc::Sender<()>,
}

impl Visitor {
    /// Whether the connection is encrypted.
    pub(in crate::worker) fn is_secure(&self) -> bool {
        self.negotiated.is_some()
    }

    /// Whether a request for this host belongs on another connection: this one was made for another name.
    pub(in crate::worker) fn is_misdirected(&self, host: &[u8]) -> bool {
        let Some(negotiated) = &self.negotiated else { return false };
        std::str::from_utf8(without_port(host)).is_ok_and(|host| negotiated.is_misdirected(host))
    }

    pub(in crate::worker) fn is_closing(&self) -> bool {
        *self.closing.borrow()
    }
}

/// What a connection brings next.
enum Next {
    Request,
    /// The client speaks HTTP/2 by prior knowledge.
    Http2,
    Refused(Answer),
    Closed,
}

/// Serves one connection until it ends. Whatever goes wrong with it is the client's affair.
pub(in crate::worker) async fn welcome(mut visitor: Visitor, stream: TcpStream) {
    let worker = Rc::clone(&visitor.worker);
    let _open = OpenConnection::count(&worker);
    let Some(acceptor) = worker.encryption().acceptor(visitor.listen) else {
        return converse(visitor, Transport::Tcp(stream)).await;
    };
    match tokio::time::timeout(worker.limits.request_head, acceptor.accept(stream)).await {
        Ok(Ok((stream, negotiated))) => {
            let http2 = negotiated.http2;
            visitor.negotiated = Some(negotiated);
            let io = Transport::Tls(Box::new(stream));
            if http2 {
                multiplexed::converse(visitor, io, BytesMut::new()).await;
            } else {
                converse(visitor, io).await;
            }
        }
        Ok(Err(_)) | Err(_) => worker.connections().failed_handshakes.add(1),
    }
}

/// A connection, counted for as long as this value lives.
struct OpenConnection<'w>(&'w Worker);

impl<'w> OpenConnection<'w> {
    fn count(worker: &'w Worker) -> Self {
        worker.connections().opened();
        Self(worker)
    }
}

impl Drop for OpenConnection<'_> {
    fn drop(&mut self) {
        self.0.connections().closed();
    }
}

/// Serves a connection that begins with HTTP/1.
async fn converse(visitor: Visitor, io: Transport) {
    let mut client = Http1Client::new(io, Rc::clone(&visitor.worker));
    let mut desk = Desk::new(Forwarding::new(visitor.peer, visitor.listen, visitor.is_secure()));
    let mut closing = Closing::of(&visitor);
    loop {
        match next_request(&visitor, &mut client, &mut desk, &mut closing).await {
            Next::Closed => return,
            Next::Refused(answer) => {
                if let Outcome::Answered =
                    Exchange::new(&visitor, &mut client, &mut desk).refuse(answer).await
                {
                    part(&mut client, &mut desk.deadline, &visitor.worker).await;
                }
                return;
            }
            Next::Http2 => {
                let (io, begun) = client.into_parts();
                return multiplexed::converse(visitor, io, begun).await;
            }
            Next::Request => {}
        }
        match Exchange::new(&visitor, &mut client, &mut desk).run().await {
            Outcome::Answered if client.can_go_on() => client.rest(),
            Outcome::Answered => return part(&mut client, &mut desk.deadline, &visitor.worker).await,
            Outcome::Cut => return,
            Outcome::Tunnel(tunnel) => return tunnel::carry(client, tunnel, visitor).await,
        }
    }
}

async fn next_request(
    visitor: &Visitor,
    client: &mut Http1Client,
    desk: &mut Desk,
    closing: &mut Closing,
) -> Next {
    let limits = visitor.worker.limits;
    let Desk { request, deadline, .. } = desk;
    deadline.set(Instant::now() + limits.client_idle);
    let (mut head_begun, mut lingers) = (false, false);
    poll_fn(|cx| {
        match client.poll_head(cx, request) {
            Poll::Ready(Ok(Ok(true))) => return Poll::Ready(Next::Request),
            Poll::Ready(Ok(Err(HeadFault::Version))) if client.speaks_http2() => {
                return Poll::Ready(Next::Http2);
            }
            Poll::Ready(Ok(Err(fault))) => return Poll::Ready(refusal(fault, request)),
            Poll::Ready(Ok(Ok(false)) | Err(_)) => return Poll::Ready(Next::Closed),
            Poll::Pending => {}
        }
        if !head_begun && client.is_within_head() {
            head_begun = true;
            deadline.set(Instant::now() + limits.request_head);
        }
        if !head_begun && !lingers && closing.poll(cx).is_ready() {
            lingers = true;
            deadline.set(Instant::now() + LINGER);
        }
        match deadline.poll(cx) {
            Poll::Ready(()) if head_begun => Poll::Ready(Next::Refused(HEAD_TOO_SLOW)),
            Poll::Ready(()) => Poll::Ready(Next::Closed),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

fn refusal(fault: HeadFault, request: &mut crate::message::RequestHead) -> Next {
    // The request before this one is not to be mistaken for it.
    request.begin(Protocol::Http11);
    Next::Refused(unreadable(fault))
}

/// Closes a connection in a way that lets the client read what it was answered.
async fn part(client: &mut Http1Client, deadline: &mut Deadline, worker: &Worker) {
    let unread = client.has_unread();
    deadline.set(Instant::now() + LAST_WORDS);
    let shut = {
        let mut shutdown = pin!(client.io.shutdown());
        poll_fn(|cx| match shutdown.as_mut().poll(cx) {
            Poll::Ready(shut) => Poll::Ready(shut.is_ok()),
            Poll::Pending => deadline.poll(cx).map(|()| false),
        })
        .await
    };
    if !shut || !unread {
        return;
    }
    let mut thrown_away = 0;
    poll_fn(|cx| {
        loop {
            match client.inlet.poll_fill(cx, &mut client.io, &worker.buffers) {
                Poll::Ready(Ok(bytes)) if bytes > 0 && thrown_away < MOST_LAST_WORDS => {
                    thrown_away += bytes;
                    client.inlet.take(usize::MAX);
                }
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return deadline.poll(cx),
            }
        }
    })
    .await;
}

/// Waits for the listener to close. Made once for a connection: it is looked at with every request.
pub(in crate::worker) struct Closing(Pin<Box<dyn Future<Output = ()>>>);

impl Closing {
    pub(in crate::worker) fn of(visitor: &Visitor) -> Self {
        let mut closing = visitor.closing.clone();
        Self(Box::pin(async move {
            // An error means that the door is gone altogether.
            let _ = closing.wait_for(|closing| *closing).await;
        }))
    }

    pub(in crate::worker) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx)
    }
}
