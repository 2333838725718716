//! The certificate that all proxies use.

use std::fs;
use std::path::{Path, PathBuf};

use crate::fault::{During, Fault};

/// A certificate for `localhost` with an ECDSA key on the curve P-256, signed by itself.
#[derive(Debug, Clone)]
pub struct TestCertificate {
    /// The certificate in PEM.
    pub chain: PathBuf,
    /// Its key in PEM.
    pub key: PathBuf,
    /// Both in one file, as HAProxy wants them.
    pub both: PathBuf,
}

impl TestCertificate {
    /// Makes a new one in a folder.
    pub fn create(folder: &Path) -> Result<Self, Fault> {
        let made =
            rcgen::generate_simple_self_signed(["localhost".to_owned()]).during("making a certificate")?;
        let (chain, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        let files = [("chain.pem", chain.clone()), ("key.pem", key.clone()), ("both.pem", chain + &key)];
        for (name, text) in files {
            fs::write(folder.join(name), text).during(name)?;
        }
        Ok(Self {
            chain: folder.join("chain.pem"),
            key: folder.join("key.pem"),
            both: folder.join("both.pem"),
        })
    }
}
