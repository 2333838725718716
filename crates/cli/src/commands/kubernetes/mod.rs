//! `pilotage kubernetes`: what Pilotage needs in a cluster.

mod manifests;

use crate::arguments::{Kubernetes, KubernetesVerb};
use crate::failure::Failure;
use crate::printer::Printer;

/// Does what is asked about a cluster.
pub fn run(asked: &Kubernetes, printer: &Printer) -> Result<u8, Failure> {
    match &asked.verb {
        KubernetesVerb::Manifests(asked) => manifests::run(asked, printer),
    }
}
