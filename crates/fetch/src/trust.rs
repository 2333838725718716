//! Whom to trust where the machine's own certificates do not count, and what to show of ourselves.

use std::sync::Arc;

use thiserror::Error;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// A certificate of our own with its key, both in PEM.
#[derive(Clone, Copy)]
pub struct ClientIdentity<'a> {
    /// The certificate and those above it.
    pub chain: &'a [u8],
    /// The private key.
    pub key: &'a [u8],
}

/// Why certificates cannot be used. What was given is not repeated.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TrustError {
    /// There is no certificate to trust.
    #[error("there is no usable certificate in what is to be trusted; give certificates in PEM")]
    Authority,
    /// Our own certificate or its key.
    #[error("the client's certificate and key cannot be used; give both in PEM, the key without a password")]
    Identity,
}

pub(crate) fn client_config(
    authority: &[u8],
    identity: Option<ClientIdentity<'_>>,
) -> Result<ClientConfig, TrustError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(authority) {
        let certificate = certificate.map_err(|_| TrustError::Authority)?;
        roots.add(certificate).map_err(|_| TrustError::Authority)?;
    }
    if roots.is_empty() {
        return Err(TrustError::Authority);
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| TrustError::Authority)?
        .with_root_certificates(roots);
    let Some(ClientIdentity { chain, key }) = identity else { return Ok(builder.with_no_client_auth()) };
    let chain = CertificateDer::pem_slice_iter(chain).collect::<Result<Vec<_>, _>>();
    let key = PrivateKeyDer::from_pem_slice(key);
    let (Ok(chain), Ok(key)) = (chain, key) else { return Err(TrustError::Identity) };
    builder.with_client_auth_cert(chain, key).map_err(|_| TrustError::Identity)
}
