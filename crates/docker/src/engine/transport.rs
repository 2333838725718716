//! How requests get to the engine: over connections that are kept and used again, because one through `ssh` or TLS is dear.

use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bollard::errors::Error;
use bytes::Bytes;
use futures_util::Stream;
use http::header::{HOST, HeaderValue};
use http::{Request, Response, Uri};
use http_body_util::{Either, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;

use super::dial::Dialer;

/// So many connections wait for the next request.
const IDLE_LIMIT: usize = 8;
const REGISTRY_AUTH: &str = "x-registry-auth";

/// Bodies as the library makes them.
type Body = Either<Full<Bytes>, StreamBody<BodyStream>>;
type BodyStream = Pin<Box<dyn Stream<Item = Result<Frame<Bytes>, std::io::Error>> + Send>>;

/// The way to one engine. Cheap to clone.
#[derive(Clone)]
pub(super) struct Transport {
    dialer: Arc<Dialer>,
    idle: Arc<Mutex<Vec<SendRequest<Body>>>>,
    /// `/v1.41`, once it is known which version both speak.
    version: Arc<OnceLock<String>>,
}

impl Transport {
    pub fn new(dialer: Arc<Dialer>) -> Self {
        Self { dialer, idle: Arc::default(), version: Arc::default() }
    }

    /// From now on, all requests are of this version of the API.
    pub fn speak(&self, version: &str) {
        // Whoever was first has asked the same engine.
        let _ = self.version.set(format!("/v{version}"));
    }

    /// Sends one request, and waits for the head of its answer.
    pub async fn send(&self, request: Request<Body>) -> Result<Response<Incoming>, Error> {
        let mut request = self.prepared(request)?;
        while let Some(mut sender) = self.take_idle() {
            match sender.try_send_request(request).await {
                Ok(response) => {
                    self.keep(sender);
                    return Ok(response);
                }
                Err(mut error) => match error.take_message() {
                    // The engine had closed the connection: the request has not left.
                    Some(unsent) => request = unsent,
                    None => return Err(error.into_error().into()),
                },
            }
        }
        let (mut sender, connection) = handshake(TokioIo::new(self.dialer.dial().await?)).await?;
        // Ends with the connection, when the sender and the last answer are gone.
        tokio::spawn(async move {
            let _ = connection.await;
        });
        let response = sender.send_request(request).await?;
        self.keep(sender);
        Ok(response)
    }

    fn prepared(&self, mut request: Request<Body>) -> Result<Request<Body>, Error> {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let version = self.version.get().map_or("", String::as_str);
        let uri = format!("{version}{path}").parse::<Uri>()?;
        *request.uri_mut() = uri;
        let headers = request.headers_mut();
        headers.insert(HOST, HeaderValue::from_static("docker"));
        if let Some(value) = headers.get(REGISTRY_AUTH) {
            let value = url_safe(value);
            headers.insert(REGISTRY_AUTH, value);
        }
        Ok(request)
    }

    /// A connection whose last answer has been read to its end.
    fn take_idle(&self) -> Option<SendRequest<Body>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|sender| !sender.is_closed());
        let ready = idle.iter().position(SendRequest::is_ready)?;
        Some(idle.swap_remove(ready))
    }

    fn keep(&self, sender: SendRequest<Body>) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_LIMIT {
            idle.push(sender);
        }
    }
}

/// Engines read this header in the alphabet for addresses (RFC 4648, section 5), and the library writes the other one: an
/// engine then goes on without credentials, and without a word.
fn url_safe(value: &HeaderValue) -> HeaderValue {
    let bytes: Vec<u8> = value
        .as_bytes()
        .iter()
        .map(|byte| match byte {
            b'+' => b'-',
            b'/' => b'_',
            other => *other,
        })
        .collect();
    let mut safe = HeaderValue::from_bytes(&bytes).unwrap_or_else(|_| value.clone());
    safe.set_sensitive(true);
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_written_as_engines_read_them() {
        let safe = url_safe(&HeaderValue::from_static("ab+c/d=="));
        assert_eq!(safe.as_bytes(), b"ab-c_d==");
        assert!(safe.is_sensitive());
    }
}
