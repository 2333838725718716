//! TLS to an engine: its certificate must be signed by the authority that the file names, and no other; ours says who we are.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// The files by which an engine and its client know each other, as made for `dockerd --tlsverify`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Certificates {
    /// Certificates of the authorities that may have signed the engine's.
    pub ca: PathBuf,
    /// Our certificate, with those between it and its authority.
    pub cert: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// How connections are encrypted.
#[derive(Clone)]
pub(super) struct Tls {
    pub connector: TlsConnector,
    pub name: ServerName<'static>,
}

impl Tls {
    /// Reads the files. They are small; this blocks for a moment.
    pub fn read(files: &Certificates, host: &str) -> io::Result<Self> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(&files.ca)? {
            roots.add(certificate).map_err(|error| named(&files.ca, &error))?;
        }
        let chain = certificates(&files.cert)?;
        let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| named(&files.key, &error))?;
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)
            .map_err(|error| named(&files.cert, &error))?;
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), name })
    }
}

fn certificates(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let found: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(path).map_err(|error| named(path, &error))?.collect();
    let found = found.map_err(|error| named(path, &error))?;
    if found.is_empty() {
        return Err(named(path, &"there is no certificate in it"));
    }
    Ok(found)
}

fn named(path: &Path, error: &impl std::fmt::Display) -> io::Error {
    io::Error::other(format!("the file {}: {error}", path.display()))
}
