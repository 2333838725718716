//! What is compared, a file a case.

mod features;
mod grpc;
mod h2;
mod handshakes;
mod large;
mod latency;
mod memory;
mod side_by_side;
mod swap;
mod syscalls;
mod tcp;
mod unix;

use std::cell::Cell;
use std::fs;
use std::path::PathBuf;

use pilotage_testing::Part;
use tempfile::TempDir;

use crate::arguments::Plan;
use crate::fault::{During, Fault};
use crate::figure::Figure;
use crate::machine::{LOAD, pin_this_thread, raise_descriptor_limit};
use crate::servers::{Edge, Proxy, Setup, Upstream};

/// One comparison.
pub struct Case {
    pub name: &'static str,
    pub about: &'static str,
    /// The programs without which it is skipped.
    pub needs: &'static [Part],
    pub run: fn(&Bench) -> Result<Vec<Figure>, Fault>,
}

/// All cases.
pub const CASES: &[Case] = &[
    tcp::CASE,
    latency::CASE,
    unix::CASE,
    large::CASE,
    handshakes::CASE,
    h2::CASE,
    grpc::CASE,
    memory::CASE,
    features::CASE,
    swap::CASE,
];

/// What all cases share.
#[derive(Debug)]
pub struct Bench {
    pub plan: Plan,
    workplace: TempDir,
    folders: Cell<u32>,
}

impl Bench {
    /// Makes this process the load generator: on its processor, and with room for many connections.
    pub fn prepare(plan: Plan) -> Result<Self, Fault> {
        pin_this_thread(LOAD)?;
        raise_descriptor_limit()?;
        let workplace = tempfile::tempdir().during("making a folder")?;
        Ok(Self { plan, workplace, folders: Cell::new(0) })
    }

    /// A new folder.
    fn folder(&self) -> Result<PathBuf, Fault> {
        self.folders.set(self.folders.get() + 1);
        let path = self.workplace.path().join(self.folders.get().to_string());
        fs::create_dir(&path).during(path.display())?;
        Ok(path)
    }

    fn upstream(&self) -> Result<Upstream, Fault> {
        Upstream::start(&self.folder()?)
    }

    fn nginx(&self, setup: &Setup) -> Result<Proxy, Fault> {
        Proxy::nginx(&self.folder()?, setup)
    }

    fn haproxy(&self, setup: &Setup) -> Result<Proxy, Fault> {
        Proxy::haproxy(&self.folder()?, setup)
    }

    fn edge(&self, setup: &Setup) -> Result<Edge, Fault> {
        Edge::start(&self.folder()?, setup)
    }
}
