//! Requests to an edge, and its answers.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::line::{RequestLine, ResponseLine};
use crate::RoutingTable;
use crate::stats::VersionStats;
use crate::tls::CertificateStatus;

/// What the control plane asks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "request", try_from = "RequestLine")]
pub enum Request {
    /// Use this table from now on. Answered when every worker uses it.
    Apply {
        /// The new table.
        table: RoutingTable,
    },
    /// Say which table is in use.
    Table,
    /// Say what has been counted since the edge started.
    Stats,
    /// Who are you?
    Identify,
    /// Start another edge, which takes this one's place, and finish what is in flight here. Answered when the other one
    /// serves.
    Reload {
        /// The program to start; if none is named, the file this edge was started from, as it is now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        executable: Option<PathBuf>,
    },
    /// Hand everything over to the edge that asks. What follows on the connection is between the two.
    TakeOver {
        /// The version of their conversation.
        format: u32,
    },
    /// Stop: accept nothing new, finish what is in flight for at most this long.
    Shutdown {
        /// Milliseconds.
        grace_ms: u64,
    },
}

/// What the edge answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "response", try_from = "ResponseLine")]
pub enum Response {
    /// The table with this epoch is in use by every worker, and on disk.
    Applied {
        /// The table's epoch.
        epoch: u64,
    },
    /// The table in use.
    Table {
        /// The table.
        table: RoutingTable,
    },
    /// The counters.
    Stats {
        /// The counters.
        stats: EdgeStats,
    },
    /// Who the edge is.
    Identity {
        /// Its process, version and start.
        #[serde(flatten)]
        identity: Identity,
    },
    /// Another edge serves in its place.
    Reloaded {
        /// What was replaced by what.
        #[serde(flatten)]
        replacement: Replacement,
    },
    /// It stops now.
    ShuttingDown,
    /// The request was refused; nothing has changed.
    Refused {
        /// Why.
        reason: String,
    },
}

/// Who an edge is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Its process id.
    pub pid: u32,
    /// The version of the binary.
    pub version: String,
    /// When its counters began at zero, in microseconds since the epoch: when it started, or, if it has taken over from
    /// another edge, when that one's did.
    pub started_micros: i64,
}

/// One edge in the place of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replacement {
    /// The edge that was replaced.
    pub from: Identity,
    /// The edge that serves now.
    pub to: Identity,
    /// How many addresses were handed over.
    pub addresses: usize,
    /// How many connections were left to the replaced one.
    pub connections: u64,
    /// How long it lets them finish at most, in milliseconds.
    pub grace_ms: u64,
}

/// Everything counted since the edge started, including what the edges before it had counted if it has taken over from
/// them. Counters only rise.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EdgeStats {
    /// When the counters began at zero, in microseconds since the epoch: tells a restart from a counter that stands still.
    pub started_micros: i64,
    /// The epoch of the table in use.
    pub epoch: u64,
    /// By route, then by version.
    pub routes: BTreeMap<String, RouteStats>,
    /// What concerns no route.
    #[serde(default)]
    pub connections: ConnectionStats,
    /// Lines of the access log.
    #[serde(default)]
    pub access_log: AccessLogStats,
    /// The certificates of the table in use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<CertificateStatus>,
}

/// What was counted of client connections.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionStats {
    /// Open now.
    pub open: u64,
    /// Accepted since the edge started.
    pub accepted: u64,
    /// TLS handshakes that failed.
    pub failed_handshakes: u64,
    /// Requests refused because they could not be read, or could be read in two ways, or belong to no route.
    pub refused_requests: u64,
}

/// What became of lines of the access log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessLogStats {
    /// Written.
    pub written: u64,
    /// Dropped because the log could not keep up.
    pub dropped: u64,
}

/// The counters of one route.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RouteStats {
    /// By version. One that is no longer in the table stays here until it has had nothing in flight for an hour.
    pub versions: BTreeMap<String, VersionStats>,
    /// Requests that no version could take, answered by the edge itself with 503: dropped by us. A request that was
    /// sent to a version and failed there (502, 504) counts as `broken` of that version, never here.
    pub unserved: u64,
    /// Requests that the edge answered itself because a limit of the route was reached: 413, or 503 from a full queue.
    #[serde(default)]
    pub refused: u64,
    /// Requests that wait now, for an instance to come or to have room.
    #[serde(default)]
    pub waiting: u64,
}
