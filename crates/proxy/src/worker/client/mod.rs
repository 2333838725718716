//! The client's end of an exchange, whatever it speaks.

mod connection;
mod http1;
mod http2;
mod multiplexed;

use std::io;
use std::task::{Context, Poll};

use super::body::{BodyFault, Part};
use crate::message::{Fields, ResponseHead};

pub(super) use connection::{Closing, Visitor, welcome};
pub(super) use http1::Http1Client;

/// The client's end of one exchange: its request's body comes out of it, the answer goes into it.
///
/// Each call of `poll_…` goes as far as it can without waiting, and has the task woken when it can go on.
pub(super) trait ClientEnd {
    /// Looks for more of the request's body.
    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Result<Part, BodyFault>>;
    /// The data that has come.
    fn body_data(&self) -> &[u8];
    /// So many bytes of the data were used.
    fn take_body(&mut self, bytes: usize);
    /// What came after the body.
    fn body_trailers(&self) -> &Fields;

    /// The answer begins with this head and these fields, which replace fields of the same name. `last`: the client is to
    /// take its next request to another connection.
    fn begin(&mut self, head: &ResponseHead, added: &Fields, last: bool);
    /// Takes some of these bytes of the answer's body; says how many.
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>>;
    /// Nothing of the answer follows but these trailers.
    fn end(&mut self, trailers: &Fields);
    /// Ready when all of the answer so far is on its way.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
    /// Ready when the client has gone away while it should be waiting for the answer.
    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()>;
    /// The protocol that the client wants to go on in, if it says so and this end can.
    fn wanted_upgrade(&self) -> bool;
}
