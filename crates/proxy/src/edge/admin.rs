//! What the edge answers at its admin address.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::StatusCode;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};

use super::publish::stats;
use super::socket::Control;
use crate::routing::Registry;
use crate::telemetry::{CONTENT_TYPE, Page, metrics, serve};
use crate::worker::{Command, Shared};

/// How often an address that is taken is tried again.
const BIND_AGAIN: Duration = Duration::from_secs(1);
/// How long the workers, and whoever has the table, may take to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// What the pages are made from. Counters and workers are asked past the publisher: it may be waiting for a worker that
/// hangs, which is the moment in which somebody wants to see them.
pub(super) struct Admin {
    pub(super) control: Arc<Control>,
    pub(super) shared: Arc<Shared>,
    pub(super) registry: Arc<Registry>,
    pub(super) workers: Vec<mpsc::UnboundedSender<Command>>,
    stopping: AtomicBool,
}

impl Admin {
    pub(super) fn new(
        control: Arc<Control>,
        shared: Arc<Shared>,
        registry: Arc<Registry>,
        workers: Vec<mpsc::UnboundedSender<Command>>,
    ) -> Self {
        Self { control, shared, registry, workers, stopping: AtomicBool::new(false) }
    }

    /// From now on the edge says that it is not ready.
    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Serves the pages, for ever. An address that is taken, for instance by the edge before this one, keeps no edge from
    /// carrying traffic: it is tried again.
    pub(super) async fn serve(self: Arc<Self>, address: SocketAddr) {
        let listener = bind(address).await;
        tracing::info!(%address, "admin address ready");
        serve(listener, move |path| {
            let admin = Arc::clone(&self);
            async move { admin.page(&path).await }
        })
        .await;
    }

    async fn page(&self, path: &str) -> Page {
        match path {
            "/metrics" => self.metrics(),
            "/healthz" => self.health().await.map_or_else(unavailable, |()| good()),
            "/readyz" => self.readiness().await.map_or_else(unavailable, |()| good()),
            _ => Page::text(StatusCode::NOT_FOUND, "here are /metrics, /healthz and /readyz"),
        }
    }

    fn metrics(&self) -> Page {
        let table = Arc::clone(&self.shared.table.load().source);
        let body = metrics(&stats(&self.shared, &self.registry), &table, &self.control.identity.version);
        Page { status: StatusCode::OK, content_type: CONTENT_TYPE, body }
    }

    /// Whether every worker answers.
    async fn health(&self) -> Result<(), String> {
        let mut answers = Vec::with_capacity(self.workers.len());
        for worker in &self.workers {
            let (done, answer) = oneshot::channel();
            // Without listeners this asks nothing of a worker but to say that it uses the table in use.
            let asked = worker.send(Command::Use { listeners: Vec::new(), done });
            answers.push(asked.map(|()| answer));
        }
        for (index, answer) in answers.into_iter().enumerate() {
            let Ok(answer) = answer else { return Err(format!("worker {index} has ended")) };
            match timeout(ANSWER_LIMIT, answer).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Err(format!("worker {index} has ended")),
                Err(_) => return Err(format!("worker {index} does not answer")),
            }
        }
        Ok(())
    }

    /// Whether every route of the table is served, and will be for a while.
    async fn readiness(&self) -> Result<(), String> {
        if self.stopping.load(Ordering::Relaxed) {
            return Err("the edge is stopping".to_owned());
        }
        self.health().await?;
        let Ok(publisher) = timeout(ANSWER_LIMIT, self.control.publisher.lock()).await else {
            return Err("a table has been being taken up for long".to_owned());
        };
        let table = Arc::clone(&self.shared.table.load().source);
        if table.epoch == 0 {
            return Err("the edge was handed no table yet".to_owned());
        }
        match publisher.missing(&table).first() {
            Some(address) => Err(format!("address {address} is not listened on yet")),
            None => Ok(()),
        }
    }
}

fn good() -> Page {
    Page::text(StatusCode::OK, "ok")
}

fn unavailable(reason: String) -> Page {
    Page::text(StatusCode::SERVICE_UNAVAILABLE, reason)
}

async fn bind(address: SocketAddr) -> TcpListener {
    let mut told = false;
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => return listener,
            Err(error) => {
                if !told {
                    tracing::error!("{}; the edge keeps trying", cannot_bind(address, &error));
                    told = true;
                }
                sleep(BIND_AGAIN).await;
            }
        }
    }
}

fn cannot_bind(address: SocketAddr, error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::AddrInUse {
        return format!("the admin address {address} is in use by another program");
    }
    format!("cannot listen on the admin address {address}: {error}")
}
