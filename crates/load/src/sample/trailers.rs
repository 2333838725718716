//! An answer of unknown length with trailers.

use bytes::Bytes;
use futures_util::stream;
use http::HeaderMap;
use http::header::{HeaderValue, TRAILER};
use hyper::body::Frame;
use sha2::{Digest, Sha256};

use super::body::{Answer, streamed};
use super::{DIGEST_TRAILER, hexadecimal};

const PIECES: [&str; 3] = ["this answer ", "comes in pieces ", "and ends with a trailer\n"];

/// Over HTTP/1.1 the trailer is sent only to clients that say `TE: trailers`.
pub(super) fn answer() -> Answer {
    let digest = hexadecimal(&Sha256::digest(PIECES.concat()));
    let mut trailers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_str(&digest) {
        trailers.insert(DIGEST_TRAILER, value);
    }
    let pieces = PIECES.map(|piece| Frame::data(Bytes::from_static(piece.as_bytes())));
    let frames = pieces.into_iter().chain([Frame::trailers(trailers)]).map(Ok);
    let mut answer = streamed(stream::iter(frames));
    answer.headers_mut().insert(TRAILER, HeaderValue::from_static(DIGEST_TRAILER));
    answer
}
