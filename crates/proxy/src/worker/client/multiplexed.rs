//! A client's HTTP/2 connection: its streams, and how it ends.

use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::{Buf, Bytes, BytesMut};
use h2::RecvStream;
use h2::server::{Connection, SendResponse};
use http::Request;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::spawn_local;

use super::connection::{Closing, Visitor};
use super::http2::Http2Client;
use crate::http1::LONGEST_HEAD;
use crate::message::read_request;
use crate::worker::exchange::{Desk, Exchange, Outcome, unreadable};
use crate::worker::forwarding::Forwarding;
use crate::worker::stream::{Deadline, Transport};

/// Streams that one client may have open at a time.
const MOST_STREAMS: u32 = 256;

/// Streams that a client may have reset before we have looked at them; with more it is attacking us ("rapid reset").
const MOST_RESETS: usize = 64;

/// How much of one body may be under way, and of all of one connection.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 4 * 1024 * 1024;

/// How much of one answer may wait for its connection.
const SEND_BUFFER: usize = 128 * 1024;

/// Serves a connection of a client that speaks HTTP/2. `begun` has been read from it already.
pub(super) async fn converse(visitor: Visitor, io: Transport, begun: BytesMut) {
    let limit = visitor.worker.limits.request_head;
    let handshake = h2::server::Builder::new()
        .max_concurrent_streams(MOST_STREAMS)
        .max_pending_accept_reset_streams(MOST_RESETS)
        .max_header_list_size(LONGEST_HEAD as u32)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buffer_size(SEND_BUFFER)
        .handshake(Rewound { begun, io });
    let Ok(Ok(connection)) = tokio::time::timeout(limit, handshake).await else { return };
    let closing = Closing::of(&visitor);
    let mut session = Session {
        visitor: Rc::new(visitor),
        connection,
        closing,
        deadline: Deadline::default(),
        leaving: false,
    };
    poll_fn(|cx| session.poll(cx)).await;
}

struct Session {
    visitor: Rc<Visitor>,
    connection: Connection<Rewound, Bytes>,
    closing: Closing,
    /// Of a connection without streams.
    deadline: Deadline,
    /// The client has been told to open no more streams.
    leaving: bool,
}

impl Session {
    /// Ready when the connection has ended.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match self.connection.poll_accept(cx) {
                Poll::Ready(Some(Ok((request, respond)))) => {
                    spawn_local(answer(Rc::clone(&self.visitor), request, respond));
                }
                Poll::Ready(Some(Err(_)) | None) => return Poll::Ready(()),
                Poll::Pending => break,
            }
        }
        if !self.leaving && self.closing.poll(cx).is_ready() {
            return self.leave(cx);
        }
        // Each stream holds on to the visitor.
        if Rc::strong_count(&self.visitor) > 1 {
            self.deadline.clear();
        } else if self.deadline.at().is_none() {
            self.deadline.set(Instant::now() + self.visitor.worker.limits.client_idle);
        }
        match self.deadline.poll(cx) {
            Poll::Ready(()) if self.leaving => Poll::Ready(()),
            Poll::Ready(()) => self.leave(cx),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Tells the client with GOAWAY to open no more streams here; those that are open go on to their ends.
    fn leave(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.leaving = true;
        self.deadline.clear();
        self.connection.graceful_shutdown();
        self.poll(cx)
    }
}

/// Answers one request.
async fn answer(visitor: Rc<Visitor>, request: Request<RecvStream>, respond: SendResponse<Bytes>) {
    let (parts, body) = request.into_parts();
    let mut desk = Desk::new(Forwarding::new(visitor.peer, visitor.listen, visitor.is_secure()));
    let read = read_request(&parts, body.is_end_stream(), &mut desk.request);
    let mut client = Http2Client::new(body, respond, desk.request.is_head());
    let exchange = Exchange::new(&visitor, &mut client, &mut desk);
    let outcome = match read {
        Ok(()) => exchange.run().await,
        Err(fault) => exchange.refuse(unreadable(fault)).await,
    };
    if !matches!(outcome, Outcome::Answered) {
        client.cut();
    }
}

/// A connection of which something has been read already.
struct Rewound {
    begun: BytesMut,
    io: Transport,
}

impl AsyncRead for Rewound {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        if self.begun.is_empty() {
            return Pin::new(&mut self.io).poll_read(cx, buffer);
        }
        let length = self.begun.len().min(buffer.remaining());
        buffer.put_slice(&self.begun[..length]);
        self.begun.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Rewound {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
