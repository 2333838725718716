//! The life of an edge, from its start to its last connection.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Mutex, mpsc};

use super::admin::Admin;
use super::cookie_key::cookie_key;
use super::publish::Publisher;
use super::socket::{Control, ControlSocket};
use super::state::StateFolder;
use super::{EdgeConfig, EdgeError};
use crate::RoutingTable;
use crate::control::Identity;
use crate::routing::{CompiledTable, Registry};
use crate::telemetry::{AccessLog, AccessLogWriter};
use crate::tls::Encryption;
use crate::worker::{Command, Rooms, Shared, WorkerHandle, spawn};

/// How often addresses that could not be bound at the start are tried again.
const BIND_AGAIN: Duration = Duration::from_secs(1);
/// How long the last lines of the access log may take to be written.
const LOG_LIMIT: Duration = Duration::from_secs(5);

/// Runs an edge until it is told to stop, by its control socket, SIGTERM or SIGINT. Blocks.
///
/// It starts from the table that the edge before it had on disk. Only errors at the start and defects end it early.
pub fn run(config: EdgeConfig) -> Result<(), EdgeError> {
    raise_file_limit();
    let state = StateFolder::open(&config.state_folder)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(EdgeError::io("starting the runtime"))?;
    runtime.block_on(live(config, state))
}

async fn live(config: EdgeConfig, state: StateFolder) -> Result<(), EdgeError> {
    let mut terminate = signals(SignalKind::terminate())?;
    let mut interrupt = signals(SignalKind::interrupt())?;
    let hangup = signals(SignalKind::hangup())?;
    let socket = ControlSocket::bind(&config.socket).await?;
    let identity = identity();
    let registry = Arc::new(Registry::new(config.workers.get(), identity.started_micros));
    let empty = CompiledTable::new(RoutingTable::empty(), None, &registry);
    let cookie_key = cookie_key(&config.state_folder)?;
    let encryption = Arc::new(Encryption::new().map_err(EdgeError::io("setting up TLS"))?);
    let shared = Arc::new(Shared {
        table: ArcSwap::from_pointee(empty),
        limits: config.limits,
        workers: config.workers.get(),
        rooms: Rooms::default(),
        connections: registry.connections(),
        cookie_key,
        encryption: Arc::clone(&encryption),
    });
    let (ended_sender, mut ended) = mpsc::unbounded_channel();
    let (access_log, logs) =
        AccessLogWriter::start(config.access_log.as_ref(), config.workers.get(), &registry.access_log())
            .map_err(EdgeError::io("opening the access log"))?;
    if let Some(log) = &access_log {
        tokio::spawn(log.attend(signals(SignalKind::hangup())?));
    }
    let workers = start_workers(logs, &shared, &ended_sender)?;
    let (stop, mut stopped) = mpsc::unbounded_channel();
    let publisher = restored(Arc::clone(&shared), Arc::clone(&registry), state, &workers, &mut ended).await?;
    let control = Arc::new(Control { publisher: Mutex::new(publisher), identity, stop });
    let commands = workers.iter().map(|worker| worker.commands.clone()).collect();
    let admin = Arc::new(Admin::new(Arc::clone(&control), shared, registry, commands));
    if let Some(address) = config.admin {
        tokio::spawn(Arc::clone(&admin).serve(address));
    }
    tracing::info!(socket = %config.socket.display(), workers = workers.len(), "edge ready");

    let grace = tokio::select! {
        () = socket.serve(Arc::clone(&control)) => config.grace,
        () = keep_binding(&control) => config.grace,
        () = Arc::clone(&encryption).watch() => config.grace,
        () = reload_on(hangup, &encryption) => config.grace,
        grace = stopped.recv() => grace.unwrap_or(config.grace),
        _ = terminate.recv() => config.grace,
        _ = interrupt.recv() => config.grace,
        index = ended.recv() => return Err(EdgeError::WorkerEnded { index: index.unwrap_or_default() }),
    };
    tracing::info!(grace_ms = grace.as_millis(), "edge stopping");
    admin.stop();
    tokio::select! {
        () = stop_workers(workers, grace) => tracing::info!("edge stopped"),
        // Counters can still be read, and an edge that is started too early learns who is there.
        () = socket.serve(control) => {}
        _ = terminate.recv() => tracing::warn!("edge stopped at once"),
        _ = interrupt.recv() => tracing::warn!("edge stopped at once"),
    }
    if let Some(log) = access_log {
        log.finish(LOG_LIMIT).await;
    }
    Ok(())
}

/// Takes up the table of the edge before this one.
async fn restored(
    shared: Arc<Shared>,
    registry: Arc<Registry>,
    state: StateFolder,
    workers: &[WorkerHandle],
    ended: &mut mpsc::UnboundedReceiver<usize>,
) -> Result<Publisher, EdgeError> {
    let table = state.load();
    let workers = workers.iter().map(|worker| worker.commands.clone()).collect();
    let mut publisher = Publisher { shared, registry, state, workers, bound: BTreeSet::new() };
    // Fails only if a worker has ended, which is said on that channel.
    match publisher.restore(table).await {
        Ok(()) => Ok(publisher),
        Err(_) => Err(EdgeError::WorkerEnded { index: ended.recv().await.unwrap_or_default() }),
    }
}

async fn keep_binding(control: &Control) {
    let mut again = tokio::time::interval(BIND_AGAIN);
    loop {
        again.tick().await;
        if control.publisher.lock().await.bind_missing(false).await.is_err() {
            // A worker has ended; whoever waits for that stops the edge.
            std::future::pending::<()>().await;
        }
    }
}

/// Takes up renewed certificates at once whenever somebody asks for it.
async fn reload_on(mut hangup: Signal, encryption: &Arc<Encryption>) {
    while hangup.recv().await.is_some() {
        Arc::clone(encryption).reload().await;
    }
    // The signal cannot be had any more; the files are looked at all the same.
    std::future::pending::<()>().await;
}

fn start_workers(
    logs: Vec<AccessLog>,
    shared: &Arc<Shared>,
    ended: &mpsc::UnboundedSender<usize>,
) -> Result<Vec<WorkerHandle>, EdgeError> {
    logs.into_iter()
        .enumerate()
        .map(|(index, log)| {
            spawn(index, Arc::clone(shared), log, ended.clone())
                .map_err(EdgeError::io(format!("starting worker thread {index}")))
        })
        .collect()
}

async fn stop_workers(workers: Vec<WorkerHandle>, grace: Duration) {
    for worker in &workers {
        // A worker that is gone has stopped already.
        let _ = worker.commands.send(Command::Stop { grace });
    }
    let join = move || {
        for worker in workers {
            if worker.thread.join().is_err() {
                tracing::error!("a worker thread panicked while stopping");
            }
        }
    };
    let _ = tokio::task::spawn_blocking(join).await;
}

fn identity() -> Identity {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Identity {
        pid: std::process::id(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_micros: i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX),
    }
}

fn signals(kind: SignalKind) -> Result<Signal, EdgeError> {
    signal(kind).map_err(EdgeError::io("listening for signals"))
}

/// Each connection takes a descriptor or two, and the usual soft limit of 1,024 is soon reached.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
        tracing::warn!(%error, "the limit of open files could not be raised");
    }
}
