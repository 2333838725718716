//! Answers of one JSON object a line, which may go on for as long as somebody listens.

use std::convert::Infallible;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use serde::Serialize;
use tokio::sync::mpsc;

/// How many parts wait for a slow reader before the writer does.
const WAITING_PARTS: usize = 16;

/// The writing end of an answer.
pub(crate) struct Writer(mpsc::Sender<Bytes>);

/// The reader has gone away.
pub(crate) struct Gone;

impl Writer {
    /// Writes a line for each.
    pub(crate) async fn write<T: Serialize>(&self, values: &[T]) -> Result<(), Gone> {
        if values.is_empty() {
            return if self.0.is_closed() { Err(Gone) } else { Ok(()) };
        }
        let mut text = Vec::new();
        for value in values {
            // What is written here are trees of our own types, which always serialize.
            serde_json::to_writer(&mut text, value).map_err(|_| Gone)?;
            text.push(b'\n');
        }
        self.0.send(text.into()).await.map_err(|_| Gone)
    }

    /// Waits until the reader has gone away.
    pub(crate) async fn gone(&self) {
        self.0.closed().await;
    }
}

/// An answer that a task of its own writes.
pub(crate) fn answer<F>(write: impl FnOnce(Writer) -> F) -> Response
where
    F: Future<Output = Result<(), Gone>> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(WAITING_PARTS);
    tokio::spawn(write(Writer(sender)));
    let parts = stream::unfold(receiver, |mut receiver| async move {
        let part = receiver.recv().await?;
        Some((Ok::<_, Infallible>(part), receiver))
    });
    ([(CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(parts)).into_response()
}

/// An answer that is complete.
pub(crate) fn complete<T: Serialize + Send + Sync + 'static>(values: Vec<T>) -> Response {
    answer(|writer| async move { writer.write(&values).await })
}
