//! How an edge comes to be, from what it begins with.

use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use tokio::sync::{Mutex, mpsc};

use super::admin::Admin;
use super::admin_socket::AdminSocket;
use super::beginning::Beginning;
use super::control::Control;
use super::handover::{Inherited, Place, first_lost, take};
use super::listeners::Listeners;
use super::outdated::VERSION;
use super::phase::Phases;
use super::publish::{Opened, Publisher};
use super::replace::Successor;
use super::run::{Edge, stop_workers};
use super::signals::Signals;
use super::socket::ControlSocket;
use super::{EdgeConfig, EdgeError, notify};
use crate::control::Identity;
use crate::routing::{CompiledTable, CookieKey, Registry};
use crate::telemetry::AccessLogWriter;
use crate::tls::Encryption;
use crate::worker::{Comparer, Rooms, Shared, WorkerHandle, spawn};
use crate::{CertificateStatus, EdgeClient, RoutingTable};

/// The workers of an edge that starts, and what they work with.
struct Crew {
    publisher: Publisher,
    workers: Vec<WorkerHandle>,
    ended: mpsc::UnboundedReceiver<usize>,
    access_log: Option<AccessLogWriter>,
    socket: ControlSocket,
    admin: AdminSocket,
    identity: Identity,
}

impl Edge {
    /// Starts an edge. When this returns, it serves.
    pub(super) async fn start(config: EdgeConfig) -> Result<Self, EdgeError> {
        let successor = Successor::new(config.successor.clone());
        let signals = Signals::listen()?;
        let crew = if config.take_over || outdated_edge_answers(&config).await {
            let (beginning, place) = take(&config).await?;
            match Crew::prepare(beginning, &config).await {
                Ok(crew) => crew.take(place, &config).await?,
                Err(error) => return Err(place.give_up(error).await),
            }
        } else {
            Crew::prepare(Beginning::from_disk(&config).await?, &config).await?
        };
        notify::ready();
        tracing::info!(socket = %config.socket.display(), workers = crew.workers.len(), "edge ready");
        Ok(crew.serving(signals, successor, &config))
    }
}

impl Crew {
    /// Starts the workers, and has them serve what is to be served.
    async fn prepare(beginning: Beginning, config: &EdgeConfig) -> Result<Self, EdgeError> {
        let Beginning { state, socket, cookie_key, table, listeners, admin, certificates, started_micros } =
            beginning;
        let identity = identity(started_micros);
        let registry = Arc::new(Registry::new(config.workers.get(), identity.started_micros));
        let shared = shared(config, cookie_key, &registry)?;
        let (access_log, logs) =
            AccessLogWriter::start(config.access_log.as_ref(), config.workers.get(), &registry.access_log())
                .map_err(EdgeError::io("opening the access log"))?;
        let (ended_sender, ended) = mpsc::unbounded_channel();
        let start = |(index, log)| {
            spawn(index, Arc::clone(&shared), log, ended_sender.clone())
                .map_err(EdgeError::io(format!("starting worker thread {index}")))
        };
        let workers: Vec<WorkerHandle> = logs.into_iter().enumerate().map(start).collect::<Result<_, _>>()?;
        let publisher = Publisher {
            shared,
            registry,
            state,
            workers: workers.iter().map(|worker| worker.commands.clone()).collect(),
            held: Listeners::default(),
            inherited: Inherited::default(),
        };
        let mut crew = Self { publisher, workers, ended, access_log, socket, admin, identity };
        crew.take_up(table, &certificates, listeners, config).await?;
        Ok(crew)
    }

    /// Uses the table of the edge before, with its listeners and no worse certificates.
    async fn take_up(
        &mut self,
        table: RoutingTable,
        certificates: &[CertificateStatus],
        listeners: Listeners,
        config: &EdgeConfig,
    ) -> Result<(), EdgeError> {
        self.publisher.restore_encryption(&table);
        if let Some(reason) = first_lost(certificates, &self.publisher.shared.encryption.status()) {
            return Err(EdgeError::TakeOver { socket: config.socket.clone(), reason });
        }
        let opened = Opened::taken_over(listeners, self.workers.len())
            .map_err(EdgeError::io("giving the listeners of the edge before to the workers"))?;
        // Fails only if a worker has ended, which is said on that channel.
        match self.publisher.restore(table, opened).await {
            Ok(()) => Ok(()),
            Err(_) => Err(EdgeError::WorkerEnded { index: self.ended.recv().await.unwrap_or_default() }),
        }
    }

    /// Takes the place of another edge, which serves until this one does.
    async fn take(mut self, place: Place, config: &EdgeConfig) -> Result<Self, EdgeError> {
        match place.take(&self.identity, config).await {
            Ok(inherited) => self.publisher.inherited = inherited,
            Err(error) => {
                // Some clients may have come here already.
                self.publisher.close_listeners();
                stop_workers(self.workers, config.grace).await;
                return Err(error);
            }
        }
        Ok(self)
    }

    /// The edge, now that it serves.
    fn serving(self, signals: Signals, successor: Successor, config: &EdgeConfig) -> Edge {
        let (stop, stopped) = mpsc::unbounded_channel();
        let shared = Arc::clone(&self.publisher.shared);
        let registry = Arc::clone(&self.publisher.registry);
        let workers = self.publisher.workers.clone();
        let counted_before = self.publisher.inherited.counted();
        let control = Arc::new(Control {
            encryption: Arc::clone(&shared.encryption),
            publisher: Mutex::new(self.publisher),
            socket: self.socket,
            admin: self.admin,
            identity: self.identity,
            phases: Phases::new(),
            successor,
            grace: config.grace,
            drain: config.drain,
            stop,
            replacement: OnceLock::new(),
            failure: std::sync::Mutex::default(),
        });
        let admin = Admin { control: Arc::clone(&control), shared, registry, workers, counted_before };
        Edge {
            control,
            admin: tokio::spawn(Arc::new(admin).serve()),
            workers: self.workers,
            access_log: self.access_log,
            signals,
            stopped,
            ended: self.ended,
        }
    }
}

/// Whether the edge that answers on the control socket, if one does, is to be replaced by this program.
async fn outdated_edge_answers(config: &EdgeConfig) -> bool {
    let Ok(program) = std::env::current_exe() else { return false };
    let Ok(client) = EdgeClient::connect(&config.socket).await else { return false };
    let outdated = client.identify().await.ok().filter(|identity| identity.is_outdated(&program));
    if let Some(Identity { pid, version, .. }) = &outdated {
        tracing::info!(pid, version, "an edge of an older make runs; taking over from it");
    }
    outdated.is_some()
}

/// What all workers read, without a table.
fn shared(
    config: &EdgeConfig,
    cookie_key: CookieKey,
    registry: &Arc<Registry>,
) -> Result<Arc<Shared>, EdgeError> {
    let empty = CompiledTable::new(RoutingTable::empty(), None, registry);
    let encryption = Encryption::new().map_err(EdgeError::io("setting up TLS"))?;
    Ok(Arc::new(Shared {
        table: ArcSwap::from_pointee(empty),
        limits: config.limits,
        workers: config.workers.get(),
        rooms: Rooms::default(),
        comparer: Comparer::default(),
        connections: registry.connections(),
        cookie_key: Arc::new(cookie_key),
        encryption: Arc::new(encryption),
    }))
}

/// Who this edge is. Its counters began at zero now, unless it goes on with those of another.
fn identity(started_micros: Option<i64>) -> Identity {
    let now = || {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX)
    };
    Identity {
        pid: std::process::id(),
        version: VERSION.to_owned(),
        started_micros: started_micros.unwrap_or_else(now),
    }
}
