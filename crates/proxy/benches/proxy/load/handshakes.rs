//! A new connection with a full TLS 1.3 handshake for every request.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::{JoinSet, LocalSet};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::version::TLS13;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::{Load, LoadReport, p99};
use crate::fault::{During, Fault};
use crate::servers::{SMALL_BODY, TestCertificate};

/// Connections at a time.
const CONNECTIONS: usize = 16;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/// A client that never resumes a session, whatever the server offers, and checks the certificate as any client does.
pub struct Handshakes {
    connector: TlsConnector,
}

impl Handshakes {
    pub fn new(certificate: &TestCertificate) -> Result<Self, Fault> {
        let own = CertificateDer::from_pem_file(&certificate.chain).during("reading the certificate")?;
        let mut roots = RootCertStore::empty();
        roots.add(own).during("trusting the certificate")?;
        // With every server the same key exchange, the one that all of them know.
        let provider =
            CryptoProvider { kx_groups: vec![aws_lc_rs::kx_group::X25519], ..aws_lc_rs::default_provider() };
        let builder = ClientConfig::builder_with_provider(Arc::new(provider));
        let builder = builder.with_protocol_versions(&[&TLS13]).during("choosing TLS 1.3")?;
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        config.resumption = Resumption::disabled();
        Ok(Self { connector: TlsConnector::from(Arc::new(config)) })
    }
}

impl Load for Handshakes {
    fn run(&self, address: SocketAddr, duration: Duration) -> Result<LoadReport, Fault> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.during("starting a runtime")?;
        let begun = Instant::now();
        let latencies = Rc::new(RefCell::new(Vec::new()));
        let connecting = async {
            let mut clients = JoinSet::new();
            for _ in 0..CONNECTIONS {
                let (connector, latencies) = (self.connector.clone(), Rc::clone(&latencies));
                clients.spawn_local(async move {
                    while begun.elapsed() < duration {
                        let connected = Instant::now();
                        exchange(&connector, address).await?;
                        let micros = u64::try_from(connected.elapsed().as_micros()).unwrap_or(u64::MAX);
                        latencies.borrow_mut().push(micros);
                    }
                    Ok(())
                });
            }
            clients.join_all().await.into_iter().collect::<Result<(), Fault>>()
        };
        LocalSet::new().block_on(&runtime, connecting)?;
        let latencies = latencies.take();
        Ok(LoadReport {
            requests: latencies.len() as u64,
            requests_per_second: latencies.len() as f64 / begun.elapsed().as_secs_f64(),
            p99: p99(latencies),
        })
    }
}

/// One connection, from its first packet to its last.
async fn exchange(connector: &TlsConnector, address: SocketAddr) -> Result<(), Fault> {
    let stream = TcpStream::connect(address).await.during("connecting")?;
    stream.set_nodelay(true).during("connecting")?;
    let name = ServerName::try_from("localhost").during("naming the server")?;
    let mut stream = connector.connect(name, stream).await.during("the TLS handshake")?;
    stream.write_all(REQUEST).await.during("sending a request")?;
    let mut answer = Vec::new();
    // Some servers close without saying so in TLS; an answer that is whole is an answer.
    let ended = stream.read_to_end(&mut answer).await;
    if answer.starts_with(b"HTTP/1.1 200 ") && answer.ends_with(SMALL_BODY.as_bytes()) {
        Ok(())
    } else {
        ended.during("reading an answer")?;
        Err(Fault::new(format!("an unexpected answer: {}", String::from_utf8_lossy(&answer))))
    }
}
