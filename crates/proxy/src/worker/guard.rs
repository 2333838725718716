//! A client's socket, watched: ambiguous messages are noticed before hyper reads them, and heads that never end.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

use super::framing::{Fault, Framing};

/// What the watch over a socket tells those who answer its requests, and they it. One thread uses both ends; the types
/// are atomic because an upgraded connection must be `Send`.
#[derive(Debug)]
pub(super) struct Watch {
    /// The number of the request that must be refused.
    refused: AtomicU64,
    /// Requests answered or being answered.
    served: AtomicU64,
    /// Set when the connection has become a tunnel.
    released: AtomicBool,
}

impl Watch {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            refused: AtomicU64::new(u64::MAX),
            served: AtomicU64::new(0),
            released: AtomicBool::new(false),
        })
    }

    /// Whether the next request in turn is to be refused. Called once for each.
    pub(super) fn refuses_next(&self) -> bool {
        let number = self.served.load(Ordering::Relaxed);
        self.served.store(number + 1, Ordering::Relaxed);
        number == self.refused.load(Ordering::Relaxed)
    }

    /// What follows is not HTTP any more.
    pub(super) fn release(&self) {
        self.released.store(true, Ordering::Relaxed);
    }
}

/// A client's socket.
pub(super) struct Guarded {
    stream: TcpStream,
    watch: Arc<Watch>,
    /// None after a fault, when nothing that follows has a meaning.
    framing: Option<Framing>,
    head_limit: Duration,
    /// Runs while a head has begun and not ended.
    head_timer: Option<Pin<Box<Sleep>>>,
}

impl Guarded {
    pub(super) fn new(stream: TcpStream, watch: Arc<Watch>, head_limit: Duration) -> Self {
        Self { stream, watch, framing: Some(Framing::default()), head_limit, head_timer: None }
    }

    fn follow(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.watch.released.load(Ordering::Relaxed) {
            self.framing = None;
        }
        let Some(framing) = &mut self.framing else {
            self.head_timer = None;
            return Ok(());
        };
        let followed = framing.follow(bytes);
        if !framing.is_within_head() {
            self.head_timer = None;
        } else if self.head_timer.is_none() {
            self.head_timer = Some(Box::pin(tokio::time::sleep(self.head_limit)));
        }
        match followed {
            Ok(()) => Ok(()),
            Err(Fault::Head(number)) => {
                self.framing = None;
                self.watch.refused.store(number, Ordering::Relaxed);
                Ok(())
            }
            Err(Fault::Body) => Err(io::Error::new(io::ErrorKind::InvalidData, "ambiguous request body")),
        }
    }
}

impl AsyncRead for Guarded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        match Pin::new(&mut self.stream).poll_read(cx, buffer) {
            Poll::Ready(Ok(())) => Poll::Ready(self.follow(&buffer.filled()[before..])),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => match self.head_timer.as_mut().map(|timer| timer.as_mut().poll(cx)) {
                Some(Poll::Ready(())) => {
                    Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "request head took too long")))
                }
                _ => Poll::Pending,
            },
        }
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
