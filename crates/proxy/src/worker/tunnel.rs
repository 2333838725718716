//! Connections that stop being HTTP: WebSockets and other upgrades, passed through byte by byte.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;

use super::client::{Http1Client, Visitor};
use super::flight::Flight;
use super::stream::{Buffers, Inlet, Outlet, Transport};
use super::upstream::Http1Link;

/// Carries bytes both ways until both sides have ended. The request is in flight as long.
pub(super) async fn carry(mut client: Http1Client, mut link: Http1Link, flight: Flight, visitor: Visitor) {
    let buffers = &visitor.worker.buffers;
    let (mut up, mut down) = (Way::default(), Way::default());
    poll_fn(|cx| {
        let sent =
            up.go_on(cx, (&mut client.io, &mut client.inlet), (&mut link.io, &mut link.outlet), buffers);
        let received =
            down.go_on(cx, (&mut link.io, &mut link.inlet), (&mut client.io, &mut client.outlet), buffers);
        match (sent, received) {
            // An error on either side means that it is gone, and so is the tunnel.
            (Poll::Ready(Err(_)), _) | (_, Poll::Ready(Err(_))) => Poll::Ready(()),
            (Poll::Ready(Ok(())), Poll::Ready(Ok(()))) => Poll::Ready(()),
            _ => Poll::Pending,
        }
    })
    .await;
    drop((flight, visitor));
}

/// One direction of a tunnel.
#[derive(Default)]
struct Way {
    /// The reader's side has ended.
    ended: bool,
    /// The writer's side was told.
    closed: bool,
}

impl Way {
    fn go_on(
        &mut self,
        cx: &mut Context<'_>,
        (from, inlet): (&mut Transport, &mut Inlet),
        (to, outlet): (&mut Transport, &mut Outlet),
        buffers: &Buffers,
    ) -> Poll<io::Result<()>> {
        loop {
            while !inlet.is_empty() {
                match outlet.poll_write(cx, to, inlet.bytes())? {
                    Poll::Ready(bytes) => inlet.take(bytes),
                    Poll::Pending => return Poll::Pending,
                }
            }
            if self.closed {
                return Poll::Ready(Ok(()));
            }
            if self.ended {
                ready!(outlet.poll_flush(cx, to))?;
                ready!(Pin::new(&mut *to).poll_shutdown(cx))?;
                self.closed = true;
                continue;
            }
            match inlet.poll_fill(cx, from, buffers)? {
                Poll::Ready(0) => self.ended = true,
                Poll::Ready(_) => {}
                Poll::Pending => {
                    let _ = outlet.poll_flush(cx, to)?;
                    return Poll::Pending;
                }
            }
        }
    }
}
