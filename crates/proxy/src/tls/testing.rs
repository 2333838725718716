//! What the tests of this folder share: certificates in a folder of their own, and a client that says what it was shown.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    self, ClientConfig, DigitallySignedStruct, HandshakeKind, ProtocolVersion, SignatureScheme,
    SupportedProtocolVersion,
};

use super::{Encryption, Negotiated};
use crate::table::{Certificate, Listener};

/// Guards against a hang.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// A chain of one and its key, in PEM.
pub(super) struct Issued {
    pub(super) chain: String,
    pub(super) key: String,
    pub(super) der: Vec<u8>,
}

/// A certificate for these names that is valid in our days.
pub(super) fn issue(names: &[&str]) -> Issued {
    issue_for(names, 2020, 2100)
}

/// A certificate that is valid from the beginning of one year to that of another.
pub(super) fn issue_for(names: &[&str], from: i32, to: i32) -> Issued {
    let mut params =
        CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
    (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    Issued { chain: certificate.pem(), key: key.serialize_pem(), der: certificate.der().to_vec() }
}

/// Certificate files in a temporary folder.
pub(super) struct Folder(TempDir);

impl Folder {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn files(&self, name: &str) -> Certificate {
        Certificate {
            chain: self.path().join(format!("{name}.pem")),
            key: self.path().join(format!("{name}.key")),
        }
    }

    /// Writes both files, each at once, as renewing programs do.
    pub(super) fn write(&self, name: &str, issued: &Issued) -> Certificate {
        let files = self.files(name);
        self.replace(&files.chain, &issued.chain);
        self.replace(&files.key, &issued.key);
        files
    }

    pub(super) fn replace(&self, path: &Path, text: &str) {
        let new = self.path().join("new");
        std::fs::write(&new, text).unwrap();
        std::fs::rename(&new, path).unwrap();
    }
}

pub(super) fn provider() -> CryptoProvider {
    aws_lc_rs::default_provider()
}

pub(super) fn year(year: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs((year - 1970) * 31_557_600)
}

/// A listener of its own with these certificates.
pub(super) struct Door {
    pub(super) encryption: Encryption,
    pub(super) listen: SocketAddr,
    listener: TcpListener,
}

impl Door {
    pub(super) async fn open(certificates: &[Certificate]) -> Self {
        let door = Self::unserved().await;
        let staged = door.encryption.stage(&door.listeners(certificates)).unwrap();
        door.encryption.commit(staged);
        door
    }

    pub(super) async fn unserved() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let listen = listener.local_addr().unwrap();
        Self { encryption: Encryption::new().unwrap(), listen, listener }
    }

    pub(super) fn listeners(&self, certificates: &[Certificate]) -> [Listener; 1] {
        [Listener { certificates: certificates.to_vec(), ..Listener::plain(self.listen) }]
    }

    /// Makes one connection; returns what each side has to say of it.
    pub(super) async fn visit(
        &self,
        client: &Client,
        name: &str,
    ) -> (io::Result<Negotiated>, io::Result<Shown>) {
        let both = async { tokio::join!(self.receive(), client.connect(self.listen, name)) };
        tokio::time::timeout(PATIENCE, both).await.unwrap()
    }

    /// The certificate that a client is shown which asks for this name.
    pub(super) async fn shown_to(&self, name: &str) -> Vec<u8> {
        self.visit(&Client::new(), name).await.1.unwrap().certificate
    }

    pub(super) async fn receive(&self) -> io::Result<Negotiated> {
        let (stream, _) = self.listener.accept().await?;
        let acceptor = self.encryption.acceptor(self.listen).unwrap();
        let (mut stream, negotiated) = acceptor.accept(stream).await?;
        stream.write_all(b"hello").await?;
        stream.shutdown().await?;
        Ok(negotiated)
    }
}

/// What a client was shown.
pub(super) struct Shown {
    pub(super) certificate: Vec<u8>,
    pub(super) version: ProtocolVersion,
    pub(super) protocol: Option<Vec<u8>>,
    pub(super) kind: HandshakeKind,
}

/// A client that accepts every certificate, and resumes what it has spoken before.
pub(super) struct Client(TlsConnector);

impl Client {
    pub(super) fn new() -> Self {
        Self::speaking(rustls::DEFAULT_VERSIONS, &[])
    }

    pub(super) fn speaking(versions: &[&'static SupportedProtocolVersion], protocols: &[&str]) -> Self {
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AcceptAll(provider())))
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        Self(TlsConnector::from(Arc::new(config)))
    }

    /// A client that believes only this certificate.
    pub(super) fn trusting(issued: &Issued) -> Self {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from(issued.der.clone())).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(provider()))
            .with_protocol_versions(rustls::DEFAULT_VERSIONS)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self(TlsConnector::from(Arc::new(config)))
    }

    async fn connect(&self, listen: SocketAddr, name: &str) -> io::Result<Shown> {
        let stream = TcpStream::connect(listen).await?;
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let mut stream = self.0.connect(name, stream).await?;
        let mut said = String::new();
        stream.read_to_string(&mut said).await?;
        assert_eq!(said, "hello");
        let connection = stream.get_ref().1;
        Ok(Shown {
            certificate: connection.peer_certificates().unwrap()[0].to_vec(),
            version: connection.protocol_version().unwrap(),
            protocol: connection.alpn_protocol().map(<[u8]>::to_vec),
            kind: connection.handshake_kind().unwrap(),
        })
    }
}

#[derive(Debug)]
struct AcceptAll(CryptoProvider);

impl ServerCertVerifier for AcceptAll {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
