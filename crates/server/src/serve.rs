//! The life of a server.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::{Router, middleware};
use pilotage_conductor::{Conductor, ConductorError, Options};
use pilotage_journal::{Journal, OpenError, ReadError};
use pilotage_secrets::SecretReader;
use pilotage_spec::SecretSettings;
use pilotage_targets::{Claims, Fleet, HostEdge, ProcessConfig, ProcessTarget, Target, TargetError};
use thiserror::Error;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing::{info, warn};

use crate::context::Context;
use crate::guard::{BODY_LIMIT_BYTES, Guard, Origin, guard, owners};
use crate::masking::mask_errors;
use crate::network::{self, NetworkError};
use crate::registry::FileRegistry;
use crate::targets::Targets;
use crate::{ServerConfig, StateError, Stopped, listen, read_project, routes};

/// Why a server cannot start or go on.
#[derive(Debug, Error)]
pub enum ServeError {
    /// Its folders cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// Another server has the state folder.
    #[error(
        "a server already runs for {}{}; `pilotage status` talks to it, `pilotage down` ends it with all it runs",
        .state_folder.display(),
        .pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
    )]
    Running {
        /// The state folder.
        state_folder: PathBuf,
        /// The server's process, if it has said so.
        pid: Option<u32>,
    },
    /// The journal cannot be opened.
    #[error(transparent)]
    Journal(OpenError),
    /// The journal cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The instances cannot be looked after.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// Deployments cannot be taken up.
    #[error(transparent)]
    Conductor(#[from] ConductorError),
    /// The network cannot be listened to.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The socket cannot be had, or broke.
    #[error("the socket {}: {source}", .path.display())]
    Socket {
        /// Where it is.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Runs a server until SIGTERM or SIGINT, which stop it alone, or `/v1/down`, which has stopped everything before.
///
/// `ready` is called once, when requests are answered.
///
/// # Errors
/// Fails if it cannot start, or its socket breaks.
pub async fn run(config: ServerConfig, ready: impl FnOnce()) -> Result<(), ServeError> {
    if let Some(network) = &config.network {
        network::check(network)?;
    }
    config.state.create()?;
    let journal = open_journal(&config)?;
    let secrets = secret_reader(&config);
    let known = secrets.known().clone();
    journal.redact_by(Box::new(move |text| known.masker().field(text)));
    // Before anything is started that would go on without this server.
    let network = config.network.as_ref().map(network::listen).transpose()?;
    let stopped = Stopped::read(&journal.reader())?;
    if let Some(Stopped { since, by }) = &stopped {
        info!(since, by, "everything is stopped, and stays so until `pilotage up` or a deployment");
    }
    let target = Arc::new(open_targets(&config, &secrets).await?);
    let conductor = Conductor::start(Options {
        journal: journal.clone(),
        target: Arc::clone(&target) as Arc<dyn Target>,
        registry: Arc::new(FileRegistry { file: config.project_file.clone(), owners: owners() }),
        secrets: secrets.clone(),
        folder: config.project_folder().to_owned(),
        keep: stopped.is_none(),
    })
    .await?;
    let (socket, run_folder) = (config.state.socket(), config.state.run().to_owned());
    let broken = |source| ServeError::Socket { path: socket.clone(), source };
    let listener = listen::listen(&socket).map_err(broken)?;
    let guard = Guard::new(&config, journal.clone())?;
    let context = Context::new(config, journal, target, conductor, guard, secrets);
    let stop = stop_signal(Arc::clone(&context.closing)).map_err(broken)?;
    let admission = context.admission.clone();
    info!(socket = %socket.display(), "ready");
    ready();
    let closing = Arc::clone(&context.closing);
    let router = router(context);
    let network = network.map(|listener| tokio::spawn(listener.serve(router.clone(), closing.subscribe())));
    let service = router.into_make_service_with_connect_info::<Origin>();
    let served = axum::serve(listener, service).with_graceful_shutdown(stop).await;
    closing.send_replace(true);
    if let Some(network) = network {
        // It ends by the same sign; what it was still answering is answered.
        let _ = network.await;
    }
    // Whoever has asked for the end of everything may have gone away; it is brought about all the same.
    admission.settled().await;
    // A stale socket is harmless, and this one must not keep a clean end from being one.
    let _ = std::fs::remove_file(&socket);
    // Succeeds only when no shim and no edge has a socket there any more.
    let _ = std::fs::remove_dir(&run_folder);
    info!("stopped; what it has deployed goes on");
    served.map_err(broken)
}

fn open_journal(config: &ServerConfig) -> Result<Journal, ServeError> {
    Journal::open(&config.state.journal()).map_err(|error| match error {
        OpenError::InUse { pid, .. } => {
            ServeError::Running { state_folder: config.state.root().to_owned(), pid }
        }
        other => ServeError::Journal(other),
    })
}

/// The targets of the environments, all with the edge of this machine.
async fn open_targets(config: &ServerConfig, secrets: &SecretReader) -> Result<Fleet, TargetError> {
    let processes = target_config(config, secrets);
    let edge = HostEdge::start(&processes).await?;
    let claims = Claims::new(&processes.claims_folder());
    let opener = Targets {
        state_folder: config.state.targets(),
        run_folder: config.state.run().to_owned(),
        project_folder: config.project_folder().to_owned(),
        secrets: secrets.clone(),
        edge: edge.clone(),
        claims: claims.clone(),
    };
    let process = Arc::new(ProcessTarget::open_beside(processes, edge, claims).await?);
    let fleet = Fleet::new(process, Box::new(opener));
    match read_project(&config.project_file) {
        Ok(project) => fleet.configure(&project),
        Err(error) => warn!(%error, "what runs the environments is not known until the file can be read"),
    }
    Ok(fleet)
}

fn target_config(config: &ServerConfig, secrets: &SecretReader) -> ProcessConfig {
    let state = &config.state;
    let usual = ProcessConfig::new(state.root(), state.run(), &config.program, config.project_folder());
    ProcessConfig { secrets: secrets.clone(), ..usual }
}

/// Reads secrets as the file says; should it not be readable now, as it says once it is.
fn secret_reader(config: &ServerConfig) -> SecretReader {
    let settings = read_project(&config.project_file).map(|project| project.secrets);
    let settings = settings.unwrap_or_else(|error| {
        warn!(%error, "how secrets are reached is not known until the file can be read");
        SecretSettings::default()
    });
    SecretReader::new(config.project_folder(), settings, config.known.clone())
}

fn router(context: Context) -> Router {
    routes::all()
        .layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES))
        .layer(middleware::from_fn_with_state(context.clone(), guard))
        // The outermost: whatever is refused further in is masked here.
        .layer(middleware::from_fn_with_state(context.clone(), mask_errors))
        .with_state(context)
}

/// Ready at a signal, or when a route has asked for the end; lets endless answers end.
fn stop_signal(closing: Arc<watch::Sender<bool>>) -> io::Result<impl Future<Output = ()> + Send> {
    let mut closed = closing.subscribe();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = closed.wait_for(|closing| *closing) => {}
        }
        closing.send_replace(true);
    })
}
