//! The other side of the API.

use std::io;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use bytes::{Buf, Bytes};
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;
use tokio::net::UnixStream;

use crate::ErrorBody;

/// A longer line is taken for something else than an answer of ours, in bytes.
const LINE_LIMIT_BYTES: usize = 8 << 20;

/// Speaks to one server. Each request has a connection of its own, so that a restart in between does no harm.
#[derive(Debug, Clone)]
pub struct Client {
    socket: PathBuf,
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
        Self { socket: socket.into() }
    }

    /// The server's socket.
    pub fn socket(&self) -> &Path {
        &self.socket
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
        let stream = UnixStream::connect(&self.socket)
            .await
            .map_err(|source| ClientError::Unreachable { socket: self.socket.clone(), source })?;
        let broken = |error: hyper::Error| ClientError::Broken(error.to_string());
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "pilotage")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(|error| ClientError::Strange(error.to_string()))?;
        let response = sender.send_request(request).await.map_err(broken)?;
        let (status, body) = (response.status(), response.into_body());
        if status.is_success() { Ok(body) } else { Err(refusal(status, body).await) }
    }
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
