//! The life of an edge, from its start to its last connection.

use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::control::{Control, replace_on_signal};
use super::phase::Phase;
use super::signals::{Signals, Told, hangups};
use super::{EdgeConfig, EdgeError};
use crate::telemetry::AccessLogWriter;
use crate::worker::{Command, WorkerHandle};

/// How often addresses that could not be bound at the start are tried again, and an edge before this one is asked how it
/// is getting on.
const HOUSEKEEPING: Duration = Duration::from_secs(1);

/// How long the last answers on the control socket, and at the admin address, may take.
const LAST_ANSWERS_LIMIT: Duration = Duration::from_secs(6);

/// How long the last lines of the access log may take to be written.
const LOG_LIMIT: Duration = Duration::from_secs(5);

/// Runs an edge until it is told to stop, by its control socket, SIGTERM or SIGINT, or until another one has taken its place.
/// Blocks.
///
/// It starts from the table that the edge before it had on disk, or takes over from one that runs. Only errors at the start
/// and defects end it early.
pub fn run(config: EdgeConfig) -> Result<(), EdgeError> {
    raise_file_limit();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(EdgeError::io("starting the runtime"))?;
    let done = runtime.block_on(async {
        let mut edge = Edge::start(config).await?;
        match edge.serve().await? {
            Ending::Asked { grace } => edge.stop(grace).await,
            Ending::HandedOver => edge.finish().await,
        }
        Ok(())
    });
    // Workers that were not waited for must not hold up the end.
    runtime.shutdown_background();
    done
}

/// An edge that serves.
pub(super) struct Edge {
    pub(super) control: Arc<Control>,
    pub(super) workers: Vec<WorkerHandle>,
    /// Serves the admin address, and ends when another edge does.
    pub(super) admin: JoinHandle<()>,
    pub(super) access_log: Option<AccessLogWriter>,
    pub(super) signals: Signals,
    /// Hears the grace when somebody asks the edge to stop.
    pub(super) stopped: mpsc::UnboundedReceiver<Duration>,
    /// Hears the index of a worker that has ended.
    pub(super) ended: mpsc::UnboundedReceiver<usize>,
}

/// Why an edge ends as it should.
enum Ending {
    /// Somebody wants it.
    Asked {
        /// How long requests in flight may take.
        grace: Duration,
    },
    /// Another edge serves in its place.
    HandedOver,
}

impl Edge {
    /// Serves until something ends it.
    async fn serve(&mut self) -> Result<Ending, EdgeError> {
        let control = Arc::clone(&self.control);
        tokio::spawn(keep_house(Arc::clone(&control)));
        tokio::spawn(Arc::clone(&control.encryption).watch());
        if let Some(log) = &self.access_log {
            tokio::spawn(log.attend(hangups()?));
        }
        let grace = loop {
            tokio::select! {
                // First, so that whoever says stop at that very moment is heard by what finishes the edge.
                biased;
                _ = control.phases.reached(&[Phase::HandedOver]) => return Ok(Ending::HandedOver),
                told = self.signals.next() => match told {
                    Told::Stop => break control.grace,
                    Told::Renew => {
                        tokio::spawn(Arc::clone(&control.encryption).reload());
                    }
                    Told::Replace => {
                        tokio::spawn(replace_on_signal(Arc::clone(&control)));
                    }
                },
                grace = self.stopped.recv() => break grace.unwrap_or(control.grace),
                index = self.ended.recv() => {
                    return Err(EdgeError::WorkerEnded { index: index.unwrap_or_default() });
                }
                () = control.socket.serve(&control) => {}
            }
        };
        Ok(if control.phases.stop() { Ending::Asked { grace } } else { Ending::HandedOver })
    }

    /// Accepts nothing new, and lets what is in flight finish.
    async fn stop(mut self, grace: Duration) {
        tracing::info!(grace_ms = grace.as_millis(), "edge stopping");
        let control = self.control;
        let draining = async {
            let earlier = async {
                let mut publisher = control.publisher.lock().await;
                publisher.close_listeners();
                publisher.inherited.stop(grace).await;
            };
            tokio::join!(stop_workers(self.workers, grace), earlier);
            earlier_edge_finished(&control, grace).await;
        };
        tokio::select! {
            () = draining => tracing::info!("edge stopped"),
            // Counters can still be read, and an edge that is started too early learns who is there.
            () = control.socket.serve(&control) => {}
            () = self.signals.stop() => tracing::warn!("edge stopped at once"),
        }
        control.socket.remove();
        finish_log(self.access_log).await;
    }

