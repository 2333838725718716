//! What the edge answers at its admin address.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::control::Control;
use super::handover::Counted;
use super::phase::Phase;
use super::publish::own_stats;
use crate::routing::Registry;
use crate::telemetry::{CONTENT_TYPE, Page, metrics, serve};
use crate::worker::{Command, Shared};

/// How long the workers, and whoever has the table, may take to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// What the pages are made from. Counters and workers are asked past the publisher: it may be waiting for a worker that
/// hangs, which is the moment in which somebody wants to see them.
pub(super) struct Admin {
    pub(super) control: Arc<Control>,
    pub(super) shared: Arc<Shared>,
    pub(super) registry: Arc<Registry>,
    pub(super) workers: Vec<mpsc::UnboundedSender<Command>>,
    /// By the edges before this one.
    pub(super) counted_before: Counted,
}

impl Admin {
    /// Serves the pages until another edge does.
    pub(super) async fn serve(self: Arc<Self>) {
        let socket = &self.control.admin;
        let Some(address) = socket.address() else { return };
        let mut closed = socket.closed();
        let listener = tokio::select! {
            listener = socket.listener(address) => listener,
            _ = closed.wait_for(|closed| *closed) => return,
        };
        tracing::info!(%address, "admin address ready");
        let admin = Arc::clone(&self);
        let answer = move |path: String| {
            let admin = Arc::clone(&admin);
            async move { admin.page(&path).await }
        };
        serve(listener, closed, answer).await;
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
        let mut stats = own_stats(&self.shared, &self.registry);
        self.counted_before.add_to(&mut stats);
        let body = metrics(&stats, &table, &self.control.identity.version);
        Page { status: StatusCode::OK, content_type: CONTENT_TYPE, body }
    }

    /// Whether every worker answers.
    async fn health(&self) -> Result<(), String> {
        let mut answers = Vec::with_capacity(self.workers.len());
        for worker in &self.workers {
            let ((done, answer), (prepared, _)) = (oneshot::channel(), oneshot::channel());
            // Without listeners this asks nothing of a worker but to say that it uses the table in use.
            let asked = worker.send(Command::Use { listeners: Vec::new(), done, prepared });
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
        match self.control.phases.now() {
            Phase::Serving | Phase::HandingOver => {}
            Phase::HandedOver | Phase::Drained => return Err("another edge serves".to_owned()),
            Phase::Stopping => return Err("the edge is stopping".to_owned()),
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
