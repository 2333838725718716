//! What a server is started with.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use pilotage_secrets::Known;

use crate::StateFolder;

/// What a server is started with. All paths are absolute.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// The project's `pilotage.yaml`. It is read anew for every plan and deployment.
    pub project_file: PathBuf,
    /// Where everything is kept.
    pub state: StateFolder,
    /// The binary that is run as shim and as edge.
    pub program: PathBuf,
    /// Where it listens beside its socket.
    pub network: Option<Network>,
    /// Names under which clients reach it over the network, beside its addresses.
    pub hosts: Vec<String>,
    /// The secrets that the server has read, so that its log can leave them out.
    pub known: Known,
}

/// Where a server listens beside its socket.
#[derive(Debug, Clone)]
pub struct Network {
    /// The address.
    pub address: SocketAddr,
    /// The files of its certificate; without them, only this machine can be listened to.
    pub tls: Option<TlsFiles>,
}

/// The files of a certificate, both PEM.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The certificate, followed by those of the authorities between it and one that clients trust.
    pub chain: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

impl ServerConfig {
    /// The folder that relative paths of the file are relative to.
    pub fn project_folder(&self) -> &Path {
        self.project_file.parent().unwrap_or(Path::new("/"))
    }
}
