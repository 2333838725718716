//! What two edges say to each other.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::control::Identity;
use crate::{CertificateStatus, EdgeStats, RoutingTable};

/// The version of this conversation. It has to be kept as it is for as long as edges of the version before may run: an
/// upgrade is a hand-over from one version to the next.
pub(in crate::edge) const FORMAT: u32 = 1;

/// What the new edge says, after its [`Request::TakeOver`](crate::Request::TakeOver).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "request")]
pub(super) enum Question {
    /// Send descriptors, beginning with this one; as many as fit into a message.
    Descriptors { from: usize },
    /// I accept connections and am ready to take the control socket.
    Serving { identity: Identity },
    /// I shall not take over.
    GiveUp { reason: String },
    /// What have you counted?
    Stats,
    /// Use this table for the requests that are left to you.
    Follow { table: RoutingTable },
    /// I am stopping: finish what you have within this time too.
    Stop {
        /// Milliseconds.
        grace_ms: u64,
    },
}

/// What the old edge says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "response")]
pub(super) enum Answer {
    /// All that there is to hand over.
    Offer {
        /// The old edge.
        identity: Identity,
        /// The table in use.
        table: RoutingTable,
        /// The address of each listening socket, in the order of their descriptors. Before these come
        /// [`OTHER_DESCRIPTORS`].
        addresses: Vec<SocketAddr>,
        /// The admin address. The descriptor of its socket comes last.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        admin: Option<SocketAddr>,
        /// The certificates in use.
        #[serde(default)]
        certificates: Vec<CertificateStatus>,
    },
    /// The place is yours.
    Yours {
        /// What was counted so far.
        stats: EdgeStats,
    },
    /// What was counted so far.
    Stats { stats: EdgeStats },
    /// The table is in use.
    Followed,
    /// It will have finished by then.
    Stopping,
    /// Nothing is left here, and this is what was counted. Comes unasked, and last.
    Drained { stats: EdgeStats },
    /// No; nothing has changed.
    Refused { reason: String },
}

/// How many descriptors come before those of the listeners: the lock of the state folder, the control socket, and a pipe
/// that holds the key for clients' cookies, which is not to stand in a message.
pub(super) const OTHER_DESCRIPTORS: usize = 3;
