//! The handshake with one client, and what is known of the connection after it.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::server::{NoServerSessionStorage, ResolvesServerCert};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{self, ServerConfig, ServerConnection};
use tokio_rustls::server::TlsStream;

use super::loaded::Loaded;
use super::selection::Selection;
use super::tickets::Tickets;

/// HTTP/2 in the handshake's negotiation (RFC 7301).
const HTTP2: &[u8] = b"h2";
const HTTP11: &[u8] = b"http/1.1";

/// Tickets for later connections that a client gets with a full handshake. One is enough for a client that comes back;
/// each further one is sealed and sent to all those who do not.
const TICKETS: usize = 1;

/// Does the handshakes of one listener. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Acceptor {
    settings: Arc<ServerConfig>,
    /// The same as in the settings, which do not give it back.
    selection: Arc<Selection>,
}

/// What the handshakes of all listeners have in common.
pub(super) fn settings(tickets: Arc<Tickets>) -> Result<ServerConfig, rustls::Error> {
    let mut settings = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&TLS13, &TLS12])?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Selection::default()));
    settings.alpn_protocols = vec![HTTP2.to_vec(), HTTP11.to_vec()];
    // What resumes a session is with the client, sealed under keys that change every six hours. All listeners share
    // them, so that who comes back by IPv6 instead of IPv4 can resume.
    settings.ticketer = tickets;
    settings.session_storage = Arc::new(NoServerSessionStorage {});
    settings.send_tls13_tickets = TICKETS;
    // Early data can be replayed by who has seen it.
    settings.max_early_data_size = 0;
    Ok(settings)
}

impl Acceptor {
    /// For a listener with these certificates.
    pub(super) fn new(settings: &ServerConfig, selection: Selection) -> Self {
        let selection = Arc::new(selection);
        let mut settings = settings.clone();
        settings.cert_resolver = Arc::clone(&selection) as Arc<dyn ResolvesServerCert>;
        Self { settings: Arc::new(settings), selection }
    }

    /// Does the handshake. An error is the client's affair, and has been told to it by an alert where that was possible.
    ///
    /// Has no time limit of its own. Dropping the future before it is done closes the connection.
    pub(crate) async fn accept<S>(&self, stream: S) -> io::Result<(TlsStream<S>, Negotiated)>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let stream = TlsAcceptor::from(Arc::clone(&self.settings)).accept(stream).await?;
        let negotiated = self.negotiated(stream.get_ref().1);
        Ok((stream, negotiated))
    }

    fn negotiated(&self, connection: &ServerConnection) -> Negotiated {
        let named = connection.server_name().and_then(|name| self.selection.by_name(name));
        Negotiated { http2: connection.alpn_protocol() == Some(HTTP2), certificate: named.cloned() }
    }
}

/// What a handshake has agreed on.
#[derive(Debug, Clone)]
pub(crate) struct Negotiated {
    /// Whether HTTP/2 is spoken; else HTTP/1.1, also by clients that did not say.
    pub(crate) http2: bool,
    certificate: Option<Arc<Loaded>>,
}

impl Negotiated {
    /// Whether a request for this host, given without a port, does not belong on this connection and is to be answered
    /// with 421 (RFC 9110, section 15.5.20): the client asked for another name and was shown a certificate for it that
    /// is not one for this host.
    ///
    /// A client that asked for no name, or for one that no certificate here is for, took the default certificate as
    /// it is, and is not refused.
    pub(crate) fn is_misdirected(&self, host: &str) -> bool {
        self.certificate.as_ref().is_some_and(|certificate| !certificate.names.cover(host))
    }
}
