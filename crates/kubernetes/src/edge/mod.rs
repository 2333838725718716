//! The edge in the cluster: what feeds it there.
//!
//! An edge pod runs the ordinary edge, and beside it a feeder, which watches one ConfigMap (what is to be served, written by the
//! control plane) and the instances of each version (written by Kubernetes), makes the routing table of both, and hands it to the
//! edge. No control plane is needed for that: when it is away, pods still come and go in the table; when the API server is away
//! too, the last table holds.
//!
//! Start reading at [`run_edge_feeder`].

mod backends;
mod client;
mod desired;
mod feeder;
mod follow;
mod pages;
mod run;
mod source;
mod state;
#[cfg(test)]
mod tests;
mod watches;

pub use client::{InCluster, in_cluster_client, leave};
pub(crate) use desired::{Entry, FORMAT, config_map_name, digest_of};
pub use run::{FeederConfig, FeederError, run_edge_feeder};
pub(crate) use state::Applied;

/// The port at which an edge pod says what it serves, and what it has counted.
pub const STATUS_PORT: u16 = 9901;
/// The port at which an edge pod has the edge's own metrics.
pub const METRICS_PORT: u16 = 9180;
