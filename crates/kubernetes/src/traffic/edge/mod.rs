//! The edge as pods of the cluster: exact weights, cohorts, copies and counters where there is no mesh.
//!
//! The Service of users leads to the edge's pods, at a port of the workload's own. What each pod is to serve stands in one
//! ConfigMap; a switch is one patch of it, and is done when every ready pod says that it has it in force. Which instances there
//! are, pods learn from Kubernetes itself ([`crate::edge`]).

#[cfg(test)]
mod cluster_tests;
mod counted;
mod in_force;
mod installation;
mod pods;
mod ports;
mod reach;
mod record;
mod route;
#[cfg(test)]
mod tests;
mod users;

pub(crate) use route::EdgeRoute;
