//! One direction of a tunnel.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;

use super::websocket::Frames;
use crate::worker::stream::{Buffers, Inlet, Outlet, Transport};

/// One direction of a tunnel.
#[derive(Default)]
pub(super) struct Way {
    /// The reader's side has ended.
    ended: bool,
    /// The writer's side was told.
    closed: bool,
    /// Of a WebSocket: where frames end.
    frames: Option<Frames>,
    /// What is sent after the frame that has begun, in place of everything that follows.
    last_words: Option<Vec<u8>>,
    said_all: bool,
    /// What was passed on.
    pub(super) bytes: u64,
}

impl Way {
    pub(super) fn of_websocket() -> Self {
        Self { frames: Some(Frames::default()), ..Self::default() }
    }

    /// Ends it after the frame that has begun, with these bytes.
    pub(super) fn end_with(&mut self, words: &[u8]) {
        self.last_words = Some(words.to_vec());
    }

    /// Passes on what can be passed on; ready when this direction has ended.
    pub(super) fn go_on(
        &mut self,
        cx: &mut Context<'_>,
        (from, inlet): (&mut Transport, &mut Inlet),
        (to, outlet): (&mut Transport, &mut Outlet),
        buffers: &Buffers,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(self.pass_on(cx, inlet, to, outlet))?;
            if self.closed {
                return Poll::Ready(Ok(()));
            }
            if self.ended || self.said_all {
                ready!(outlet.poll_flush(cx, to))?;
                if self.said_all {
                    return Poll::Ready(Ok(()));
                }
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

    fn pass_on(
        &mut self,
        cx: &mut Context<'_>,
        inlet: &mut Inlet,
        to: &mut Transport,
        outlet: &mut Outlet,
    ) -> Poll<io::Result<()>> {
        while !self.said_all {
            let ends_here = self.frames.as_ref().is_none_or(Frames::at_boundary);
            if let Some(words) = self.last_words.take_if(|_| ends_here) {
                let written = ready!(outlet.poll_write(cx, to, &words))?;
                debug_assert_eq!(written, words.len(), "short texts are taken whole");
                self.said_all = true;
                break;
            }
            if inlet.is_empty() {
                break;
            }
            let bytes = match &self.frames {
                Some(frames) if self.last_words.is_some() => {
                    &inlet.bytes()[..frames.of_one_frame(inlet.bytes())]
                }
                _ => inlet.bytes(),
            };
            let passed = ready!(outlet.poll_write(cx, to, bytes))?;
            if let Some(frames) = &mut self.frames {
                frames.follow(&inlet.bytes()[..passed]);
            }
            inlet.take(passed);
            self.bytes += passed as u64;
        }
        Poll::Ready(Ok(()))
    }
}
