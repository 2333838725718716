//! Why a table is refused.

use std::net::SocketAddr;

use thiserror::Error;

use crate::FULL_WEIGHT;

/// Why a table is refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TableError {
    /// Written by a newer Pilotage.
    #[error("routing table format {found} is not known here; this edge reads formats up to {known}")]
    Format {
        /// The format of the table.
        found: u32,
        /// The newest one this edge reads.
        known: u32,
    },
    /// Two routes or listeners of the same name, or two routes for the same requests.
    #[error("{what} `{name}` appears twice")]
    Duplicate {
        /// What appears twice.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// A route that cannot be used.
    #[error("route `{route}`: {fault}")]
    Route {
        /// The route's name.
        route: String,
        /// What is wrong with it.
        fault: RouteFault,
    },
    /// A listener that cannot be used.
    #[error("listener {address}: {fault}")]
    Listener {
        /// The listener's address.
        address: SocketAddr,
        /// What is wrong with it.
        fault: ListenerFault,
    },
}

/// What is wrong with a route, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RouteFault {
    /// Each worker would listen on a port of its own.
    #[error("it listens on port 0; choose a port before handing the table to the edge")]
    Port,
    /// The weights do not add up.
    #[error("the weights add up to {sum}, not to {FULL_WEIGHT}")]
    Weights {
        /// The sum found.
        sum: u64,
    },
    /// The version goes into a response header.
    #[error("version {version:?} has characters that a header cannot carry; leave them out")]
    Version {
        /// The version.
        version: String,
    },
    /// Two pools of a version, or two cohorts of a name.
    #[error("{what} `{name}` appears twice; leave one out")]
    Duplicate {
        /// What appears twice.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// A host that no request can ask for.
    #[error("host `{host}` {why}")]
    Host {
        /// The host.
        host: String,
        /// What is wrong with it, and what to do.
        why: &'static str,
    },
    /// A path that no request can have, or that could be read in two ways.
    #[error("path `{path}` {why}")]
    Path {
        /// The path.
        path: String,
        /// What is wrong with it, and what to do.
        why: &'static str,
    },
    /// A version that has no pool.
    #[error("{by} sends requests to version `{version}`, which the route does not have; add a pool for it")]
    UnknownVersion {
        /// Which cohort, or the mirror.
        by: String,
        /// The version.
        version: String,
    },
    /// More than everybody.
    #[error("the share of {by} is {share}; at most {FULL_WEIGHT} hundredths of a percent are everybody")]
    Share {
        /// Which cohort, or the mirror.
        by: String,
        /// The share.
        share: u32,
    },
    /// A cohort without conditions is everybody.
    #[error("cohort `{cohort}` has no conditions; name one, or use the weights for a part of everybody")]
    NoCondition {
        /// The cohort's name.
        cohort: String,
    },
    /// The version that gets the copies gets all requests anyway.
    #[error("version `{version}` would get copies of its own requests; mirror to another version")]
    MirrorsItself {
        /// The version.
        version: String,
    },
    /// Nothing in a body that a pointer leads to.
    #[error(
        "`{pointer}` leads nowhere in a body; begin with `/`, write `~1` for a `/` in a key and `~0` for a `~`, such as \
         `/items/*/id`"
    )]
    Pointer {
        /// The pointer, as it was written.
        pointer: String,
    },
    /// A name that no request can have.
    #[error("{what} `{name}` cannot be in a request; {mend}")]
    Name {
        /// What it names.
        what: &'static str,
        /// The name.
        name: String,
        /// What to do.
        mend: &'static str,
    },
    /// A key that is never looked at.
    #[error("a client always has an address, so no key after it is ever looked at; put `address` last")]
    KeyAfterAddress,
    /// A setting that would leave nothing working.
    #[error("{setting} is 0, so that nothing would ever be served; {mend}")]
    Zero {
        /// Where it is in the route.
        setting: &'static str,
        /// What to do.
        mend: &'static str,
    },
    /// More than all.
    #[error("{setting} is {percent}; at most 100 of a hundred can be asked for")]
    Percent {
        /// Where it is in the route.
        setting: &'static str,
        /// The value.
        percent: u32,
    },
    /// A time so long that the clock cannot hold it.
    #[error("{setting} is {ms} ms; the longest time is 366 days, 31622400000 ms")]
    TooLong {
        /// Where it is in the route.
        setting: &'static str,
        /// The value in milliseconds.
        ms: u64,
    },
}

/// What is wrong with a listener, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ListenerFault {
    /// Each worker would listen on a port of its own.
    #[error("port 0 is any port; choose one before handing the table to the edge")]
    Port,
    /// A redirect from an encrypted address to another.
    #[error("it has certificates and redirects to https too; leave out the certificates or the redirect")]
    EncryptedRedirect,
    /// A redirect to nowhere.
    #[error("it redirects to https on port 0; name the port that clients reach, usually 443")]
    RedirectPort,
    /// A redirect to itself.
    #[error(
        "it redirects to https on its own port, where it is not spoken; name the port of the encrypted address"
    )]
    RedirectToItself,
    /// A file that depends on where the edge was started.
    #[error("`{file}` is not an absolute path; name it from the root, as the edge has no folder of its own")]
    RelativeFile {
        /// The file.
        file: String,
    },
}
