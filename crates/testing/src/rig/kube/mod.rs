//! A Kubernetes of one node with real pods, on the Docker rig's engine: API server with RBAC, controllers, scheduler,
//! kubelet and kube-proxy.
//!
//! What it has: pods and Services answer from the machine at their own addresses; service accounts with tokens in pods; logs
//! and `exec`; what the kubelet measures (`/api/v1/nodes/node1/proxy/stats/summary`); the published custom resources.
//! What it has not: names (there is no DNS server in Debian for it; use addresses or the environment variables of Services),
//! the metrics API, storage classes, load balancers, a way from pods out of this machine.

mod alone;
mod certificates;
mod cluster;
mod debian;
mod definitions;
mod facts;
mod handle;
mod kubeconfig;
mod parts;
mod source;
mod user;

pub use alone::ApiServer;
pub use cluster::{build, down, is_up, status, up};
pub use definitions::DEFINITIONS_VARIABLE;
pub use handle::Kube;
pub use source::{is_built, programs};
pub use user::{ADMIN, LIMITED, PILOTAGE};

pub(crate) use cluster::{POD_BRIDGE, SERVICE_ADDRESSES, down_unlocked, healed};
pub(crate) use definitions::folder as definitions_folder;
pub(crate) use facts::Facts;
