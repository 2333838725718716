//! One connection to an endpoint.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustix::net::{RecvFlags, recv};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::body::Upload;
use crate::Address;

/// Longest response head that is accepted from an endpoint.
const LARGEST_HEAD: usize = 64 * 1024;

/// One connection to an endpoint.
pub(super) struct Link {
    pub(super) sender: SendRequest<Upload>,
    socket: Socket,
    idle_since: Instant,
}

impl Link {
    pub(super) async fn connect(address: &Address, limit: Duration) -> io::Result<Self> {
        let Address::Tcp(address) = address else { return Err(io::ErrorKind::Unsupported.into()) };
        let stream = tokio::time::timeout(limit, TcpStream::connect(address)).await??;
        stream.set_nodelay(true)?;
        let socket = Socket(Arc::new(Mutex::new(stream)));
        let (sender, connection) = http1::Builder::new()
            .max_header_size(LARGEST_HEAD)
            .handshake(TokioIo::new(socket.clone()))
            .await
            .map_err(io::Error::other)?;
        tokio::task::spawn_local(async move {
            // What goes wrong here is told to the request that used the connection.
            let _ = connection.with_upgrades().await;
        });
        Ok(Self { sender, socket, idle_since: Instant::now() })
    }

    pub(super) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Whether the exchange before is over, so that a request can be sent.
    pub(super) fn is_ready(&self) -> bool {
        self.sender.is_ready()
    }

    /// Asks the kernel whether the other end has said or closed anything that nobody has read yet.
    pub(super) fn is_quiet(&self) -> bool {
        let mut byte = [0; 1];
        let seen = recv(&*self.socket.stream(), &mut byte, RecvFlags::PEEK | RecvFlags::DONTWAIT);
        seen == Err(rustix::io::Errno::WOULDBLOCK)
    }

    /// It is idle from now on.
    pub(super) fn rest(&mut self) {
        self.idle_since = Instant::now();
    }

    pub(super) fn idle_for(&self) -> Duration {
        self.idle_since.elapsed()
    }
}

/// The socket, shared between hyper's connection and the pool, which wants to look at it while it is idle. The lock is
/// never contended: both live on one thread. (`Rc` would do, but upgraded connections must be `Send`.)
#[derive(Clone)]
struct Socket(Arc<Mutex<TcpStream>>);

impl Socket {
    fn stream(&self) -> MutexGuard<'_, TcpStream> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream()).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.stream()).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.stream()).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream()).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream()).poll_shutdown(cx)
    }
}
