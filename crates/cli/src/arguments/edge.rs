//! `pilotage edge`: the edge itself, and what is asked of it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::{EdgeKubernetes, EdgeLeave, Selection, duration};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Edge {
    #[command(subcommand)]
    pub verb: Option<EdgeVerb>,
    #[command(flatten)]
    pub run: Option<EdgeRun>,
}

#[derive(Debug, Subcommand)]
pub enum EdgeVerb {
    /// Watch requests, failures and latencies by route and version
    Top(Top),
    /// Put a new edge in the place of the one that runs; no connection is refused or reset
    Reload(EdgeReload),
    /// Be the edge of a pod, with what its cluster says (started by the edge's Deployment)
    #[command(hide = true)]
    Kubernetes(EdgeKubernetes),
    /// Say that this pod's edge is about to end, and wait (run before it is stopped)
    #[command(hide = true)]
    Leave(EdgeLeave),
}

/// What the edge itself is started with.
#[derive(Debug, Args)]
pub struct EdgeRun {
    /// The control socket
    #[arg(long, value_name = "PATH")]
    pub socket: PathBuf,
    /// The folder of the last table
    #[arg(long, value_name = "FOLDER")]
    pub state_folder: PathBuf,
    /// Serve metrics and health here: on a port for this machine alone, or on an address with a port
    #[arg(long, value_name = "ADDRESS", value_parser = admin_address)]
    pub admin: Option<SocketAddr>,
    /// The admin address may be one that other machines reach
    #[arg(long, requires = "admin")]
    pub admin_anywhere: bool,
    /// Write a line of JSON for each request to this file, or to standard output (`-`)
    #[arg(long, value_name = "FILE")]
    pub access_log: Option<PathBuf>,
    /// Take the place of the edge that answers on the control socket
    #[arg(long, hide = true)]
    pub take_over: bool,
}

#[derive(Debug, Args)]
pub struct EdgeReload {
    /// The control socket of another edge than the project's
    #[arg(long, value_name = "PATH")]
    pub socket: Option<PathBuf>,
    /// The program to run as the new edge [default: the file that the edge was started from, as it is now]
    #[arg(long, value_name = "PATH")]
    pub executable: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Top {
    #[command(flatten)]
    pub selection: Selection,
    /// How often it looks, such as 500ms or 2s
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "1s")]
    pub interval: Duration,
    /// Look once, over one interval
    #[arg(long)]
    pub once: bool,
    /// The control socket of another edge than the project's
    #[arg(long, value_name = "PATH")]
    pub socket: Option<PathBuf>,
}

/// An address with a port, or a port alone, which is this machine's own.
fn admin_address(text: &str) -> Result<SocketAddr, String> {
    match text.parse::<u16>() {
        Ok(port) => Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port))),
        Err(_) => text.parse().map_err(|_| "neither a port nor an address such as 127.0.0.1:9180".to_owned()),
    }
}
