//! Asks a service whether it is ready and alive.

use std::net::SocketAddr;
use std::time::Duration;

use http::{Request, header};
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use pilotage_spec::{Health, HttpPath};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

/// The first pause between probes of a service that is starting; it grows to the interval.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// So many probes in a row without an answer, and the service counts as failing. A wrong answer counts at once.
const SILENT_LIMIT: u32 = 3;

/// Why a probe failed, in words that follow the probe's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeFailure {
    /// For example `GET /ready answered 503`.
    pub reason: String,
    /// There was no answer in time: the service may only be busy.
    pub silent: bool,
}

/// What the probes found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The readiness probe passed, or failed for so many times in a row.
    Ready(Result<(), (ProbeFailure, u32)>),
    /// The liveness probe passed, or failed for so many times in a row.
    Live(Result<(), (ProbeFailure, u32)>),
}

impl Finding {
    /// Whether a service that was ready is to get no more traffic.
    pub fn takes_out(failure: &ProbeFailure, streak: u32) -> bool {
        !failure.silent || streak >= SILENT_LIMIT
    }
}

/// Probes until the receiver is dropped: in quick succession until the service is ready for the first time, then at the
/// interval.
pub async fn watch(address: SocketAddr, health: Health, findings: mpsc::Sender<Finding>) {
    let mut pause = FIRST_PAUSE.min(health.interval);
    let mut streak = 0;
    loop {
        let found = ready(address, &health).await;
        let passed = found.is_ok();
        let found = counted(found, &mut streak);
        if findings.send(Finding::Ready(found)).await.is_err() {
            return;
        }
        if passed {
            break;
        }
        sleep(pause).await;
        pause = (pause * 3 / 2).min(health.interval);
    }
    let (mut ready_streak, mut live_streak) = (0, 0);
    loop {
        sleep(health.interval).await;
        // Both at once, so that a probe without an answer does not delay the other.
        let (ready, live) = tokio::join!(ready(address, &health), live(address, &health));
        let ready = Finding::Ready(counted(ready, &mut ready_streak));
        let live = live.map(|found| Finding::Live(counted(found, &mut live_streak)));
        for finding in [Some(ready), live].into_iter().flatten() {
            if findings.send(finding).await.is_err() {
                return;
            }
        }
    }
}

fn counted(found: Result<(), ProbeFailure>, streak: &mut u32) -> Result<(), (ProbeFailure, u32)> {
    *streak = if found.is_ok() { 0 } else { *streak + 1 };
    found.map_err(|failure| (failure, *streak))
}

async fn ready(address: SocketAddr, health: &Health) -> Result<(), ProbeFailure> {
    match &health.ready {
        Some(path) => get(address, path, health.timeout).await,
        None => connect(address, health.timeout).await.map(|_| ()),
    }
}

async fn live(address: SocketAddr, health: &Health) -> Option<Result<(), ProbeFailure>> {
    match &health.live {
        Some(path) => Some(get(address, path, health.timeout).await),
        None => None,
    }
}

async fn connect(address: SocketAddr, limit: Duration) -> Result<TcpStream, ProbeFailure> {
    match timeout(limit, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(ProbeFailure {
            reason: format!("nothing answered on port {}: {error}", address.port()),
            silent: false,
        }),
        Err(_) => Err(silence(&format!("port {}", address.port()), limit)),
    }
}

/// One GET over a connection of its own; a status from 200 to 399 passes.
async fn get(address: SocketAddr, path: &HttpPath, limit: Duration) -> Result<(), ProbeFailure> {
    let name = format!("GET {path}");
    let stream = connect(address, limit).await?;
    match timeout(limit, request(stream, address, path)).await {
        Ok(Ok(status)) if (200..400).contains(&status) => Ok(()),
        Ok(Ok(status)) => Err(ProbeFailure { reason: format!("{name} answered {status}"), silent: false }),
        Ok(Err(reason)) => {
            Err(ProbeFailure { reason: format!("{name} got no answer: {reason}"), silent: false })
        }
        Err(_) => Err(silence(&name, limit)),
    }
}

async fn request(stream: TcpStream, address: SocketAddr, path: &HttpPath) -> Result<u16, String> {
    let words = |error: hyper::Error| error.to_string();
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(words)?;
    let request = Request::get(path.as_str())
        .header(header::HOST, address.to_string())
        .header(header::USER_AGENT, "pilotage-probe")
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| error.to_string())?;
    // The connection is driven only as long as the head is awaited; the body is of no interest.
    tokio::select! {
        response = sender.send_request(request) => Ok(response.map_err(words)?.status().as_u16()),
        Err(error) = connection => Err(error.to_string()),
    }
}

fn silence(name: &str, limit: Duration) -> ProbeFailure {
    ProbeFailure { reason: format!("{name} did not answer within {} ms", limit.as_millis()), silent: true }
}
