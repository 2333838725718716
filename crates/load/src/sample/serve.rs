//! The life of the sample service: listen, answer, and end by SIGTERM or by the planted crash.

use std::future::pending;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use pilotage_proxy::Address;
use thiserror::Error;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::answer::Answerer;
use super::flood::Flood;
use super::listener::{Accepted, Listener};
use super::tasks::Tasks;
use super::{SampleSettings, SettingsError, connection};

/// Why the sample service ended with an error.
#[derive(Debug, Error)]
pub enum SampleError {
    /// The settings cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Nobody said which port.
    #[error("the sample service needs a port: set PORT or pass --port, or PILOTAGE_SOCKET or --socket")]
    NoPort,
    /// The port or socket cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: Address,
        /// Why.
        source: std::io::Error,
    },
    /// The operating system refused something.
    #[error("the sample service stopped: {0}")]
    Io(#[from] std::io::Error),
    /// `crash_after_ms` is over.
    #[error("the sample service crashed, as its settings say")]
    Crashed,
}

/// Runs the sample service as a process of its own: settings from `arguments`, until SIGTERM or SIGINT, which let
/// requests in flight finish. It listens on the listener that it was passed (`LISTEN_FDS`), on the `socket` or `port` of
/// its settings, or on those that `PILOTAGE_SOCKET` or `PORT` name, whichever is first. The caller ends the process when
/// this returns; after [`SampleError::Crashed`] at once and with a status that is not 0.
pub async fn run(arguments: &[String]) -> Result<(), SampleError> {
    let settings = SampleSettings::from_arguments(arguments)?;
    let ignore_sigterm = settings.ignore_sigterm;
    let listener = Listener::told(settings.clone()).await?;
    let service = SampleService { address: listener.address()?, settings, listener };
    println!("sample service listening on {}", service.address());
    service.serve(stop_signal(ignore_sigterm)?).await
}

/// A sample service that listens and does not answer yet.
#[derive(Debug)]
pub struct SampleService {
    settings: SampleSettings,
    listener: Listener,
    address: Address,
}

impl SampleService {
    /// Listens on the `socket` of the settings, else on their `port`; port 0 takes a free one.
    pub async fn listen(settings: SampleSettings) -> Result<Self, SampleError> {
        let listener = Listener::bind(&settings).await?;
        Ok(Self { address: listener.address()?, settings, listener })
    }

    /// Where it listens.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Where it listens, unless on a unix socket.
    pub fn tcp_address(&self) -> Option<SocketAddr> {
        match self.address {
            Address::Tcp(address) => Some(address),
            Address::Unix(_) => None,
        }
    }

    /// Answers until `stop` is ready, then finishes what is in flight. A planted crash cuts all connections.
    pub async fn serve(self, stop: impl Future<Output = ()>) -> Result<(), SampleError> {
        let _flood = Flood::start(self.settings.log_flood);
        let crash = crash_after(self.settings.crash_after_ms);
        let (closing, closed) = watch::channel(false);
        let answerer = Arc::new(Answerer::new(self.settings, Tasks::new(closed.clone())));
        // Connections end with this set, so that a crash cuts them.
        let mut connections = JoinSet::new();
        let (mut stop, mut crash) = (pin!(stop), pin!(crash));
        loop {
            // In this order a client that has connected is served even if the stop comes at the same moment.
            tokio::select! {
                biased;
                () = &mut crash => return Err(SampleError::Crashed),
                accepted = self.listener.accept() => match accepted {
                    Ok(Accepted::Tcp(stream)) => {
                        drop(connections.spawn(connection::serve(stream, answerer.clone(), closed.clone())));
                    }
                    Ok(Accepted::Unix(stream)) => {
                        drop(connections.spawn(connection::serve(stream, answerer.clone(), closed.clone())));
                    }
                    // Out of descriptors or the like: others may end soon.
                    Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                },
                () = &mut stop => break,
                Some(_) = connections.join_next() => {}
            }
        }
        drop(self.listener);
        closing.send_replace(true);
        let ended = async {
            while connections.join_next().await.is_some() {}
            answerer.finish().await;
        };
        tokio::select! {
            () = &mut crash => Err(SampleError::Crashed),
            () = ended => Ok(()),
        }
    }
}

async fn crash_after(after_ms: Option<u64>) {
    match after_ms {
        Some(after_ms) => tokio::time::sleep(Duration::from_millis(after_ms)).await,
        None => pending().await,
    }
}

/// Ready at SIGTERM or SIGINT; the handlers are in place when this returns.
fn stop_signal(ignore_sigterm: bool) -> Result<impl Future<Output = ()>, std::io::Error> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        let terminated = async {
            terminate.recv().await;
            if ignore_sigterm {
                println!("SIGTERM ignored, as the settings say");
                pending::<()>().await;
            }
        };
        tokio::select! {
            () = terminated => {}
            _ = interrupt.recv() => {}
        }
    })
}
