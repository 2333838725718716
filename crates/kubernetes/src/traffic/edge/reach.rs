//! Asking an edge pod: at its own address where that can be reached, else through the API server.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::pods::EdgePod;
use crate::cluster::Cluster;
use crate::edge::STATUS_PORT;

/// How long a pod may take to be connected to before the API server is asked instead.
const CONNECT_WITHIN: Duration = Duration::from_millis(500);
/// How long an answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);
/// How long the way through the API server is taken first, after pods could not be reached.
const AROUND_FOR: Duration = Duration::from_secs(30);
/// The counters of a thousand routes are some hundred thousand bytes; more than this is none of ours.
const LIMIT_BYTES: usize = 16 << 20;

/// The way to pods that worked last.
#[derive(Debug, Default)]
pub(super) struct Reach {
    around_until: Mutex<Option<Instant>>,
}

impl Reach {
    /// What a pod answers at a path; or why it does not, in words.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        cluster: &Cluster,
        pod: &EdgePod,
        path: &str,
    ) -> Result<T, String> {
        let around = self.goes_around();
        if let Some(address) = pod.address.filter(|_| !around) {
            match directly(SocketAddr::new(address, STATUS_PORT), path).await {
                Ok(body) => return read(&body),
                Err(Away::Refused(reason)) => return Err(reason),
                Err(Away::Unreachable) => {}
            }
        }
        let body = through_server(cluster, &pod.name, path).await?;
        if pod.address.is_some() && !around {
            *self.lock() = Some(Instant::now() + AROUND_FOR);
        }
        read(&body)
    }

    fn goes_around(&self) -> bool {
        self.lock().is_some_and(|until| Instant::now() < until)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        // A point in time is whole whoever held it.
        self.around_until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| format!("its answer makes no sense: {error}"))
}

/// Why a pod has not answered.
enum Away {
    /// It cannot be connected to from here.
    Unreachable,
    /// It can, and has not answered well.
    Refused(String),
}

async fn directly(address: SocketAddr, path: &str) -> Result<Bytes, Away> {
    let stream = match timeout(CONNECT_WITHIN, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(_)) | Err(_) => return Err(Away::Unreachable),
    };
    let refused = |reason: String| Away::Refused(reason);
    let asked = async {
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
        // Ends with the connection, which ends with `sender`.
        tokio::spawn(connection);
        let request =
            Request::get(path).header(header::HOST, address.to_string()).body(Empty::<Bytes>::new());
        let request = request.map_err(|error| error.to_string())?;
        let answer = sender.send_request(request).await.map_err(|error| error.to_string())?;
        body(answer).await
    };
    match timeout(ANSWER_WITHIN, asked).await {
        Ok(answered) => answered.map_err(refused),
        Err(_) => Err(refused("it does not answer".to_owned())),
    }
}

/// By the proxy that API servers have for pods.
async fn through_server(cluster: &Cluster, pod: &str, path: &str) -> Result<Bytes, String> {
    let uri = format!("/api/v1/namespaces/{}/pods/{pod}:{STATUS_PORT}/proxy{path}", cluster.namespace());
    let request = Request::get(uri).body(kube::client::Body::empty()).map_err(|error| error.to_string())?;
    let client = cluster.client();
    let asked = async {
        let answer = client.send(request).await.map_err(|error| error.to_string())?;
        body(answer).await
    };
    timeout(ANSWER_WITHIN, asked).await.unwrap_or_else(|_| Err("it does not answer".to_owned()))
}

async fn body<B>(answer: Response<B>) -> Result<Bytes, String>
where
    B: hyper::body::Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let status = answer.status();
    if !status.is_success() {
        return Err(format!("it answered {status}"));
    }
    let collected = Limited::new(answer.into_body(), LIMIT_BYTES).collect().await;
    collected.map(http_body_util::Collected::to_bytes).map_err(|error| error.to_string())
}
