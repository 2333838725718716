//! What is recorded of a cluster.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::user::{self, User};
use crate::rig::{RigError, network, port};

/// The chains that kubelet and kube-proxy make.
pub(crate) const CHAINS: &str = "KUBE-";

/// What is recorded of a cluster, beside its programs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Facts {
    /// Where the API server listens.
    #[serde(default)]
    pub address: String,
    /// The same with its port, as clients are told.
    pub server: String,
    /// Where the built programs are.
    pub programs: PathBuf,
    pub users: Vec<User>,
    pub etcd_port: u16,
    pub etcd_peer_port: u16,
    pub api_port: u16,
    pub controllers_port: u16,
    pub scheduler_port: u16,
    pub kubelet_port: u16,
    pub kubelet_health_port: u16,
    pub proxy_health_port: u16,
    pub proxy_metrics_port: u16,
    /// Whether the machine had chains of a Kubernetes before.
    pub chains_before: bool,
}

impl Facts {
    /// With free ports and new tokens.
    pub(crate) fn new(programs: PathBuf, address: String) -> Result<Self, RigError> {
        let [
            etcd,
            etcd_peer,
            api,
            controllers,
            scheduler,
            kubelet,
            kubelet_health,
            proxy_health,
            proxy_metrics,
        ] = port::free()?;
        Ok(Self {
            server: format!("https://{address}:{api}"),
            address,
            programs,
            users: user::all()?,
            etcd_port: etcd,
            etcd_peer_port: etcd_peer,
            api_port: api,
            controllers_port: controllers,
            scheduler_port: scheduler,
            kubelet_port: kubelet,
            kubelet_health_port: kubelet_health,
            proxy_health_port: proxy_health,
            proxy_metrics_port: proxy_metrics,
            chains_before: network::has_chains(CHAINS),
        })
    }
}
