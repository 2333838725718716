//! Our edge, in a process of its own: a copy of the bench's executable, which is an edge when it is told so.

use std::fs;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use pilotage_proxy::{
    Certificate, EdgeClient, EdgeConfig, EdgeStats, Endpoint, FULL_WEIGHT, Listener, Pool, Route,
    RoutingTable,
};
use tokio::runtime::Runtime;

use super::{Proxy, Setup};
use crate::fault::{During, Fault};
use crate::machine::{PROXY, Program, free_address};

/// The word with which the executable becomes an edge; the folder of its files follows.
pub const EDGE_ROLE: &str = "edge";

/// The name of the route that carries the load.
pub const ROUTE: &str = "bench/web";

/// A running edge, and the way to tell it what to do.
#[derive(Debug)]
pub struct Edge {
    pub proxy: Proxy,
    client: EdgeClient,
    runtime: Runtime,
}

impl Edge {
    /// Starts an edge with one worker and one route to one version.
    pub fn start(folder: &Path, setup: &Setup) -> Result<Self, Fault> {
        let edge = Self::start_without_table(folder)?;
        let pool = pool("1.0.0", FULL_WEIGHT, setup);
        let mut table = RoutingTable {
            epoch: 1,
            routes: vec![route(edge.proxy.address, vec![pool])],
            ..RoutingTable::empty()
        };
        if let Some(files) = &setup.certificate {
            let certificate = Certificate { chain: files.chain.clone(), key: files.key.clone() };
            let plain = Listener::plain(edge.proxy.address);
            table.listeners.push(Listener { certificates: vec![certificate], ..plain });
        }
        edge.apply(table)?;
        Ok(edge)
    }

    /// Starts an edge with one worker that serves nothing yet; [`Proxy::address`] is free for it.
    pub fn start_without_table(folder: &Path) -> Result<Self, Fault> {
        let address = free_address()?;
        let mut command = Command::new(own_copy(folder)?);
        command.arg(EDGE_ROLE).arg(folder);
        let mut program = Program::start("the edge", PROXY, folder, command)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.during("starting a runtime")?;
        let mut client = None;
        program.wait_until(|| {
            client = runtime.block_on(EdgeClient::connect(socket(folder))).ok();
            client.is_some()
        })?;
        let client = client.ok_or_else(|| Fault::new("the edge cannot be spoken to"))?;
        Ok(Self { proxy: Proxy { name: "edge".to_owned(), address, program }, client, runtime })
    }

    /// Gives it another name, to tell it from one with another table.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.proxy = self.proxy.named(name);
        self
    }

    /// Hands a table over, and returns when it is in use.
    pub fn apply(&self, table: RoutingTable) -> Result<(), Fault> {
        self.runtime.block_on(self.client.apply(table)).during("handing over a table").map(|_| ())
    }

    /// What the edge has counted.
    pub fn stats(&self) -> Result<EdgeStats, Fault> {
        self.runtime.block_on(self.client.stats()).during("reading the edge's counters")
    }
}

/// The route that carries the load.
pub fn route(address: SocketAddr, pools: Vec<Pool>) -> Route {
    Route { pools, ..Route::new(ROUTE, address) }
}

/// A version of the service with one instance.
pub fn pool(version: &str, weight: u32, setup: &Setup) -> Pool {
    let endpoint = Endpoint { instance: format!("web-{version}"), address: setup.upstream.clone() };
    Pool { version: version.to_owned(), weight, protocol: setup.upstream_protocol, endpoints: vec![endpoint] }
}

/// The life of the process that is the edge.
pub fn serve(folder: &Path) -> Result<(), Fault> {
    let config = EdgeConfig {
        workers: NonZeroUsize::MIN,
        grace: Duration::from_secs(1),
        ..EdgeConfig::new(socket(folder), folder.join("state"))
    };
    pilotage_proxy::run(config).during("the edge")
}

/// A copy of this program: with the same file, the edge would share its pages with the bench, and seem smaller than it is.
fn own_copy(folder: &Path) -> Result<PathBuf, Fault> {
    let copy = folder.join("edge");
    let own = std::env::current_exe().during("looking for this program")?;
    fs::copy(own, &copy).during(copy.display())?;
    Ok(copy)
}

fn socket(folder: &Path) -> PathBuf {
    folder.join("edge.sock")
}
