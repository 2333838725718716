//! The data plane: listeners, routing table, balancing, draining, counters and the control socket.
//!
//! The edge knows nothing of deployments. It is handed whole routing tables, says when every worker uses them, and goes
//! on with the last one when nobody speaks to it.

mod control;
mod stats;
mod table;

pub use control::{EdgeStats, Request, Response, RouteStats};
pub use stats::{Histogram, VersionStats};
pub use table::{Endpoint, FULL_WEIGHT, Pool, Route, RoutingTable, TableError};
