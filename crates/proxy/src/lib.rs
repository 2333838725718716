//! The data plane: listeners, routing table, balancing, draining, counters and the control socket.
//!
//! The edge knows nothing of deployments. It is handed whole routing tables, says when every worker uses them, and goes
//! on with the last one when nobody speaks to it.
//!
//! Start reading at [`run`], which is the whole process; `worker` is the path of a request.

mod client;
mod comparison;
mod control;
mod edge;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod http1;
mod http2;
mod message;
mod routing;
mod stats;
mod table;
mod telemetry;
mod tls;
mod worker;

pub use client::{EdgeClient, EdgeClientError};
pub use control::{
    AccessLogStats, ConnectionStats, EdgeStats, Identity, Replacement, Request, Response, RouteStats,
};
pub use edge::{EdgeConfig, EdgeError, Limits, run};
pub use routing::{CLIENT_COOKIE, CLIENT_HEADER, SECURE_CLIENT_COOKIE, split_point};
pub use stats::{Histogram, MirrorDifference, MirrorStats, VersionStats};
pub use table::{
    Address, AddressError, Certificate, ClientKey, Cohort, Condition, Ejection, Endpoint, FULL_WEIGHT,
    Listener, ListenerFault, Mirror, MirrorComparison, Network, NetworkError, Pool, Protocol, Retries, Route,
    RouteFault, RouteLimits, RoutingTable, Source, TableError, Test, Timeouts,
};
pub use telemetry::AccessLogTarget;
pub use tls::CertificateStatus;
