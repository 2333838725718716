//! Services behind the edge.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// A service; gone, with its listener and connections, when the value is dropped.
pub struct Upstream {
    pub address: SocketAddr,
    pub requests: Arc<AtomicU64>,
    pub connections: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Upstream {
    /// Answers every request with its name.
    pub async fn named(name: &'static str) -> Self {
        Self::answering(move |_| async move { Response::new(Full::from(name)) }).await
    }

    /// Answers with the head and body it received.
    pub async fn echo() -> Self {
        Self::answering(|request: Request<Incoming>| async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
            let mut text = format!("{} {}\n", parts.method, parts.uri);
            for (name, value) in &parts.headers {
                text.push_str(&format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes())));
            }
            let text = [text.as_bytes(), b"\n", &body].concat();
            Response::new(Full::from(text))
        })
        .await
    }

    /// Answers requests by a function.
    pub async fn answering<F, A>(answer: F) -> Self
    where
        F: Fn(Request<Incoming>) -> A + Clone + Send + 'static,
        A: Future<Output = Response<Full<Bytes>>> + Send + 'static,
    {
        Self::answering_at("127.0.0.1:0".parse().unwrap(), answer).await
    }

    pub async fn answering_at<F, A>(address: SocketAddr, answer: F) -> Self
    where
        F: Fn(Request<Incoming>) -> A + Clone + Send + 'static,
        A: Future<Output = Response<Full<Bytes>>> + Send + 'static,
    {
        let requests = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&requests);
        let mut upstream = Self::conversing_at(address, move |stream| {
            let (answer, counted) = (answer.clone(), Arc::clone(&counted));
            async move {
                let service = service_fn(move |request| {
                    counted.fetch_add(1, Ordering::Relaxed);
                    let answering = answer(request);
                    async move { Ok::<_, Infallible>(answering.await) }
                });
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            }
        })
        .await;
        upstream.requests = requests;
        upstream
    }

    /// Does with each connection what the function says: for everything that is not HTTP as it should be.
    pub async fn conversing<F, A>(converse: F) -> Self
    where
        F: Fn(TcpStream) -> A + Send + 'static,
        A: Future<Output = ()> + Send + 'static,
    {
        Self::conversing_at("127.0.0.1:0".parse().unwrap(), converse).await
    }

    async fn conversing_at<F, A>(address: SocketAddr, converse: F) -> Self
    where
        F: Fn(TcpStream) -> A + Send + 'static,
        A: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&connections);
        let task = tokio::spawn(async move {
            let mut open = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::Relaxed);
                stream.set_nodelay(true).unwrap();
                open.spawn(converse(stream));
            }
        });
        Self { address, requests: Arc::default(), connections, task }
    }

    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }
}

/// Answers each request when the gate lets one through.
pub async fn gated(gate: &Arc<Semaphore>) -> Upstream {
    let gate = Arc::clone(gate);
    Upstream::answering(move |_| {
        let gate = Arc::clone(&gate);
        async move {
            // Given back unless it is forgotten: each permit lets one request through.
            if let Ok(Ok(permit)) = tokio::time::timeout(Duration::from_secs(30), gate.acquire()).await {
                permit.forget();
            }
            Response::new(Full::from("gated"))
        }
    })
    .await
}

/// Reads one request head; `false` when the connection ended first.
pub async fn read_head(stream: &mut TcpStream) -> bool {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return false,
        }
    }
    true
}

/// Answers whatever comes first with these bytes, then closes.
pub async fn say_and_close(mut stream: TcpStream, bytes: &[u8]) {
    if read_head(&mut stream).await {
        let _ = stream.write_all(bytes).await;
    }
}
