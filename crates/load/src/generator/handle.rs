//! Starting a load, looking at it, and stopping it.

use std::sync::Arc;
use std::thread::JoinHandle;

use thiserror::Error;
use tokio::sync::{oneshot, watch};

use super::drive::Run;
use super::plan::{LoadPlan, Pacing, Traffic};
use super::report::LoadReport;
use super::tally::Tally;

/// Why a load could not be sent.
#[derive(Debug, Error)]
pub enum LoadError {
    /// The plan makes no sense.
    #[error("load plan: {0}")]
    Plan(&'static str),
    /// The operating system refused a thread, a timer or the like.
    #[error("load generator: {0}")]
    Io(#[from] std::io::Error),
    /// The load's thread ended without a word.
    #[error("the load generator's thread ended unexpectedly")]
    Lost,
}

/// Sends load.
#[derive(Debug)]
pub struct Load;

/// A load that is being sent. When it is dropped, sending stops.
#[derive(Debug)]
pub struct LoadHandle {
    tally: Arc<Tally>,
    stop: watch::Sender<bool>,
    ended: oneshot::Receiver<std::io::Result<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Load {
    /// Starts to send at once, from a thread of its own. Needs no runtime.
    pub fn start(plan: LoadPlan) -> Result<LoadHandle, LoadError> {
        check(&plan)?;
        let tally = Arc::new(Tally::new());
        let (stop, stopped) = watch::channel(false);
        let (end, ended) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let run = Run::new(plan, tally.clone(), stopped);
        let counted = tally.clone();
        let thread = std::thread::Builder::new().name("load".to_owned()).spawn(move || {
            let result = runtime.block_on(run.drive());
            counted.ended();
            // Nobody may be waiting any more.
            let _ = end.send(result);
        })?;
        Ok(LoadHandle { tally, stop, ended, thread: Some(thread) })
    }
}

impl LoadHandle {
    /// What has been counted so far.
    pub fn snapshot(&self) -> LoadReport {
        self.tally.report()
    }

    /// Sends nothing more, waits for what is in flight (at most the plan's timeout), and says what was counted.
    pub async fn stop(self) -> Result<LoadReport, LoadError> {
        self.stop.send_replace(true);
        self.wait().await
    }

    /// Waits until a load with a `duration` or a number of `requests` is over, and says what was counted.
    pub async fn wait(mut self) -> Result<LoadReport, LoadError> {
        let ended = (&mut self.ended).await;
        // It has sent its last word, so this takes no time.
        let joined = self.thread.take().map(JoinHandle::join);
        match (ended, joined) {
            (Ok(result), None | Some(Ok(()))) => result?,
            _ => return Err(LoadError::Lost),
        }
        Ok(self.tally.report())
    }
}

impl Drop for LoadHandle {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

fn check(plan: &LoadPlan) -> Result<(), LoadError> {
    if plan.connections == 0 {
        return Err(LoadError::Plan("at least one connection is needed"));
    }
    match plan.traffic {
        Traffic::Http2 { streams: 0 }
        | Traffic::GrpcUnary { streams: 0 }
        | Traffic::GrpcStream { streams: 0, .. } => {
            return Err(LoadError::Plan("at least one stream a connection is needed"));
        }
        Traffic::GrpcStream { session, .. } | Traffic::WebSocket { session } => {
            if session.messages == 0 {
                return Err(LoadError::Plan("a session needs at least one message"));
            }
            if plan.pacing != Pacing::Closed {
                return Err(LoadError::Plan("sessions have a pace of their own; plan them as a closed load"));
            }
        }
        _ => {}
    }
    match plan.pacing {
        Pacing::Open { requests_per_second: rate } if !(rate > 0.0 && rate.is_finite()) => {
            Err(LoadError::Plan("requests per second must be above 0"))
        }
        _ => Ok(()),
    }
}
