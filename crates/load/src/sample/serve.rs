//! The life of the sample service: listen, answer, and end by SIGTERM or by the planted crash.

use std::future::pending;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::answer::Answerer;
use super::{SampleSettings, SettingsError};

/// Why the sample service ended with an error.
#[derive(Debug, Error)]
pub enum SampleError {
    /// The settings cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Nobody said which port.
    #[error("the sample service needs a port: set PORT, or pass --port")]
    NoPort,
    /// The port cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
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

/// Runs the sample service as a process of its own: settings from `arguments`, the port from `PORT`, until SIGTERM or
/// SIGINT, which let requests in flight finish. The caller ends the process when this returns; after
/// [`SampleError::Crashed`] at once and with a status that is not 0.
pub async fn run(arguments: &[String]) -> Result<(), SampleError> {
    let mut settings = SampleSettings::from_arguments(arguments)?;
    if settings.port.is_none() {
        settings.port = std::env::var("PORT").ok().and_then(|port| port.parse().ok());
    }
    let ignore_sigterm = settings.ignore_sigterm;
    let service = SampleService::listen(settings).await?;
    println!("sample service listening on {}", service.address());
    service.serve(stop_signal(ignore_sigterm)?).await
}

/// A sample service that listens and does not answer yet.
#[derive(Debug)]
pub struct SampleService {
    settings: SampleSettings,
    listener: TcpListener,
    address: SocketAddr,
}

impl SampleService {
    /// Listens on 127.0.0.1; port 0 takes a free one.
    pub async fn listen(settings: SampleSettings) -> Result<Self, SampleError> {
        let port = settings.port.ok_or(SampleError::NoPort)?;
        let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let failed = |source| SampleError::Listen { address: wanted, source };
        let listener = TcpListener::bind(wanted).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { settings, listener, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `stop` is ready, then finishes what is in flight. A planted crash cuts all connections.
    pub async fn serve(self, stop: impl Future<Output = ()>) -> Result<(), SampleError> {
        let _flood = Flood::start(self.settings.log_flood);
        let crash = crash_after(self.settings.crash_after_ms);
        let answerer = Arc::new(Answerer::new(self.settings));
        let (closing, closed) = watch::channel(false);
        // Connections end with this set, so that a crash cuts them.
        let mut connections = JoinSet::new();
        let (mut stop, mut crash) = (pin!(stop), pin!(crash));
        loop {
            // In this order a client that has connected is served even if the stop comes at the same moment.
            tokio::select! {
                biased;
                () = &mut crash => return Err(SampleError::Crashed),
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => drop(connections.spawn(connection(stream, answerer.clone(), closed.clone()))),
                    // Out of descriptors or the like: others may end soon.
                    Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                },
                () = &mut stop => break,
                Some(_) = connections.join_next() => {}
            }
        }
        drop(self.listener);
        closing.send_replace(true);
        tokio::select! {
            () = &mut crash => Err(SampleError::Crashed),
            () = async { while connections.join_next().await.is_some() {} } => Ok(()),
        }
    }
}

/// Serves one connection; once `closed` says so, it ends after the request in flight.
async fn connection(stream: TcpStream, answerer: Arc<Answerer>, mut closed: watch::Receiver<bool>) {
    // Without it, small answers could wait for the client's acknowledgement; a refusal only costs that time.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let answerer = answerer.clone();
        async move { answerer.answer(request).await }
    });
    let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let mut served = pin!(served);
    tokio::select! {
        // An error here is a client that went away, which is its right.
        _ = &mut served => return,
        _ = closed.wait_for(|closed| *closed) => {}
    }
    served.as_mut().graceful_shutdown();
    let _ = served.await;
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

/// Writes lines to standard output from a thread of its own, so that a full pipe does not hold up answers.
struct Flood(Arc<AtomicBool>);

impl Flood {
    const TICKS_PER_SECOND: u64 = 50;

    fn start(lines_per_second: u64) -> Self {
        let over = Arc::new(AtomicBool::new(lines_per_second == 0));
        let seen = over.clone();
        if lines_per_second > 0 {
            std::thread::spawn(move || Self::write(lines_per_second, &seen));
        }
        Self(over)
    }

    fn write(lines_per_second: u64, over: &AtomicBool) {
        let lines_per_tick = lines_per_second.div_ceil(Self::TICKS_PER_SECOND);
        let mut number = 0_u64;
        while !over.load(Ordering::Relaxed) {
            let mut output = std::io::stdout().lock();
            for _ in 0..lines_per_tick {
                number += 1;
                if writeln!(output, "line {number} of a flood that nobody reads to its end").is_err() {
                    return;
                }
            }
            drop(output);
            std::thread::sleep(Duration::from_millis(1_000 / Self::TICKS_PER_SECOND));
        }
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
