//! The other side of the API.

mod remote;

use std::io;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use bytes::{Buf, Bytes};
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;
use tokio::net::UnixStream;

use crate::ErrorBody;
use remote::Remote;
pub use remote::RemoteError;

/// A longer line is taken for something else than an answer of ours, in bytes.
const LINE_LIMIT_BYTES: usize = 8 << 20;

/// Speaks to one server.
#[derive(Debug, Clone)]
pub struct Client {
    way: Way,
    /// `Authorization`, if a credential was given; never printed.
    authorization: Option<HeaderValue>,
}

/// How the server is reached.
#[derive(Debug, Clone)]
enum Way {
    /// By its socket. Each request has a connection of its own, so that a restart in between does no harm.
    Socket(PathBuf),
    /// By the network.
    Remote(Remote),
}

/// Why there is no answer, or not the one that was wished for.
#[derive(Debug, Error)]
pub enum ClientError {
    /// Nobody listens.
    #[error("no server answers on {}: {source}", .socket.display())]
    Unreachable {
        /// The socket.
        socket: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The server said no.
    #[error("{}", .0.message)]
    Refused(ErrorBody),
    /// The answer did not come, or broke off.
    #[error("the connection to the server broke: {0}; `pilotage status` tells how things stand")]
    Broken(String),
    /// The answer is not what this version understands.
    #[error("the server's answer is not understood: {0}; is it of another version? Stop it and try again")]
    Strange(String),
}

impl Client {
    /// A client of the server behind a socket. Nothing is opened yet.
    pub fn new(socket: impl Into<PathBuf>) -> Self {
        Self { way: Way::Socket(socket.into()), authorization: None }
    }

    /// A client of a server on the network: `https://HOST:PORT`, or `http://` on this machine. Nothing is opened yet.
    ///
    /// # Errors
    /// Fails if the address is none, or a token would travel in the clear.
    pub fn remote(url: &str) -> Result<Self, RemoteError> {
        Ok(Self { way: Way::Remote(Remote::new(url)?), authorization: None })
    }

    /// The same with a token, which goes along with every request.
    ///
    /// # Errors
    /// Fails if the token holds what no header can; it is not repeated.
    pub fn with_token(mut self, token: &str) -> Result<Self, RemoteError> {
        let mut value = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| RemoteError::Token)?;
        value.set_sensitive(true);
        self.authorization = Some(value);
        Ok(self)
    }

    /// Asks for something. `path` begins with `/v1/`.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        let answer = self.send(Method::GET, path, Bytes::new()).await?;
        whole(answer).await
    }

    /// Sends something.
    pub async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let body = serde_json::to_vec(body).map_err(|error| ClientError::Strange(error.to_string()))?;
        let answer = self.send(Method::POST, path, body.into()).await?;
        whole(answer).await
    }

    /// Asks for something that comes line by line.
    pub async fn lines<T: DeserializeOwned>(&self, path: &str) -> Result<Lines<T>, ClientError> {
        let body = self.send(Method::GET, path, Bytes::new()).await?;
        Ok(Lines { body, read: Vec::new(), taken: 0, kind: PhantomData })
    }

    async fn send(&self, method: Method, path: &str, body: Bytes) -> Result<Incoming, ClientError> {
        let mut request = Request::builder().method(method).header(header::CONTENT_TYPE, "application/json");
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let strange = |error: http::Error| ClientError::Strange(error.to_string());
        let response = match &self.way {
            Way::Socket(socket) => {
                let request = request.uri(path).header(header::HOST, "pilotage");
                over_socket(socket, request.body(Full::new(body)).map_err(strange)?).await?
            }
            Way::Remote(remote) => {
                let request = request.uri(remote.uri(path));
                remote.send(request.body(Full::new(body)).map_err(strange)?).await?
            }
        };
        let (status, body) = (response.status(), response.into_body());
        if status.is_success() { Ok(body) } else { Err(refusal(status, body).await) }
    }
}

async fn over_socket(
    socket: &Path,
    request: Request<Full<Bytes>>,
) -> Result<Response<Incoming>, ClientError> {
    let stream = UnixStream::connect(socket)
        .await
        .map_err(|source| ClientError::Unreachable { socket: socket.to_owned(), source })?;
    let broken = |error: hyper::Error| ClientError::Broken(error.to_string());
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    tokio::spawn(connection);
    sender.send_request(request).await.map_err(broken)
}

async fn refusal(status: StatusCode, body: Incoming) -> ClientError {
    let bytes = match body.collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(error) => return ClientError::Broken(error.to_string()),
    };
    match serde_json::from_slice(&bytes) {
        Ok(error) => ClientError::Refused(error),
        Err(_) => ClientError::Strange(format!("status {status}")),
    }
}

async fn whole<T: DeserializeOwned>(body: Incoming) -> Result<T, ClientError> {
    let bytes = body.collect().await.map_err(|error| ClientError::Broken(error.to_string()))?.to_bytes();
    serde_json::from_slice(&bytes).map_err(|error| ClientError::Strange(error.to_string()))
}

/// An answer that comes line by line.
#[derive(Debug)]
pub struct Lines<T> {
    body: Incoming,
    read: Vec<u8>,
    /// So many bytes of what was read have been handed out.
    taken: usize,
    kind: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Lines<T> {
    /// The next line, or `None` at the end. May be given up half way and called again.
    pub async fn next(&mut self) -> Result<Option<T>, ClientError> {
        loop {
            let rest = self.read.get(self.taken..).unwrap_or_default();
            if let Some(length) = rest.iter().position(|byte| *byte == b'\n') {
                let line = rest.get(..length).unwrap_or_default();
                let value = serde_json::from_slice(line);
                self.taken += length + 1;
                return value.map(Some).map_err(|error| ClientError::Strange(error.to_string()));
            }
            self.read.drain(..self.taken);
            self.taken = 0;
            if self.read.len() > LINE_LIMIT_BYTES {
                return Err(ClientError::Strange("a line without an end".to_owned()));
            }
            match self.body.frame().await {
                None => return Ok(None),
                Some(Err(error)) => return Err(ClientError::Broken(error.to_string())),
                Some(Ok(frame)) => {
                    if let Ok(mut data) = frame.into_data() {
                        self.read.extend_from_slice(&data.copy_to_bytes(data.remaining()));
                    }
                }
            }
        }
    }

    /// All lines up to the end.
    pub async fn all(mut self) -> Result<Vec<T>, ClientError> {
        let mut lines = Vec::new();
        while let Some(line) = self.next().await? {
            lines.push(line);
        }
        Ok(lines)
    }
}
