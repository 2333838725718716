//! One exchange with an instance, whatever it speaks.

use std::io;
use std::task::{Context, Poll};

use thiserror::Error;

use super::{Http1Link, Http2Link};
use crate::message::{Fields, RequestHead, ResponseHead};
use crate::worker::body::{BodyFault, Part};
use crate::worker::forwarding::Told;

/// Why an instance did not answer as it should.
#[derive(Debug, Error)]
pub(in crate::worker) enum LinkFault {
    /// The connection ended or broke.
    #[error("the instance broke off the connection")]
    Broken,
    /// It has not begun with the request and never will; another may.
    #[error("the instance has refused the request before it began with it")]
    Unprocessed,
    /// What came is not an answer.
    #[error("the instance's answer cannot be read")]
    Nonsense,
}

impl From<io::Error> for LinkFault {
    fn from(_: io::Error) -> Self {
        Self::Broken
    }
}

/// A request as it goes out.
#[derive(Clone, Copy)]
pub(in crate::worker) struct Outgoing<'r> {
    pub(in crate::worker) head: &'r RequestHead,
    pub(in crate::worker) told: Told<'r>,
    /// Ask for the protocol that the client wants to go on in.
    pub(in crate::worker) upgrade: bool,
}

/// One exchange with an instance: the request goes into it, the answer comes out of it.
pub(in crate::worker) enum Link {
    /// On a connection of its own.
    Http1(Box<Http1Link>),
    /// On a stream of a shared connection.
    Http2(Box<Http2Link>),
}

impl Link {
    /// The request begins.
    pub(in crate::worker) fn begin(&mut self, request: Outgoing<'_>) {
        match self {
            Self::Http1(link) => link.begin(request),
            Self::Http2(link) => link.begin(request),
        }
    }

    /// Takes some of these bytes of the request's body; says how many.
    pub(in crate::worker) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Http1(link) => link.poll_write(cx, bytes),
            Self::Http2(link) => link.poll_write(cx, bytes),
        }
    }

    /// Nothing of the request follows but these trailers.
    pub(in crate::worker) fn end(&mut self, trailers: &Fields) {
        match self {
            Self::Http1(link) => link.end(trailers),
            Self::Http2(link) => link.end(trailers),
        }
    }

    /// Ready when all of the request so far is on its way.
    pub(in crate::worker) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Http1(link) => link.poll_flush(cx),
            Self::Http2(_) => Poll::Ready(Ok(())),
        }
    }

    /// Waits for the answer's head.
    pub(in crate::worker) fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        head: &mut ResponseHead,
    ) -> Poll<Result<(), LinkFault>> {
        match self {
            Self::Http1(link) => link.poll_head(cx, head),
            Self::Http2(link) => link.poll_head(cx, head),
        }
    }

    /// Looks for more of the answer's body.
    pub(in crate::worker) fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Result<Part, BodyFault>> {
        match self {
            Self::Http1(link) => link.poll_body(cx),
            Self::Http2(link) => link.poll_body(cx),
        }
    }

    /// The data that has come.
    pub(in crate::worker) fn body_data(&self) -> &[u8] {
        match self {
            Self::Http1(link) => link.body_data(),
            Self::Http2(link) => link.body_data(),
        }
    }

    /// So many bytes of the data were used.
    pub(in crate::worker) fn take_body(&mut self, bytes: usize) {
        match self {
            Self::Http1(link) => link.take_body(bytes),
            Self::Http2(link) => link.take_body(bytes),
        }
    }

    /// What came after the body.
    pub(in crate::worker) fn body_trailers(&self) -> &Fields {
        match self {
            Self::Http1(link) => link.body_trailers(),
            Self::Http2(link) => link.body_trailers(),
        }
    }

    /// Whether nobody at the other end can have seen anything of the request.
    pub(in crate::worker) fn is_untouched(&self) -> bool {
        match self {
            Self::Http1(link) => link.is_untouched(),
            Self::Http2(_) => false,
        }
    }
}
