//! Bodies of HTTP/2 messages, in and out, for both ends.

use std::io;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use h2::{Reason, RecvStream, SendStream};
use http::HeaderMap;

use super::body::{BodyFault, Part, may_trail};
use crate::message::{BodyLength, Fields, read_fields, write_field};

/// Most bytes of one DATA frame that are copied at once.
const LARGEST_PIECE: usize = 64 * 1024;

/// Takes one body out of a stream.
#[derive(Default)]
pub(super) struct Source {
    stream: Option<RecvStream>,
    piece: Bytes,
    pub(super) trailers: Fields,
}

impl Source {
    pub(super) fn new(stream: RecvStream) -> Self {
        Self { stream: Some(stream), ..Self::default() }
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Part, BodyFault>> {
        let Some(stream) = &mut self.stream else { return Poll::Ready(Ok(Part::End)) };
        while self.piece.is_empty() {
            match ready!(stream.poll_data(cx)) {
                Some(Ok(piece)) => self.piece = piece,
                Some(Err(_)) => return Poll::Ready(Err(BodyFault::Broken)),
                None => {
                    let trailers = ready!(stream.poll_trailers(cx)).map_err(|_| BodyFault::Broken)?;
                    if let Some(trailers) = trailers {
                        read_fields(&trailers, &mut self.trailers);
                    }
                    self.stream = None;
                    return Poll::Ready(Ok(Part::End));
                }
            }
        }
        Poll::Ready(Ok(Part::Data))
    }

    pub(super) fn data(&self) -> &[u8] {
        &self.piece
    }

    /// So many bytes were used: the other end may send as many more.
    pub(super) fn take(&mut self, bytes: usize) {
        self.piece.advance(bytes.min(self.piece.len()));
        if let Some(stream) = &mut self.stream {
            // Fails only for more than was received.
            let _ = stream.flow_control().release_capacity(bytes);
        }
    }
}

/// Puts one body into a stream.
#[derive(Default)]
pub(super) struct Sink {
    stream: Option<SendStream<Bytes>>,
    /// How much is still to come, where that is known: the last piece then ends the stream.
    left: Option<u64>,
}

impl Sink {
    pub(super) fn new(stream: SendStream<Bytes>, length: BodyLength) -> Self {
        let left = match length {
            BodyLength::Known(left) => Some(left),
            _ => None,
        };
        Self { stream: Some(stream), left }
    }

    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let Some(stream) = &mut self.stream else {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        };
        let wanted = bytes.len().min(LARGEST_PIECE);
        stream.reserve_capacity(wanted);
        while stream.capacity() == 0 {
            match ready!(stream.poll_capacity(cx)) {
                Some(Ok(_)) => {}
                Some(Err(error)) => return Poll::Ready(Err(io::Error::other(error))),
                None => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            }
        }
        let taken = wanted.min(stream.capacity());
        let left = self.left.map(|left| left.saturating_sub(taken as u64));
        let last = left == Some(0);
        self.left = left;
        stream.send_data(Bytes::copy_from_slice(&bytes[..taken]), last).map_err(io::Error::other)?;
        if last {
            self.stream = None;
        }
        Poll::Ready(Ok(taken))
    }

    /// Nothing follows but these trailers.
    pub(super) fn end(&mut self, trailers: &Fields) {
        let Some(mut stream) = self.stream.take() else { return };
        let mut map = HeaderMap::new();
        for (_, name, value) in trailers.iter().filter(|(known, ..)| may_trail(*known)) {
            write_field(&mut map, name, value);
        }
        // Whoever has reset the stream does not want it.
        let _ = if map.is_empty() { stream.send_data(Bytes::new(), true) } else { stream.send_trailers(map) };
    }

    /// Ready when the other end has reset the stream, or the connection is gone.
    pub(super) fn poll_reset(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.stream {
            Some(stream) => stream.poll_reset(cx).map(|_| ()),
            None => Poll::Pending,
        }
    }

    /// Breaks the stream off, so that what was sent is never taken for a whole message.
    pub(super) fn reset(&mut self, reason: Reason) {
        if let Some(mut stream) = self.stream.take() {
            stream.send_reset(reason);
        }
    }
}
