//! `pilotage kubernetes`: objects for a cluster.

mod manifests;
mod rollout;

use crate::arguments::{Global, Kubernetes, KubernetesVerb};
use crate::failure::Failure;
use crate::printer::Printer;

/// Does what is asked about a cluster.
pub fn run(asked: &Kubernetes, global: &Global, printer: &Printer) -> Result<u8, Failure> {
    match &asked.verb {
        KubernetesVerb::Manifests(asked) => manifests::run(asked, printer),
        KubernetesVerb::Rollout(asked) => rollout::run(asked, global, printer),
    }
}
