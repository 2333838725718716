//! Bodies on their way: what the client sends (`Upload`), and what it gets (`ReplyBody`). Both are streamed; how fast is
//! up to the reader at the far end.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};

use super::flight::Flight;
use super::link::Link;

/// How far a request body has come; shared between the body, which hyper owns, and the exchange.
#[derive(Debug)]
pub(super) struct Progress {
    finished: Cell<bool>,
    client_failed: Cell<bool>,
    waits_for_client: Cell<bool>,
    moved_at: Cell<Instant>,
}

impl Progress {
    /// Whether the whole body has been passed on.
    pub(super) fn is_finished(&self) -> bool {
        self.finished.get()
    }

    /// Whether the body could not be read: the client went away, or framed it wrongly.
    pub(super) fn client_failed(&self) -> bool {
        self.client_failed.get()
    }

    /// Whether it is the client that everybody waits for.
    pub(super) fn waits_for_client(&self) -> bool {
        self.waits_for_client.get() && !self.finished.get()
    }

    /// When the last part of it was passed on.
    pub(super) fn moved_at(&self) -> Instant {
        self.moved_at.get()
    }
}

/// A request body on its way to an endpoint.
pub(super) struct Upload {
    inner: Option<Incoming>,
    progress: Rc<Progress>,
}

impl Upload {
    pub(super) fn new(body: Incoming) -> Self {
        let empty = body.is_end_stream();
        let progress = Progress {
            finished: Cell::new(empty),
            client_failed: Cell::new(false),
            waits_for_client: Cell::new(false),
            moved_at: Cell::new(Instant::now()),
        };
        Self { inner: (!empty).then_some(body), progress: Rc::new(progress) }
    }

    /// Another body without content, for sending the same request again.
    pub(super) fn empty_again(&self) -> Self {
        Self { inner: None, progress: Rc::clone(&self.progress) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.inner.is_none()
    }

    pub(super) fn progress(&self) -> Rc<Progress> {
        Rc::clone(&self.progress)
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(inner) = &mut self.inner else { return Poll::Ready(None) };
        let polled = Pin::new(&mut *inner).poll_frame(cx);
        let ended = inner.is_end_stream();
        let progress = &self.progress;
        progress.waits_for_client.set(polled.is_pending());
        match &polled {
            Poll::Pending => {}
            Poll::Ready(Some(Err(_))) => progress.client_failed.set(true),
            Poll::Ready(frame) => {
                progress.moved_at.set(Instant::now());
                progress.finished.set(frame.is_none() || ended);
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

/// An answer's body on its way to a client.
pub(super) enum ReplyBody {
    /// The edge's own words.
    Text(Option<Bytes>),
    /// From an endpoint.
    Download(Download),
}

/// A body that comes from an endpoint. While it lives, the request is in flight; when it has ended, the connection goes
/// back to the idle ones; when it is dropped before (the client is gone), the connection is closed.
pub(super) struct Download {
    inner: Incoming,
    carrier: Option<Carrier>,
}

/// What a body from an endpoint holds on to until it has ended.
pub(super) struct Carrier {
    pub(super) flight: Flight,
    pub(super) link: Link,
    pub(super) upload: Rc<Progress>,
}

impl Download {
    pub(super) fn new(inner: Incoming, carrier: Carrier) -> Self {
        let mut download = Self { inner, carrier: Some(carrier) };
        if download.inner.is_end_stream() {
            download.finish();
        }
        download
    }

    fn finish(&mut self) {
        let Some(Carrier { flight, link, upload }) = self.carrier.take() else { return };
        // An endpoint may answer before it has read the request; such a connection is of no further use.
        if upload.is_finished() {
            flight.upstream.park(link);
        }
    }

    fn fail(&mut self) {
        if let Some(carrier) = self.carrier.take() {
            carrier.flight.shard().broken.add(1);
        }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let download = match &mut *self {
            Self::Text(text) => return Poll::Ready(text.take().map(|text| Ok(Frame::data(text)))),
            Self::Download(download) => download,
        };
        let polled = Pin::new(&mut download.inner).poll_frame(cx);
        match &polled {
            Poll::Pending => {}
            // hyper cuts the client's connection on an error, so that a broken answer is never taken for a whole one.
            Poll::Ready(Some(Err(_))) => download.fail(),
            Poll::Ready(None) => download.finish(),
            Poll::Ready(Some(Ok(_))) if download.inner.is_end_stream() => download.finish(),
            Poll::Ready(Some(Ok(_))) => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Text(text) => text.is_none(),
            Self::Download(download) => download.inner.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Text(text) => SizeHint::with_exact(text.as_ref().map_or(0, Bytes::len) as u64),
            Self::Download(download) => download.inner.size_hint(),
        }
    }
}
