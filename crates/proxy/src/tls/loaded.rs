//! One certificate with its key, read from its files and found to fit.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio_rustls::rustls;
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::sign::CertifiedKey;
use x509_cert::der::{DateTime, Decode};

use super::error::CertificateError;
use super::files;
use super::names::Names;
use crate::table::Certificate;

/// How a PEM file begins whose key needs a passphrase: PKCS #8, and what OpenSSL wrote before it (RFC 1421).
const ENCRYPTED: [&str; 2] = ["-----BEGIN ENCRYPTED PRIVATE KEY-----", "Proc-Type: 4,ENCRYPTED"];

/// A certificate that can be served.
pub(super) struct Loaded {
    /// Chain and key, as handshakes need them.
    pub(super) key: Arc<CertifiedKey>,
    /// What it is for.
    pub(super) names: Names,
    not_before: DateTime,
    not_after: DateTime,
}

impl Loaded {
    /// Reads both files. What is found may be outside of its time; see [`Loaded::check_time`].
    pub(super) fn read(files: &Certificate, provider: &CryptoProvider) -> Result<Self, CertificateError> {
        let chain = chain(&files.chain, &files::read(&files.chain)?)?;
        let own =
            chain.first().ok_or_else(|| CertificateError::NoCertificate { chain: files.chain.clone() })?;
        let malformed = |error| CertificateError::Malformed {
            file: files.chain.clone(),
            reason: format!("its first certificate is damaged ({error})"),
        };
        let certificate = x509_cert::Certificate::from_der(own).map_err(malformed)?;
        let names = Names::of(&certificate).map_err(malformed)?;
        let validity = certificate.tbs_certificate().validity();
        let (not_before, not_after) = (validity.not_before.to_date_time(), validity.not_after.to_date_time());
        let key = key(&files.key, &files::read(&files.key)?)?;
        let key = CertifiedKey::from_der(chain, key, provider).map_err(|error| misfit(files, error))?;
        Ok(Self { key: Arc::new(key), names, not_before, not_after })
    }

    /// Whether the certificate is valid at this time.
    pub(super) fn check_time(&self, chain: &Path, now: SystemTime) -> Result<(), CertificateError> {
        // Whole seconds, because the last second of a certificate is part of its time (RFC 5280, section 4.1.2.5).
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        if now < self.not_before.unix_duration().as_secs() {
            return Err(CertificateError::NotYetValid {
                chain: chain.to_owned(),
                not_before: self.not_before,
            });
        }
        if now > self.not_after_unix().as_secs() {
            return Err(CertificateError::Expired { chain: chain.to_owned(), not_after: self.not_after });
        }
        Ok(())
    }

    /// The last moment at which it is valid.
    pub(super) fn not_after(&self) -> DateTime {
        self.not_after
    }

    /// The same, since the epoch.
    pub(super) fn not_after_unix(&self) -> Duration {
        self.not_after.unix_duration()
    }

    /// Whether it is the same chain. The key may have been written anew, but it is the same one, because it fits.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.key.cert == other.key.cert
    }
}

impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loaded").field("names", &self.names).finish_non_exhaustive()
    }
}

fn chain(path: &Path, text: &[u8]) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    CertificateDer::pem_slice_iter(text).collect::<Result<_, _>>().map_err(|error| damaged(path, &error))
}

fn key(path: &Path, text: &[u8]) -> Result<PrivateKeyDer<'static>, CertificateError> {
    if ENCRYPTED.iter().any(|mark| memchr::memmem::find(text, mark.as_bytes()).is_some()) {
        return Err(CertificateError::EncryptedKey { key: path.to_owned() });
    }
    match PrivateKeyDer::from_pem_slice(text) {
        Ok(key) => Ok(key),
        Err(pem::Error::NoItemsFound) => Err(CertificateError::NoKey { key: path.to_owned() }),
        Err(error) => Err(damaged(path, &error)),
    }
}

/// In words of our own: those of the library quote the file, which may be a key.
fn damaged(path: &Path, error: &pem::Error) -> CertificateError {
    let reason = match error {
        pem::Error::MissingSectionEnd { .. } => "it is cut off: an -----END line is missing",
        pem::Error::IllegalSectionStart { .. } => "a -----BEGIN line is damaged",
        pem::Error::Base64Decode(_) => "it is damaged: what it holds is not base64",
        _ => "it is not PEM",
    };
    CertificateError::Malformed { file: path.to_owned(), reason: reason.to_owned() }
}

fn misfit(files: &Certificate, error: rustls::Error) -> CertificateError {
    match error {
        rustls::Error::InconsistentKeys(_) => {
            CertificateError::Mismatch { chain: files.chain.clone(), key: files.key.clone() }
        }
        rustls::Error::InvalidCertificate(error) => CertificateError::Malformed {
            file: files.chain.clone(),
            reason: format!("its first certificate cannot be read ({error})"),
        },
        _ => CertificateError::Malformed {
            file: files.key.clone(),
            reason: "its key is damaged, or neither RSA (2048 bits or more), ECDSA nor Ed25519".to_owned(),
        },
    }
}
