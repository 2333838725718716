//! A request's body on its way.

use std::task::{Context, Poll};
use std::time::Instant;

use super::copy::Copy;
use crate::message::BodyLength;
use crate::worker::body::{BodyFault, Part};
use crate::worker::client::ClientEnd;
use crate::worker::upstream::Link;

/// How far a request's body has come.
pub(super) struct Upload {
    /// Nothing more is passed on.
    over: bool,
    /// All of it has been passed on.
    pub(super) is_whole: bool,
    pub(super) bytes: u64,
    /// More bytes than these are refused.
    largest: u64,
    /// When the last part of it was passed on.
    pub(super) moved_at: Instant,
    /// It is the client that everybody waits for.
    pub(super) waits_for_client: bool,
    /// A copy that is being made of it.
    pub(super) copy: Option<Copy>,
}

/// Why a body cannot be passed on.
pub(super) enum UploadFault {
    /// The client sends nonsense, or has gone.
    Client(BodyFault),
    /// It is longer than the route takes.
    TooLarge,
    /// The instance takes no more. It may have answered all the same.
    Link,
}

impl Upload {
    pub(super) fn new(length: BodyLength, now: Instant) -> Self {
        let empty = length == BodyLength::Empty;
        Self {
            over: empty,
            is_whole: empty,
            bytes: 0,
            largest: u64::MAX,
            moved_at: now,
            waits_for_client: false,
            copy: None,
        }
    }

    /// Another instance is tried, of which nothing has been passed on to yet.
    pub(super) fn begin(&mut self, length: BodyLength, now: Instant) {
        if self.bytes == 0 {
            // An end, or a broken connection, that the one before has been told of.
            self.over = length == BodyLength::Empty;
            self.is_whole = self.over;
        }
        self.moved_at = now;
    }

    pub(super) fn limit(&mut self, largest: Option<u64>) {
        self.largest = largest.unwrap_or(u64::MAX);
    }

    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// Passes on what can be passed on now.
    pub(super) fn go_on<C: ClientEnd>(
        &mut self,
        cx: &mut Context<'_>,
        client: &mut C,
        link: &mut Link,
    ) -> Result<(), UploadFault> {
        while !self.over {
            self.waits_for_client = false;
            match client.poll_body(cx) {
                Poll::Pending => {
                    self.waits_for_client = true;
                    break;
                }
                Poll::Ready(Err(fault)) => return self.stop(UploadFault::Client(fault)),
                Poll::Ready(Ok(Part::End)) => {
                    link.end(client.body_trailers());
                    (self.over, self.is_whole) = (true, true);
                    if let Some(copy) = self.copy.take() {
                        copy.go();
                    }
                }
                Poll::Ready(Ok(Part::Data)) => {
                    if self.bytes + client.body_data().len() as u64 > self.largest {
                        return self.stop(UploadFault::TooLarge);
                    }
                    match link.poll_write(cx, client.body_data()) {
                        Poll::Pending => break,
                        Poll::Ready(Err(_)) => return self.stop(UploadFault::Link),
                        Poll::Ready(Ok(bytes)) => {
                            if let Some(copy) = &mut self.copy {
                                copy.body.extend_from_slice(&client.body_data()[..bytes]);
                            }
                            client.take_body(bytes);
                            self.bytes += bytes as u64;
                            self.moved_at = Instant::now();
                        }
                    }
                }
            }
        }
        match link.poll_flush(cx) {
            Poll::Ready(Err(_)) => self.stop(UploadFault::Link),
            Poll::Ready(Ok(())) | Poll::Pending => Ok(()),
        }
    }

    fn stop(&mut self, fault: UploadFault) -> Result<(), UploadFault> {
        self.over = true;
        Err(fault)
    }
}