    /// Finishes what it has, while another edge serves in its place.
    async fn finish(mut self) {
        let control = self.control;
        let commands: Vec<_> = self.workers.iter().map(|worker| worker.commands.clone()).collect();
        let draining = async {
            stop_workers(self.workers, control.drain).await;
            // The edge that has taken over knows of those before only through this one.
            earlier_edge_finished(&control, control.drain).await;
        };
        tokio::select! {
            () = draining => tracing::info!("edge finished"),
            () = hurried(&control, &commands, &mut self.signals, &mut self.stopped) => {
                tracing::warn!("edge stopped at once");
            }
        }
        finish_log(self.access_log).await;
        if tokio::time::timeout(LAST_ANSWERS_LIMIT, self.admin).await.is_err() {
            tracing::warn!("not everybody has read the last pages of the admin address");
        }
        control.phases.drained();
        if tokio::time::timeout(LAST_ANSWERS_LIMIT, control.socket.settled()).await.is_err() {
            tracing::warn!("not everybody has heard the last answers");
        }
    }
}

/// Has an edge that drains finish sooner when it is told to stop, and returns when it is told so by a second signal.
async fn hurried(
    control: &Control,
    workers: &[mpsc::UnboundedSender<Command>],
    signals: &mut Signals,
    stopped: &mut mpsc::UnboundedReceiver<Duration>,
) {
    let mut signalled = false;
    loop {
        let grace = tokio::select! {
            () = signals.stop() => {
                // Whoever stops everything tells this process by a signal, and by the edge in its place.
                if std::mem::replace(&mut signalled, true) {
                    return;
                }
                control.grace
            }
            Some(grace) = stopped.recv() => grace,
        };
        tracing::info!(grace_ms = grace.as_millis(), "edge finishing sooner");
        tell_to_stop(workers, grace);
        control.publisher.lock().await.inherited.stop(grace).await;
    }
}

/// Waits until the edge before this one has finished too, for so long at most.
async fn earlier_edge_finished(control: &Control, limit: Duration) {
    const LOOK_AGAIN: Duration = Duration::from_millis(100);
    let finished = async {
        while control.publisher.lock().await.inherited.is_finishing() {
            tokio::time::sleep(LOOK_AGAIN).await;
            control.publisher.lock().await.inherited.refresh().await;
        }
    };
    if tokio::time::timeout(limit, finished).await.is_err() {
        tracing::warn!("the edge before this one does not finish");
    }
}

async fn finish_log(log: Option<AccessLogWriter>) {
    if let Some(log) = log {
        log.finish(LOG_LIMIT).await;
    }
}

/// Does what is due from time to time, for as long as the process lives.
async fn keep_house(control: Arc<Control>) {
    let mut again = tokio::time::interval(HOUSEKEEPING);
    again.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        again.tick().await;
        let mut publisher = control.publisher.lock().await;
        publisher.inherited.refresh().await;
        if control.phases.now() == Phase::Serving && publisher.bind_missing(false).await.is_err() {
            // A worker has ended; whoever waits for that stops the edge.
            return;
        }
    }
}

/// Stops all workers; returns when the last one has finished, after the grace at the latest.
pub(super) async fn stop_workers(workers: Vec<WorkerHandle>, grace: Duration) {
    let commands: Vec<_> = workers.iter().map(|worker| worker.commands.clone()).collect();
    tell_to_stop(&commands, grace);
    let join = move || {
        for worker in workers {
            if worker.thread.join().is_err() {
                tracing::error!("a worker thread panicked while stopping");
            }
        }
    };
    let _ = tokio::task::spawn_blocking(join).await;
}

fn tell_to_stop(workers: &[mpsc::UnboundedSender<Command>], grace: Duration) {
    for worker in workers {
        // A worker that is gone has stopped already.
        let _ = worker.send(Command::Stop { grace });
    }
}

/// Each connection takes a descriptor or two, and the usual soft limit of 1,024 is soon reached.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
        tracing::warn!(%error, "the limit of open files could not be raised");
    }
}
