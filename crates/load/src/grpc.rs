//! As much of gRPC over HTTP/2 as an echo needs: messages are opaque bytes.
//!
//! Source: <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>.

use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use http::HeaderMap;
use http_body_util::BodyExt;
use hyper::body::Body;
use thiserror::Error;

/// The content type of requests and answers.
pub(crate) const CONTENT_TYPE: &str = "application/grpc";

/// The header of a request that says how long its caller waits.
pub(crate) const TIMEOUT: &str = "grpc-timeout";

/// The trailer with which an answer ends.
pub(crate) const STATUS: &str = "grpc-status";

/// The trailer that says more about it.
pub(crate) const MESSAGE: &str = "grpc-message";

/// Everything went well.
pub(crate) const OK: u32 = 0;

/// A flag and the length, before each message.
const PREFIX_BYTES: usize = 5;

/// Longer messages are refused.
pub(crate) const MESSAGE_LIMIT_BYTES: usize = 8 * 1024 * 1024;

/// Why a stream of messages cannot be read on.
#[derive(Debug, Error)]
pub(crate) enum MessageError<E: std::error::Error + 'static> {
    #[error("a message is compressed, which was not agreed upon")]
    Compressed,
    #[error("a message has {0} bytes; {MESSAGE_LIMIT_BYTES} is the limit")]
    TooLong(usize),
    #[error("the stream ended within a message")]
    Truncated,
    #[error(transparent)]
    Body(#[from] E),
}

/// A message as it goes over the wire.
pub(crate) fn framed(message: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(PREFIX_BYTES + message.len());
    frame.put_u8(0);
    // Nothing here makes messages of four gigabytes.
    frame.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    frame.put_slice(message);
    frame.freeze()
}

/// Reads a deadline: up to eight digits and a unit.
pub(crate) fn timeout(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(TIMEOUT)?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let amount: u64 = digits.parse().ok().filter(|_| digits.len() <= 8)?;
    match unit {
        "H" => Some(Duration::from_secs(amount * 3_600)),
        "M" => Some(Duration::from_secs(amount * 60)),
        "S" => Some(Duration::from_secs(amount)),
        "m" => Some(Duration::from_millis(amount)),
        "u" => Some(Duration::from_micros(amount)),
        "n" => Some(Duration::from_nanos(amount)),
        _ => None,
    }
}

/// The status that an answer's trailers carry.
pub(crate) fn status(trailers: &HeaderMap) -> Option<u32> {
    trailers.get(STATUS)?.to_str().ok()?.parse().ok()
}

/// Takes a body apart into messages.
#[derive(Debug)]
pub(crate) struct Messages<B> {
    body: B,
    read: BytesMut,
    /// What came after the last message.
    pub(crate) trailers: Option<HeaderMap>,
}

impl<B> Messages<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::error::Error + 'static,
{
    pub(crate) fn new(body: B) -> Self {
        Self { body, read: BytesMut::new(), trailers: None }
    }

    /// The next message, or `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, MessageError<B::Error>> {
        loop {
            if let Some(message) = self.whole()? {
                return Ok(Some(message));
            }
            match self.body.frame().await.transpose()? {
                None if self.read.is_empty() => return Ok(None),
                None => return Err(MessageError::Truncated),
                Some(frame) => match frame.into_data() {
                    Ok(data) => self.read.extend_from_slice(&data),
                    Err(frame) => self.trailers = frame.into_trailers().ok(),
                },
            }
        }
    }

    /// A message that has been read to its end.
    fn whole(&mut self) -> Result<Option<Bytes>, MessageError<B::Error>> {
        let Some((mut prefix, rest)) = self.read.split_at_checked(PREFIX_BYTES) else { return Ok(None) };
        if prefix.get_u8() != 0 {
            return Err(MessageError::Compressed);
        }
        let length = prefix.get_u32() as usize;
        if length > MESSAGE_LIMIT_BYTES {
            return Err(MessageError::TooLong(length));
        }
        if rest.len() < length {
            return Ok(None);
        }
        self.read.advance(PREFIX_BYTES);
        Ok(Some(self.read.split_to(length).freeze()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    use http_body_util::{Full, StreamBody};
    use hyper::body::Frame;

    #[tokio::test]
    async fn messages_are_found_whatever_the_pieces_they_come_in() {
        let sent = [framed(b"one"), framed(b""), framed(&[7; 3_000])].concat();
        for piece_bytes in [1, 4, 6, sent.len()] {
            let pieces: Vec<Result<Frame<Bytes>, Infallible>> = sent
                .chunks(piece_bytes)
                .map(|piece| Ok(Frame::data(Bytes::copy_from_slice(piece))))
                .collect();
            let mut messages = Messages::new(StreamBody::new(futures_util::stream::iter(pieces)));
            assert_eq!(messages.next().await.unwrap().unwrap(), "one");
            assert_eq!(messages.next().await.unwrap().unwrap(), "");
            assert_eq!(messages.next().await.unwrap().unwrap(), [7; 3_000].as_slice());
            assert!(messages.next().await.unwrap().is_none());
        }
    }

    #[tokio::test]
    async fn what_is_no_message_is_named() {
        let fault = |bytes: &'static [u8]| async move {
            Messages::new(Full::new(Bytes::from_static(bytes))).next().await.unwrap_err()
        };
        assert!(matches!(fault(&[1, 0, 0, 0, 0]).await, MessageError::Compressed));
        assert!(matches!(fault(&[0, 0, 0, 0, 2, 9]).await, MessageError::Truncated));
        assert!(matches!(fault(&[0, 255, 0, 0, 0]).await, MessageError::TooLong(_)));
    }

    #[test]
    fn deadlines_are_read_in_every_unit() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(TIMEOUT, text.parse().unwrap());
            timeout(&headers)
        };
        assert_eq!(read("2H"), Some(Duration::from_secs(7_200)));
        assert_eq!(read("100m"), Some(Duration::from_millis(100)));
        assert_eq!(read("99999999n"), Some(Duration::from_nanos(99_999_999)));
        for wrong in ["", "m", "1", "1x", "-1S", "999999999S", "1é"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
