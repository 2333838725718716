//! What Pilotage itself needs in a cluster: the control plane, and the edge in front of users' pods.
//!
//! The objects are made in one place. The control plane applies those of the edge, `pilotage kubernetes manifests` prints all of
//! them, and what lies in `deploy/` is printed by it.

mod chart;
mod edge;
mod pod;
mod rules;
mod server;
#[cfg(test)]
mod tests;
mod yaml;

pub use chart::{ChartFile, chart_files};
pub(crate) use edge::{EDGE_NAME, INSTALLED_BY, INSTALLED_BY_US, edge_labels};
pub use edge::{EdgeInstall, edge_objects};
pub use rules::{Rule, server_rules};
pub use server::{ServerInstall, server_objects};
pub use yaml::to_yaml;

/// Objects as one YAML stream, in the order in which they are to be applied.
pub fn manifests(objects: &[serde_json::Value]) -> String {
    objects.iter().map(|object| format!("---\n{}", to_yaml(object))).collect()
}
