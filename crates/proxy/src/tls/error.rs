//! Why a certificate cannot be used.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use thiserror::Error;
use x509_cert::der::DateTime;

/// Why a listener cannot be encrypted.
#[derive(Debug, Error)]
#[error("the listener on {listen} cannot be encrypted: {problem}")]
pub(crate) struct TlsError {
    /// The listener's address.
    pub(super) listen: SocketAddr,
    /// What is wrong with one of its certificates.
    pub(super) problem: CertificateError,
}

/// What is wrong with a certificate or its key. Never says anything of what is in a key file: it may be the key.
#[derive(Debug, Error)]
pub(crate) enum CertificateError {
    /// The file is not there, or the edge may not read it.
    #[error("{} cannot be read: {source}; put it there, readable by the user that the edge runs as", .file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A folder, a pipe or a device.
    #[error("{} is not a regular file; name the file itself", .file.display())]
    NotAFile {
        /// The file.
        file: PathBuf,
    },
    /// Far larger than any chain of certificates.
    #[error("{} is larger than {most} bytes, which no certificate is; name the right file", .file.display())]
    TooLarge {
        /// The file.
        file: PathBuf,
        /// The most that is read.
        most: u64,
    },
    /// The file has no certificate.
    #[error("{} has no certificate in PEM (-----BEGIN CERTIFICATE-----); name the file with the chain", .chain.display())]
    NoCertificate {
        /// The file of the chain.
        chain: PathBuf,
    },
    /// The file has no private key.
    #[error("{} has no private key in PEM (-----BEGIN PRIVATE KEY-----); name the file with the key", .key.display())]
    NoKey {
        /// The file of the key.
        key: PathBuf,
    },
    /// The key can only be read by who knows its passphrase.
    #[error("the key in {} is encrypted; store it without a passphrase, readable by the edge alone", .key.display())]
    EncryptedKey {
        /// The file of the key.
        key: PathBuf,
    },
    /// The file is cut off or damaged, or holds what is not supported.
    #[error("{} cannot be used: {reason}; write it anew", .file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The key is that of another certificate.
    #[error(
        "the key in {} does not fit the first certificate in {}; give the key it was issued for, and put the server's \
         own certificate first", .key.display(), .chain.display()
    )]
    Mismatch {
        /// The file of the chain.
        chain: PathBuf,
        /// The file of the key.
        key: PathBuf,
    },
    /// The certificate is no longer valid.
    #[error("the certificate in {} expired at {not_after}; renew it", .chain.display())]
    Expired {
        /// The file of the chain.
        chain: PathBuf,
        /// The last moment at which it was valid.
        not_after: DateTime,
    },
    /// The certificate is not valid yet.
    #[error("the certificate in {} is not valid before {not_before}; wait, or look at this machine's clock", .chain.display())]
    NotYetValid {
        /// The file of the chain.
        chain: PathBuf,
        /// The first moment at which it is valid.
        not_before: DateTime,
    },
}
