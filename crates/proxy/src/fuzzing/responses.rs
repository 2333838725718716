//! Answers of instances on HTTP/1, as the edge reads them and as `hyper` does.

use http::Method;

use super::beside::{self, Heard, Message};
use super::requests::sorted;
use crate::http1::{ChunkedDecoder, HeadScanner, Step, parse_response};
use crate::message::{BodyLength, Fields, ResponseHead};

/// An answer to GET, and the same as one to HEAD. Whatever we accept another client must read as the same answer with the
/// same body, or refuse.
pub fn response(bytes: &[u8]) {
    for method in [Method::GET, Method::HEAD] {
        let Some(ours) = read(bytes, method == Method::HEAD) else { continue };
        let theirs = beside::response(bytes, &method);
        match theirs {
            Heard { refused: true, .. } => {}
            Heard { mut messages, .. } => {
                // One that was repeated is passed on once.
                for message in &mut messages {
                    message.fields.dedup_by(|one, other| one == other && one.0 == "content-length");
                }
                assert_eq!(messages, [ours], "two readers see two answers to {method}");
            }
        }
    }
}

/// The answer after any interim ones; `None` if it is refused, or more is needed.
fn read(mut bytes: &[u8], to_head: bool) -> Option<Message> {
    let mut head = ResponseHead::default();
    loop {
        let place = HeadScanner::default().find(bytes).ok()??;
        let (text, rest) = (&bytes[place.clone()], &bytes[place.end..]);
        parse_response(text, to_head, &mut head).ok()?;
        bytes = rest;
        match head.status {
            // What follows is not HTTP.
            101 => return None,
            0..200 => {}
            _ => break,
        }
    }
    let mut trailers = Fields::default();
    let body = match head.length {
        BodyLength::Empty => Vec::new(),
        BodyLength::Known(length) => bytes.get(..usize::try_from(length).ok()?)?.to_vec(),
        BodyLength::Streamed => chunks(bytes, &mut trailers)?,
        // Ends with the connection, which does not end here.
        BodyLength::UntilClose => return None,
    };
    let line = vec![format!("{:03}", head.status)];
    Some(Message { line, fields: sorted(&head.fields), body, trailers: sorted(&trailers) })
}

fn chunks(mut bytes: &[u8], trailers: &mut Fields) -> Option<Vec<u8>> {
    let (mut decoder, mut body) = (ChunkedDecoder::default(), Vec::new());
    loop {
        match decoder.next(bytes, trailers).ok()? {
            Step::End(_) => return Some(body),
            Step::Skip(used) if used == bytes.len() => return None,
            Step::Skip(used) => bytes = &bytes[used..],
            Step::Data(length) => {
                body.extend_from_slice(&bytes[..length]);
                decoder.take(length);
                bytes = &bytes[length..];
            }
        }
    }
}
