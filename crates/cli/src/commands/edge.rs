//! `pilotage edge`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use pilotage_proxy::{AccessLogTarget, EdgeConfig};

use super::internal::write_log;
use crate::arguments::{EdgeRun, EdgeVerb, Global};
use crate::failure::{DONE, Failure};
use crate::printer::Printer;
use crate::top;

/// Asks the edge something.
pub async fn ask(verb: &EdgeVerb, global: &Global, printer: &Printer) -> Result<u8, Failure> {
    match verb {
        EdgeVerb::Top(asked) => top::run(asked, global, printer).await,
    }
}

/// Carries traffic until it is told to stop.
pub fn run(asked: Option<EdgeRun>) -> Result<u8, Failure> {
    let Some(asked) = asked else {
        return Err(Failure::usage("what about the edge?").hint("see `pilotage edge --help`"));
    };
    let admin = asked.admin.map(|address| allowed(address, asked.admin_anywhere)).transpose()?;
    let mut config = EdgeConfig::new(asked.socket, asked.state_folder);
    config.admin = admin;
    config.access_log = asked.access_log.map(access_log);
    write_log();
    pilotage_proxy::run(config).map_err(|error| Failure::failed(error.to_string()))?;
    Ok(DONE)
}

/// Metrics name services and versions, and nobody is asked who they are: other machines see them only if that is meant.
fn allowed(address: SocketAddr, anywhere: bool) -> Result<SocketAddr, Failure> {
    if anywhere || address.ip().to_canonical().is_loopback() {
        return Ok(address);
    }
    let message = format!("the admin address {address} can be reached from other machines");
    Err(Failure::usage(message).hint(format!(
        "--admin {} is for this machine alone; add --admin-anywhere if others are meant to read it",
        address.port()
    )))
}

fn access_log(path: PathBuf) -> AccessLogTarget {
    if path == Path::new("-") { AccessLogTarget::Stdout } else { AccessLogTarget::File(path) }
}
