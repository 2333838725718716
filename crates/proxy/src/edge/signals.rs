//! Signals to the edge.

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::EdgeError;

/// The signals that the edge listens to; see docs/edge.md.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    replace: Signal,
}

/// What a signal says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// SIGTERM or SIGINT.
    Stop,
    /// SIGHUP: take up renewed certificates.
    Renew,
    /// SIGUSR2: let another edge take this one's place.
    Replace,
}

impl Signals {
    pub(super) fn listen() -> Result<Self, EdgeError> {
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            hangup: listen(SignalKind::hangup())?,
            replace: listen(SignalKind::user_defined2())?,
        })
    }

    /// The next signal.
    pub(super) async fn next(&mut self) -> Told {
        tokio::select! {
            _ = self.terminate.recv() => Told::Stop,
            _ = self.interrupt.recv() => Told::Stop,
            _ = self.hangup.recv() => Told::Renew,
            _ = self.replace.recv() => Told::Replace,
        }
    }

    /// Waits for one that says to stop.
    pub(super) async fn stop(&mut self) {
        while self.next().await != Told::Stop {}
    }
}

/// Every SIGHUP, beside those that [`Signals`] hear.
pub(super) fn hangups() -> Result<Signal, EdgeError> {
    listen(SignalKind::hangup())
}

fn listen(kind: SignalKind) -> Result<Signal, EdgeError> {
    signal(kind).map_err(EdgeError::io("listening for signals"))
}
