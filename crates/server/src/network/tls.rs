//! The server's certificate.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::NetworkError;
use crate::config::TlsFiles;

/// What makes TLS of a connection: 1.2 or 1.3, and HTTP/1.1 within.
pub(super) fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, NetworkError> {
    let fault = |file: &Path, reason: &str| NetworkError::Certificate {
        file: file.to_owned(),
        reason: reason.to_owned(),
    };
    let chain = read(&files.chain)?;
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&chain)
        .collect::<Result<_, _>>()
        .map_err(|_| fault(&files.chain, "it is not PEM"))?;
    if chain.is_empty() {
        return Err(fault(&files.chain, "there is no certificate in it"));
    }
    // In words of our own: those of the library quote the file.
    let key = PrivateKeyDer::from_pem_slice(&read(&files.key)?)
        .map_err(|_| fault(&files.key, "there is no PEM key in it, or it needs a passphrase"))?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| fault(&files.chain, &error.to_string()))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|_| fault(&files.key, "it does not fit the certificate"))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn read(file: &Path) -> Result<Vec<u8>, NetworkError> {
    std::fs::read(file)
        .map_err(|error| NetworkError::Certificate { file: file.to_owned(), reason: error.to_string() })
}
