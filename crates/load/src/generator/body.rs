//! The body of a request: nothing, all at once, or piece by piece.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

/// A slow body is sent in so many pieces.
const PIECES: usize = 10;

/// A body of known length, of which the pieces may come with pauses between them.
#[derive(Debug)]
pub(super) struct RequestBody {
    left: Bytes,
    piece_bytes: usize,
    pause: Duration,
    pausing: Option<Pin<Box<Sleep>>>,
}

impl RequestBody {
    /// All at once; may be empty.
    pub(super) fn whole(content: Bytes) -> Self {
        Self { piece_bytes: content.len(), left: content, pause: Duration::ZERO, pausing: None }
    }

    /// Piece by piece over `duration`.
    pub(super) fn slow(content: Bytes, duration: Duration) -> Self {
        let piece_bytes = content.len().div_ceil(PIECES).max(1);
        Self { left: content, piece_bytes, pause: duration / PIECES as u32, pausing: None }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Some(pausing) = &mut self.pausing {
            ready!(pausing.as_mut().poll(context));
            self.pausing = None;
        }
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.piece_bytes.min(self.left.len());
        let piece = self.left.split_to(length);
        if !self.left.is_empty() && !self.pause.is_zero() {
            self.pausing = Some(Box::pin(sleep(self.pause)));
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left.len() as u64)
    }
}
