//! `pilotage edge` without a verb: this process is the edge.

use std::ffi::{OsStr, OsString};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use pilotage_proxy::{AccessLogTarget, EdgeConfig};

use pilotage_secrets::Known;

use crate::arguments::EdgeRun;
use crate::commands::internal::write_log;
use crate::failure::{DONE, Failure};

/// With it, an edge takes the place of the one that answers on the control socket.
const TAKE_OVER: &str = "--take-over";

/// Carries traffic until it is told to stop, or until another edge has taken its place.
pub fn run(asked: Option<EdgeRun>) -> Result<u8, Failure> {
    let Some(asked) = asked else {
        return Err(Failure::usage("what about the edge?").hint("see `pilotage edge --help`"));
    };
    let admin = asked.admin.map(|address| allowed(address, asked.admin_anywhere)).transpose()?;
    let mut config = EdgeConfig::new(asked.socket, asked.state_folder);
    config.admin = admin;
    config.access_log = asked.access_log.map(access_log);
    config.take_over = asked.take_over;
    config.successor = successor(std::env::args_os().skip(1).collect());
    write_log(&Known::default());
    pilotage_proxy::run(config).map_err(|error| Failure::failed(error.to_string()))?;
    Ok(DONE)
}

/// The arguments of the edge that takes this one's place: the same, and that it does so.
fn successor(mut own: Vec<OsString>) -> Vec<OsString> {
    if !own.iter().any(|argument| argument == OsStr::new(TAKE_OVER)) {
        own.push(TAKE_OVER.into());
    }
    own
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_edge_is_told_to_take_over_once() {
        let first = successor(vec!["edge".into(), "--socket".into(), "a".into()]);
        assert_eq!(first, ["edge", "--socket", "a", "--take-over"]);
        assert_eq!(successor(first.clone()), first);
    }
}
