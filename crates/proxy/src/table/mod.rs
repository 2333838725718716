//! The routing table: what the control plane hands to the edge, whole, and the edge keeps on disk.

mod address;
mod limits;
mod listener;
mod route;
mod shaping;
mod socket;
#[cfg(test)]
mod tests;
mod validate;

use serde::{Deserialize, Serialize};

pub use address::{Address, AddressError};
pub use limits::{Ejection, Retries, RouteLimits, Timeouts};
pub use listener::{Certificate, Listener, Network, NetworkError};
pub use route::{Endpoint, Pool, Protocol, Route};
pub use shaping::{ClientKey, Cohort, Condition, Mirror, MirrorComparison, Source, Test};
pub use validate::{ListenerFault, RouteFault, TableError};

/// Weights are in hundredths of a percent; those of one route add up to this.
pub const FULL_WEIGHT: u32 = 10_000;

/// Everything the edge needs to know, replaced as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoutingTable {
    /// The version of this format; see [`RoutingTable::FORMAT`].
    pub format: u32,
    /// Rises with every table; a table with a lower epoch than the one in use is refused.
    pub epoch: u64,
    /// How addresses are served, for those that are not plain HTTP.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub listeners: Vec<Listener>,
    /// One entry for each served workload.
    pub routes: Vec<Route>,
}

impl RoutingTable {
    /// The format written by this version. It also reads 1, which has one route an address and none of the settings that
    /// have defaults here.
    ///
    /// A setting that has its default is left out: a table with a thousand routes is a third as long then. The defaults
    /// are therefore part of the format, and another default is another format.
    pub const FORMAT: u32 = 2;

    /// A table without routes.
    pub fn empty() -> Self {
        Self { format: Self::FORMAT, epoch: 0, listeners: Vec::new(), routes: Vec::new() }
    }

    /// Checks what the types cannot: format, ports, weights, and names that appear once.
    pub fn validate(&self) -> Result<(), TableError> {
        validate::table(self)
    }
}
