//! What the edge does when it is asked.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex, mpsc};

use super::admin_socket::AdminSocket;
use super::phase::{Phase, Phases};
use super::publish::Publisher;
use super::replace::{Successor, replace};
use super::socket::ControlSocket;
use crate::RoutingTable;
use crate::control::{Identity, Replacement, Request, Response};
use crate::tls::Encryption;

/// What the answers are made from.
pub(super) struct Control {
    pub(super) publisher: Mutex<Publisher>,
    pub(super) encryption: Arc<Encryption>,
    pub(super) socket: ControlSocket,
    pub(super) admin: AdminSocket,
    pub(super) identity: Identity,
    pub(super) phases: Phases,
    pub(super) successor: Successor,
    /// How long requests in flight may take when this edge is stopped.
    pub(super) grace: Duration,
    /// How long they may take when another edge has taken over.
    pub(super) drain: Duration,
    /// Told the grace when somebody asks the edge to stop.
    pub(super) stop: mpsc::UnboundedSender<Duration>,
    /// What has become of this edge, once another has taken over.
    pub(super) replacement: OnceLock<Replacement>,
    /// Why another edge has not taken over, the last time that one began to.
    pub(super) failure: std::sync::Mutex<Option<String>>,
}

impl Control {
    /// The edge that has taken over, if one has.
    pub(super) fn replacement(&self) -> Option<Replacement> {
        self.replacement.get().cloned()
    }

    /// Remembers why another edge has not taken over.
    pub(super) fn note_failure(&self, reason: String) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
    }

    /// Why another edge has not taken over; forgotten then.
    pub(super) fn take_failure(&self) -> Option<String> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Remembers what is handed over, to be called while it is still here.
    pub(super) fn note_replacement(&self, publisher: &Publisher, to: Identity) {
        // An edge is replaced once at most.
        let _ = self.replacement.set(Replacement {
            from: self.identity.clone(),
            to,
            addresses: publisher.addresses(),
            connections: publisher.own_stats().connections.open,
            grace_ms: u64::try_from(self.drain.as_millis()).unwrap_or(u64::MAX),
        });
    }
}

/// The answer to a request; `None` if another edge has to be asked, at the same socket.
pub(super) async fn answer(request: Request, control: &Control) -> Option<Response> {
    Some(match request {
        Request::Apply { table } => return apply(table, control).await,
        Request::Table => Response::Table { table: control.publisher.lock().await.table() },
        Request::Stats => Response::Stats { stats: control.publisher.lock().await.stats().await },
        Request::Identify => Response::Identity { identity: control.identity.clone() },
        Request::Reload { executable } => match reload(control, executable).await {
            Ok(replacement) => Response::Reloaded { replacement },
            Err(reason) => {
                let pid = control.identity.pid;
                Response::Refused { reason: format!("edge {pid} was not replaced and serves on: {reason}") }
            }
        },
        Request::Shutdown { grace_ms } => {
            // Already stopping is as good.
            let _ = control.stop.send(Duration::from_millis(grace_ms));
            Response::ShuttingDown
        }
        Request::TakeOver { .. } => {
            Response::Refused { reason: "a hand-over needs a connection of its own".to_owned() }
        }
    })
}

/// Applies a table, unless another edge is about to take over, which is waited for: the table must reach whoever serves
/// afterwards.
async fn apply(table: RoutingTable, control: &Control) -> Option<Response> {
    loop {
        let mut publisher = control.publisher.lock().await;
        match control.phases.now() {
            Phase::HandedOver | Phase::Drained => return None,
            Phase::HandingOver => {
                drop(publisher);
                let settled = [Phase::Serving, Phase::HandedOver, Phase::Drained, Phase::Stopping];
                control.phases.reached(&settled).await;
            }
            Phase::Serving | Phase::Stopping => {
                return Some(match publisher.apply(table).await {
                    Ok(epoch) => Response::Applied { epoch },
                    Err(reason) => {
                        tracing::warn!("a table was refused: {reason}");
                        Response::Refused { reason }
                    }
                });
            }
        }
    }
}

/// Takes up renewed certificates, and replaces this edge. If that fails, the certificates are renewed all the same.
async fn reload(control: &Control, executable: Option<PathBuf>) -> Result<Replacement, String> {
    Arc::clone(&control.encryption).reload().await;
    replace(control, executable).await
}

/// Replaces this edge because of a signal, and says in the log what came of it.
pub(super) async fn replace_on_signal(control: Arc<Control>) {
    match reload(&control, None).await {
        Ok(replacement) => tracing::info!(pid = replacement.to.pid, "replaced"),
        Err(reason) => tracing::error!("not replaced, this edge serves on: {reason}"),
    }
}
