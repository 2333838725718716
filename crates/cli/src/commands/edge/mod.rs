//! `pilotage edge`: being an edge, and looking after one.

mod kubernetes;
mod leave;
mod reload;
mod renew;
mod run;

use std::path::PathBuf;

use crate::arguments::{EdgeVerb, Global};
use crate::failure::{DONE, Failure};
use crate::place::Place;
use crate::printer::Printer;
use crate::top;

pub use kubernetes::run as run_in_pod;
pub use renew::renew;
pub use run::run;

/// Looks after an edge that runs.
pub async fn ask(verb: &EdgeVerb, global: &Global, printer: &Printer) -> Result<u8, Failure> {
    match verb {
        EdgeVerb::Top(asked) => top::run(asked, global, printer).await,
        EdgeVerb::Reload(asked) => reload::run(asked, global, printer).await,
        EdgeVerb::Leave(asked) => leave::run(asked, printer).await,
        // It runs without the runtime of this command: see `run_in_pod`.
        EdgeVerb::Kubernetes(_) => Ok(DONE),
    }
}

/// The control socket of the edge that is meant: the one named, or that of the project.
fn socket(named: Option<&PathBuf>, global: &Global) -> Result<PathBuf, Failure> {
    match named {
        Some(socket) => Ok(socket.clone()),
        None => Ok(Place::find(global)?.edge_socket()),
    }
}
