//! Listening to the network: over TLS, or to this machine alone.

mod connections;
mod tls;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use axum::Router;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tracing::info;

use crate::config::Network;

/// Why the network is not listened to.
#[derive(Debug, Error)]
pub enum NetworkError {
    /// Everybody on the way could read the tokens.
    #[error(
        "{0} can be reached from other machines, and tokens would travel in the clear: give --tls-cert and --tls-key, or \
         listen on 127.0.0.1"
    )]
    Clear(SocketAddr),
    /// A file cannot be used.
    #[error("the certificate {}: {reason}", .file.display())]
    Certificate {
        /// Which.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// The address cannot be had.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

/// A listener that is bound.
pub(crate) struct Listener {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
}

/// Refuses what would send tokens in the clear, before anything is begun.
pub(crate) fn check(network: &Network) -> Result<(), NetworkError> {
    let is_kept = network.tls.is_some() || network.address.ip().to_canonical().is_loopback();
    is_kept.then_some(()).ok_or(NetworkError::Clear(network.address))
}

/// Binds an address; nothing is accepted yet.
pub(crate) fn listen(network: &Network) -> Result<Listener, NetworkError> {
    check(network)?;
    let tls = network.tls.as_ref().map(tls::acceptor).transpose()?;
    let failed = |source| NetworkError::Bind { address: network.address, source };
    let listener = std::net::TcpListener::bind(network.address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let listener = TcpListener::from_std(listener).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    info!("listening on {scheme}://{address}");
    Ok(Listener { listener, tls })
}

impl Listener {
    /// Serves until `closing` becomes true, and what has begun to its end.
    pub(crate) async fn serve(self, router: Router, closing: watch::Receiver<bool>) {
        connections::serve(self.listener, self.tls, router, closing).await;
    }
}
