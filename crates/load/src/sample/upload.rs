//! Uploads of any size and speed: counted and hashed while they come.

use http::{Request, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::answer::Answerer;
use super::body::{self, Answer};
use super::hexadecimal;

/// Answers with the number of bytes, their SHA-256 and the trailers that came.
pub(super) async fn answer(answerer: &Answerer, request: Request<Incoming>) -> Answer {
    let mut content = request.into_body();
    let (mut bytes, mut hasher, mut trailers) = (0, Sha256::new(), Map::new());
    while let Some(frame) = content.frame().await {
        let frame = match frame {
            Ok(frame) => frame,
            Err(error) => return body::json(StatusCode::BAD_REQUEST, &json!({"error": error.to_string()})),
        };
        if let Some(data) = frame.data_ref() {
            bytes += data.len() as u64;
            hasher.update(data);
        } else if let Ok(found) = frame.into_trailers() {
            for (name, value) in &found {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                trailers.insert(name.as_str().to_owned(), Value::String(value));
            }
        }
    }
    let received = json!({"bytes": bytes, "sha256": hexadecimal(&hasher.finalize()), "trailers": trailers});
    answerer.unless_it_fails(|| body::json(StatusCode::OK, &received)).await
}
