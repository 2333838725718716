//! What runs: the proxies that are compared, and the service behind them.

mod certificate;
mod edge;
mod grpc;
mod haproxy;
mod nginx;
mod upstream;

use std::net::SocketAddr;
use std::path::Path;

use pilotage_proxy::{Address, Protocol};

use crate::fault::Fault;
use crate::machine::Program;

pub use certificate::TestCertificate;
pub use edge::{EDGE_ROLE, Edge, ROUTE, pool, route, serve as serve_edge};
pub use grpc::{GrpcService, MESSAGE as GRPC_MESSAGE};
pub use upstream::{LARGE_PATH, SMALL_BODY, Upstream};

/// What a proxy has to do in a case.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The service behind it.
    pub upstream: Address,
    /// What the service speaks.
    pub upstream_protocol: Protocol,
    /// What clients speak.
    pub client_protocol: Protocol,
    /// With one, connections of clients are encrypted, by TLS 1.3.
    pub certificate: Option<TestCertificate>,
    /// Settings of nginx and HAProxy that suit bodies of 100 KiB, instead of their defaults.
    pub large_bodies: bool,
    /// How many clients it is to bear.
    pub connections: usize,
}

impl Setup {
    /// Plain HTTP/1.1 on both sides.
    pub fn plain(upstream: Address) -> Self {
        Self {
            upstream,
            upstream_protocol: Protocol::Http1,
            client_protocol: Protocol::Http1,
            certificate: None,
            large_bodies: false,
            connections: 1_024,
        }
    }

    fn scheme(&self) -> &'static str {
        if self.certificate.is_some() { "https" } else { "http" }
    }
}

/// A proxy that runs.
#[derive(Debug)]
pub struct Proxy {
    /// What it is called in figures.
    pub name: String,
    /// Where clients reach it.
    pub address: SocketAddr,
    pub program: Program,
}

impl Proxy {
    /// Starts nginx, with its files in a folder.
    pub fn nginx(folder: &Path, setup: &Setup) -> Result<Self, Fault> {
        nginx::start(folder, setup)
    }

    /// Starts HAProxy, with its files in a folder.
    pub fn haproxy(folder: &Path, setup: &Setup) -> Result<Self, Fault> {
        haproxy::start(folder, setup)
    }

    /// Gives it another name, to tell it from one with other settings.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }
}
