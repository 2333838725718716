//! Server-sent events (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::body::Frame;

use super::body::{Answer, streamed};

/// The most events in one answer.
const COUNT_LIMIT: u64 = 1_000_000;

/// So many numbered events, with pauses between them.
#[derive(Debug)]
pub(super) struct Events {
    pub(super) count: u64,
    pub(super) pause: Duration,
    pub(super) version: String,
}

impl Events {
    pub(super) fn answer(self) -> Answer {
        let events = stream::unfold(1, move |number| {
            let (pause, version) = (self.pause, self.version.clone());
            async move {
                if number > self.count.min(COUNT_LIMIT) {
                    return None;
                }
                if number > 1 && !pause.is_zero() {
                    tokio::time::sleep(pause).await;
                }
                let event = format!("id: {number}\nevent: tick\ndata: {version}\n\n");
                Some((Ok(Frame::data(Bytes::from(event))), number + 1))
            }
        });
        let mut answer = streamed(events);
        let headers = answer.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        answer
    }
}
