//! The two halves of a try: waiting for the answer's head while the request goes out, and passing the answer on.

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::Exchange;
use super::upload::UploadFault;
use crate::routing::CompiledTimeouts;
use crate::worker::body::{BodyFault, Part};
use crate::worker::client::ClientEnd;
use crate::worker::upstream::{Link, LinkFault};

/// Parts of a body that are passed on before others have their turn.
const MOST_PARTS: usize = 16;

/// What came of waiting for the answer's head.
pub(super) enum Heard {
    /// It has come.
    Head,
    /// It will not come.
    Fault(LinkFault),
    /// The client's body could not be read.
    Client(BodyFault),
    /// The client's body is too large.
    TooLarge,
    /// It has not come in time.
    Late,
    /// The client does not wait for it any more.
    Gone,
}

/// How the passing on of an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passed {
    /// The instance has said all of it; what the client has not taken yet waits to go out.
    Whole,
    /// The instance broke it off.
    Broken,
    /// Nothing has moved for too long.
    Late,
    /// The client has gone.
    Gone,
}

impl<C: ClientEnd> Exchange<'_, C> {
    /// Sends the request, and waits for the answer's head.
    pub(super) async fn hear(&mut self, link: &mut Link, timeouts: &CompiledTimeouts) -> Heard {
        self.deadline.set(self.no_later(self.upload.moved_at + self.patience(timeouts)));
        poll_fn(|cx| self.poll_hear(cx, link, timeouts)).await
    }

    /// How long nothing may come, since the request moved last.
    fn patience(&self, timeouts: &CompiledTimeouts) -> Duration {
        if self.upload.is_over() { timeouts.first_byte } else { timeouts.idle }
    }

    fn poll_hear(
        &mut self,
        cx: &mut Context<'_>,
        link: &mut Link,
        timeouts: &CompiledTimeouts,
    ) -> Poll<Heard> {
        let was_under_way = !self.upload.is_over();
        match self.upload.go_on(cx, self.client, link) {
            Err(UploadFault::Client(fault)) => return Poll::Ready(Heard::Client(fault)),
            Err(UploadFault::TooLarge) => return Poll::Ready(Heard::TooLarge),
            // Whoever takes no more may have said why; the head tells.
            Ok(()) | Err(UploadFault::Link) => {}
        }
        if let Poll::Ready(head) = link.poll_head(cx, self.response) {
            return Poll::Ready(head.map_or_else(Heard::Fault, |()| Heard::Head));
        }
        if self.upload.is_over() && self.client.poll_gone(cx).is_ready() {
            return Poll::Ready(Heard::Gone);
        }
        let extended = self.no_later(self.upload.moved_at + self.patience(timeouts));
        if was_under_way && self.upload.is_over() {
            self.deadline.set(extended);
        }
        while self.deadline.poll(cx).is_ready() {
            if extended <= Instant::now() {
                return Poll::Ready(Heard::Late);
            }
            self.deadline.set(extended);
        }
        Poll::Pending
    }

    /// Passes the answer's body on, as fast as the client takes it.
    pub(super) async fn pass_on(&mut self, link: &mut Link, idle: Duration) -> Passed {
        self.deadline.set(self.no_later(Instant::now() + idle));
        poll_fn(|cx| self.poll_pass_on(cx, link, idle)).await
    }

    fn poll_pass_on(&mut self, cx: &mut Context<'_>, link: &mut Link, idle: Duration) -> Poll<Passed> {
        let (received, sent) = (self.upload.bytes, self.sent);
        let mut client_is_slow = false;
        if !self.upload.is_over()
            && let Err(UploadFault::Client(_) | UploadFault::TooLarge) =
                self.upload.go_on(cx, self.client, link)
        {
            return Poll::Ready(Passed::Gone);
        }
        for turn in 0.. {
            if turn == MOST_PARTS {
                cx.waker().wake_by_ref();
                break;
            }
            match link.poll_body(cx) {
                Poll::Pending => break,
                Poll::Ready(Err(_)) => return Poll::Ready(Passed::Broken),
                Poll::Ready(Ok(Part::End)) => {
                    self.client.end(link.body_trailers());
                    return Poll::Ready(Passed::Whole);
                }
                Poll::Ready(Ok(Part::Data)) => match self.client.poll_write(cx, link.body_data()) {
                    Poll::Pending => {
                        client_is_slow = true;
                        break;
                    }
                    Poll::Ready(Err(_)) => return Poll::Ready(Passed::Gone),
                    Poll::Ready(Ok(bytes)) => {
                        if let Some(kept) = &mut self.kept {
                            kept.body.push(&link.body_data()[..bytes]);
                        }
                        link.take_body(bytes);
                        self.sent += bytes as u64;
                    }
                },
            }
        }
        if let Poll::Ready(Err(_)) = self.client.poll_flush(cx) {
            return Poll::Ready(Passed::Gone);
        }
        if self.upload.is_over() && self.client.poll_gone(cx).is_ready() {
            return Poll::Ready(Passed::Gone);
        }
        if self.upload.bytes > received || self.sent > sent {
            self.deadline.set(self.no_later(Instant::now() + idle));
        }
        // The instance is not blamed for a client that does not read.
        let late = if client_is_slow { Passed::Gone } else { Passed::Late };
        self.deadline.poll(cx).map(|()| late)
    }
}
