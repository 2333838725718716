//! The address that the services of an environment share.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::Network;

/// The address that those services of an environment share that have a path or a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EdgeSettings {
    /// The address.
    pub listen: SocketAddr,
    /// The certificates; with none, connections are not encrypted.
    pub certificates: Vec<CertificateFiles>,
    /// An address at which every request is answered with a redirect to `https` on the port of `listen`.
    pub redirect: Option<SocketAddr>,
    /// Proxies in front of it: what they say of the client in `Forwarded` and `X-Forwarded-*` is believed.
    pub trusted_proxies: Vec<Network>,
}

/// A certificate and its key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CertificateFiles {
    /// The chain in PEM, the server's own certificate first: absolute, or relative to the folder of `pilotage.yaml`.
    pub chain: String,
    /// The private key in PEM, likewise.
    pub key: String,
}

impl EdgeSettings {
    /// An address without encryption that trusts nobody.
    pub fn plain(listen: SocketAddr) -> Self {
        Self { listen, certificates: Vec::new(), redirect: None, trusted_proxies: Vec::new() }
    }

    /// `https` or `http`.
    pub fn scheme(&self) -> &'static str {
        if self.certificates.is_empty() { "http" } else { "https" }
    }
}
