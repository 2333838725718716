//! Clients of the edge.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::world::PATIENCE;

/// A client with one connection that is kept alive.
pub struct Client {
    address: SocketAddr,
    sender: SendRequest<Full<Bytes>>,
    id: Option<String>,
}

/// An answer read to its end.
pub struct Answer {
    pub head: http::response::Parts,
    pub body: Bytes,
}

impl Answer {
    pub fn status(&self) -> u16 {
        self.head.status.as_u16()
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub fn version(&self) -> &str {
        self.header("pilotage-version").unwrap_or_default()
    }
}

impl Client {
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self { address, sender, id: None }
    }

    /// A client that names itself by the header.
    pub async fn named(address: SocketAddr, id: impl Into<String>) -> Self {
        Self { id: Some(id.into()), ..Self::connect(address).await }
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.try_get(path).await.unwrap()
    }

    /// With further headers; `host` takes the place of the address.
    pub async fn get_with(&mut self, path: &str, headers: &[(&'static str, &str)]) -> Answer {
        let mut request = self.request(Method::GET, path, "");
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        self.send(request).await.unwrap()
    }

    pub async fn try_get(&mut self, path: &str) -> Result<Answer, hyper::Error> {
        self.send(self.request(Method::GET, path, "")).await
    }

    pub async fn post(&mut self, path: &str, body: impl Into<Bytes>) -> Answer {
        self.send(self.request(Method::POST, path, body)).await.unwrap()
    }

    pub fn request(&self, method: Method, path: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
        let mut request =
            Request::builder().method(method).uri(path).header("host", self.address.to_string());
        if let Some(id) = &self.id {
            request = request.header("x-client-id", id);
        }
        request.body(Full::new(body.into())).unwrap()
    }

    /// Sends a request and reads the answer to its end. Opens a new connection where the edge closed the old one.
    pub async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Answer, hyper::Error> {
        if self.sender.ready().await.is_err() {
            let Self { sender, .. } = Self::connect(self.address).await;
            self.sender = sender;
        }
        let response = tokio::time::timeout(PATIENCE, self.sender.send_request(request)).await;
        let (head, body): (_, _) = Response::into_parts(response.expect("no answer")?);
        Ok(Answer { head, body: body.collect().await?.to_bytes() })
    }
}

/// Clients with an id and a connection each, that send the next request when the answer before it has come. A request
/// that fails fails the test.
pub struct Load {
    done: Arc<AtomicBool>,
    clients: JoinSet<u64>,
}

impl Load {
    pub fn getting(address: SocketAddr, clients: usize) -> Self {
        Self::sending(address, clients, Method::GET, "")
    }

    pub fn posting(address: SocketAddr, clients: usize) -> Self {
        Self::sending(address, clients, Method::POST, "once only")
    }

    fn sending(address: SocketAddr, count: usize, method: Method, body: &'static str) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let mut clients = JoinSet::new();
        for number in 0..count {
            let (done, method) = (Arc::clone(&done), method.clone());
            clients.spawn(async move {
                let mut client = Client::named(address, format!("client-{number}")).await;
                let mut sent = 0;
                while !done.load(Ordering::Relaxed) {
                    let answer = client.send(client.request(method.clone(), "/", body)).await.unwrap();
                    assert_eq!(answer.status(), 200, "{}", answer.text());
                    sent += 1;
                }
                sent
            });
        }
        Self { done, clients }
    }

    /// Stops the load and says how many requests were sent.
    pub async fn finish(self) -> u64 {
        self.done.store(true, Ordering::Relaxed);
        self.clients.join_all().await.into_iter().sum()
    }
}

/// Sends bytes as they are, and returns all that comes back until the edge closes the connection.
pub async fn raw(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    let _ = read.expect("the edge did not close the connection");
    String::from_utf8_lossy(&answer).into_owned()
}
