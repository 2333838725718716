//! Bodies of HTTP/1 messages, taken out of a connection and put into one.

use std::io;
use std::task::{Context, Poll, ready};

use thiserror::Error;

use super::stream::{Buffers, Inlet, Outlet, Transport};
use crate::http1::{ChunkFault, ChunkedDecoder, Step, write_chunk_start, write_field};
use crate::message::{BodyLength, Fields, Name};

/// What comes next of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// There are bytes.
    Data,
    /// It has ended, and its trailers are known.
    End,
}

/// Why a body cannot be read on.
#[derive(Debug, Error)]
pub(super) enum BodyFault {
    /// The connection ended or broke in the middle.
    #[error("the connection broke in the middle of a body")]
    Broken,
    /// Its framing cannot be understood.
    #[error(transparent)]
    Chunks(#[from] ChunkFault),
}

impl From<io::Error> for BodyFault {
    fn from(_: io::Error) -> Self {
        Self::Broken
    }
}

/// Takes one body out of a connection.
#[derive(Default)]
pub(super) struct BodyReader {
    framing: Framing,
    /// How many of the bytes that have come are data.
    ready: usize,
    pub(super) trailers: Fields,
}

#[derive(Default)]
enum Framing {
    #[default]
    Ended,
    Left(u64),
    Chunks(ChunkedDecoder),
    UntilClose,
}

impl BodyReader {
    /// Another body begins.
    pub(super) fn begin(&mut self, length: BodyLength) {
        self.ready = 0;
        self.trailers.clear();
        self.framing = match length {
            BodyLength::Empty | BodyLength::Known(0) => Framing::Ended,
            BodyLength::Known(left) => Framing::Left(left),
            BodyLength::Streamed => Framing::Chunks(ChunkedDecoder::default()),
            BodyLength::UntilClose => Framing::UntilClose,
        };
    }

    pub(super) fn has_ended(&self) -> bool {
        matches!(self.framing, Framing::Ended)
    }

    /// Looks for more of it; reads if need be.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        io: &mut Transport,
        inlet: &mut Inlet,
        buffers: &Buffers,
    ) -> Poll<Result<Part, BodyFault>> {
        loop {
            if let Some(part) = self.look(inlet)? {
                return Poll::Ready(Ok(part));
            }
            if ready!(inlet.poll_fill(cx, io, buffers))? == 0 {
                return Poll::Ready(match self.framing {
                    Framing::UntilClose => {
                        self.framing = Framing::Ended;
                        Ok(Part::End)
                    }
                    _ => Err(BodyFault::Broken),
                });
            }
        }
    }

    /// The next part, if it has come.
    fn look(&mut self, inlet: &mut Inlet) -> Result<Option<Part>, ChunkFault> {
        loop {
            let here = inlet.bytes().len();
            self.ready = match &mut self.framing {
                Framing::Ended => return Ok(Some(Part::End)),
                Framing::Left(left) => usize::try_from(*left).unwrap_or(usize::MAX).min(here),
                Framing::UntilClose => here,
                Framing::Chunks(decoder) => match decoder.next(inlet.bytes(), &mut self.trailers)? {
                    Step::Data(length) => length,
                    Step::Skip(0) => 0,
                    Step::Skip(used) => {
                        inlet.take(used);
                        continue;
                    }
                    Step::End(used) => {
                        inlet.take(used);
                        self.framing = Framing::Ended;
                        return Ok(Some(Part::End));
                    }
                },
            };
            return Ok((self.ready > 0).then_some(Part::Data));
        }
    }

    /// The data that has come.
    pub(super) fn data<'i>(&self, inlet: &'i Inlet) -> &'i [u8] {
        inlet.bytes().get(..self.ready).unwrap_or_default()
    }

    /// So many bytes of the data were used.
    pub(super) fn take(&mut self, inlet: &mut Inlet, bytes: usize) {
        inlet.take(bytes);
        self.ready -= bytes.min(self.ready);
        match &mut self.framing {
            Framing::Left(left) => {
                *left = left.saturating_sub(bytes as u64);
                if *left == 0 {
                    self.framing = Framing::Ended;
                }
            }
            Framing::Chunks(decoder) => decoder.take(bytes),
            Framing::Ended | Framing::UntilClose => {}
        }
    }
}

/// Puts one body into a connection.
#[derive(Default)]
pub(super) enum BodyWriter {
    /// As it is: its length was said before, or it ends with the connection.
    #[default]
    Plain,
    /// In chunks; so much of the last one that was begun is missing.
    Chunks { left: usize },
}

impl BodyWriter {
    /// Takes some of these bytes; says how many.
    pub(super) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        io: &mut Transport,
        outlet: &mut Outlet,
        buffers: &Buffers,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Self::Chunks { left } = self else { return outlet.poll_write(cx, io, bytes) };
        if *left == 0 {
            write_chunk_start(outlet.text(buffers), bytes.len());
            *left = bytes.len();
        }
        let written = ready!(outlet.poll_write(cx, io, &bytes[..bytes.len().min(*left)]))?;
        *left -= written;
        if *left == 0 {
            outlet.text(buffers).extend_from_slice(b"\r\n");
        }
        Poll::Ready(Ok(written))
    }

    /// Nothing follows but these trailers.
    pub(super) fn end(&mut self, outlet: &mut Outlet, buffers: &Buffers, trailers: &Fields) {
        if let Self::Chunks { .. } = self {
            let text = outlet.text(buffers);
            text.extend_from_slice(b"0\r\n");
            for (_, name, value) in trailers.iter().filter(|(known, ..)| may_trail(*known)) {
                write_field(text, name, value);
            }
            text.extend_from_slice(b"\r\n");
        }
    }
}

/// Whether a field may come after a body: none that says where a message ends, where it goes or where it comes from (RFC
/// 9110, section 6.5.1). Some readers put trailers to the other fields, and would believe them.
pub(super) fn may_trail(name: Name) -> bool {
    !name.is_hop_by_hop()
        && !matches!(
            name,
            Name::ContentLength
                | Name::Host
                | Name::Trailer
                | Name::Forwarded
                | Name::XForwardedFor
                | Name::XForwardedHost
                | Name::XForwardedProto
        )
}
