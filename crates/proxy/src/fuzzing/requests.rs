//! Requests on a connection of HTTP/1, heads and bodies, as the edge reads them and as `hyper` does.

use super::beside::{self, Message};
use crate::http1::{ChunkedDecoder, HeadScanner, Step, parse_request};
use crate::message::{BodyLength, Fields, RequestHead};

/// Requests, one after the other. Whatever we accept another server must read as the same requests, whose bodies end at
/// the same bytes; it may be stricter, never wait for more or less.
pub fn requests(bytes: &[u8]) {
    let ours = Reader::new(bytes, usize::MAX).read();
    let in_pieces = Reader::new(bytes, bytes.len() % 7 + 1).read();
    assert_eq!(ours, in_pieces, "it matters how the bytes come");
    let theirs = beside::requests(bytes);
    for (ours, theirs) in ours.iter().zip(&theirs.messages) {
        assert_eq!(ours, theirs, "two readers see two requests");
    }
    let agreed = theirs.refused || theirs.messages.len() >= ours.len();
    assert!(agreed, "we see {} requests, they see {}", ours.len(), theirs.messages.len());
}

/// A body in chunks, and what follows it.
pub fn chunked_body(bytes: &[u8]) {
    let head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    requests(&[head, bytes].concat());
}

/// Reads a connection as the edge does: a head, its body, the next head, until one is refused or more is needed.
struct Reader<'b> {
    bytes: &'b [u8],
    /// What has come so far.
    come: usize,
    /// How many bytes come at a time.
    piece: usize,
    /// What was read so far.
    at: usize,
}

impl<'b> Reader<'b> {
    fn new(bytes: &'b [u8], piece: usize) -> Self {
        Self { bytes, come: 0, piece, at: 0 }
    }

    fn read(mut self) -> Vec<Message> {
        let mut messages = Vec::new();
        while let Some((message, keep_alive)) = self.message() {
            messages.push(message);
            if !keep_alive {
                break;
            }
        }
        messages
    }

    /// The next request, and whether another may follow.
    fn message(&mut self) -> Option<(Message, bool)> {
        let head = self.head()?;
        // CONNECT is refused in words of its own.
        if head.method() == b"CONNECT" {
            return None;
        }
        let mut trailers = Fields::default();
        let body = match head.length {
            BodyLength::Empty => Vec::new(),
            BodyLength::Known(length) => self.exactly(length)?,
            BodyLength::Streamed => self.chunks(&mut trailers)?,
            BodyLength::UntilClose => panic!("a request cannot end with its connection"),
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let line = vec![text(head.method()), text(head.target()), text(head.host().unwrap_or_default())];
        let message = Message { line, fields: sorted(&head.fields), body, trailers: sorted(&trailers) };
        Some((message, head.keep_alive))
    }

    fn head(&mut self) -> Option<RequestHead> {
        let mut scanner = HeadScanner::default();
        loop {
            let unread = &self.bytes[self.at..self.come];
            if let Some(place) = scanner.find(unread).ok()? {
                let mut head = RequestHead::default();
                self.at += place.end;
                parse_request(&unread[place], &mut head).ok()?;
                return Some(head);
            }
            self.wait()?;
        }
    }

    fn exactly(&mut self, length: u64) -> Option<Vec<u8>> {
        let length = usize::try_from(length).ok()?;
        let body = self.bytes[self.at..].get(..length)?;
        self.at += length;
        self.come = self.come.max(self.at);
        Some(body.to_vec())
    }

    fn chunks(&mut self, trailers: &mut Fields) -> Option<Vec<u8>> {
        let (mut decoder, mut body) = (ChunkedDecoder::default(), Vec::new());
        loop {
            let unread = &self.bytes[self.at..self.come];
            match decoder.next(unread, trailers).ok()? {
                Step::End(used) => {
                    self.at += used;
                    return Some(body);
                }
                Step::Data(length) => {
                    body.extend_from_slice(&unread[..length]);
                    decoder.take(length);
                    self.at += length;
                }
                Step::Skip(used) => {
                    self.at += used;
                    if self.at == self.come {
                        self.wait()?;
                    }
                }
            }
        }
    }

    /// More comes; `None` if nothing does.
    fn wait(&mut self) -> Option<()> {
        let come = self.come.saturating_add(self.piece).min(self.bytes.len());
        (come > self.come).then(|| self.come = come)
    }
}

pub(super) fn sorted(fields: &Fields) -> Vec<(String, Vec<u8>)> {
    let lower_case = |name: &[u8]| String::from_utf8_lossy(name).to_ascii_lowercase();
    let mut sorted: Vec<_> =
        fields.iter().map(|(_, name, value)| (lower_case(name), value.to_vec())).collect();
    sorted.sort();
    sorted
}
