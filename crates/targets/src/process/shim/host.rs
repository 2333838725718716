//! The shim as a process.

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use pilotage_secrets::{Known, Secret};
use rustix::process::{chdir, getpid, set_child_subreaper, setsid};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::Instant;

use super::ShimError;
use super::board::Board;
use super::log::Log;
use super::place::Seat;
use super::reaper::Reaper;
use super::records::{Records, ShimExit};
use super::refresh::Refresher;
use super::server::{StopDeadline, listen, serve};
use super::spec::ShimSpec;
use super::succession::{SOCKET_VARIABLE, Succession};
use super::supervisor::Supervisor;
use crate::process::files::now;
use crate::process::identity::ProcessIdentity;
use crate::process::secrets::remove_files;

/// `pilotage shim`: holds one instance until it is stopped. Reads its specification from standard input, writes nothing
/// to standard output, and says on standard error why it could not begin.
pub fn run_shim() -> ExitCode {
    match hold() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pilotage shim: {error}");
            ExitCode::FAILURE
        }
    }
}

fn hold() -> Result<(), ShimError> {
    detach()?;
    let spec = ShimSpec::read(io::stdin().lock())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(ShimError::io("start the runtime"))?;
    runtime.block_on(supervise(spec))
}

/// Makes this process independent of the one that started it, and the heir of all its descendants.
fn detach() -> Result<(), ShimError> {
    // Started from a shell it may be a group leader already; then it is as independent as that shell made it.
    let _ = setsid();
    set_child_subreaper(Some(getpid())).map_err(ShimError::io("become the reaper of its descendants"))?;
    chdir("/").map_err(ShimError::io("change to the folder /"))
}

async fn supervise(mut spec: ShimSpec) -> Result<(), ShimError> {
    let own = ProcessIdentity::of(std::process::id()).map_err(ShimError::io("read /proc"))?;
    let board = Board::new(spec.name.clone(), own);
    let records = Records { folder: spec.folder.clone() };
    // Before anything else: whoever finds the folder has to find out whose it is.
    records.write(&board.status()).map_err(ShimError::io("write its identity"))?;
    let known = known(&spec);
    let refresher = Refresher::new(&spec, known.clone());
    refresher.learn().map_err(ShimError::io("read the secrets that the service has as files"))?;
    let log = Log::open(&spec.folder, spec.log, known).map_err(ShimError::io("open its log"))?;
    let reaper = Reaper::new()?;
    let doing = format!("listen on {}", spec.socket.display());
    let listener = listen(&spec.socket).map_err(ShimError::io(doing))?;
    let (stop_sender, stop) = watch::channel(None);
    tokio::spawn(serve(listener, board.subscribe(), stop_sender.clone(), refresher));
    stop_on_signal(stop_sender, spec.stop_grace)?;

    let note_socket = spec.hands_over.then(|| spec.socket.with_extension("note"));
    let succession = succession(note_socket.as_deref(), &mut spec)?;
    let sockets = [Some(spec.socket.clone()), spec.service_socket.clone(), note_socket];
    let (seat, was_ready) = (Seat::default(), false);
    let mut supervisor = Supervisor { spec, board, log, records, reaper, stop, seat, succession, was_ready };
    supervisor.run().await;
    // All of them lie in a folder of this instance's own. They are gone before anybody takes it for ended.
    if let Some(folder) = supervisor.spec.secret_files.first().and_then(|file| file.parent()) {
        remove_files(folder);
    }
    let exit = ShimExit { at: now(), status: supervisor.board.status() };
    supervisor.records.write_exit(&exit).map_err(ShimError::io("write its exit record"))?;
    for socket in sockets.into_iter().flatten() {
        let _ = std::fs::remove_file(socket);
    }
    Ok(())
}

/// What the service's log must not hold.
fn known(spec: &ShimSpec) -> Known {
    let values = spec.secrets.iter().filter_map(|name| spec.env.get(name));
    let known = Known::default();
    known.learn(&values.map(|value| Secret::new(value.as_str())).collect::<Vec<_>>());
    known
}

/// Listens for what the service says of the process in its place, and tells it where.
fn succession(socket: Option<&Path>, spec: &mut ShimSpec) -> Result<Succession, ShimError> {
    let Some(socket) = socket else { return Ok(Succession::default()) };
    spec.env.insert(SOCKET_VARIABLE.to_owned(), socket.to_string_lossy().into_owned());
    Succession::listen(socket).map_err(ShimError::io(format!("listen on {}", socket.display())))
}

/// SIGTERM, as on a shutdown of the machine, is a request to stop.
fn stop_on_signal(stop: watch::Sender<StopDeadline>, grace: Duration) -> Result<(), ShimError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(ShimError::io("watch for SIGTERM"))?;
    tokio::spawn(async move {
        while terminate.recv().await.is_some() {
            stop.send_replace(Some(Instant::now() + grace));
        }
    });
    Ok(())
}
