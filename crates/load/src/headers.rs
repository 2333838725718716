//! The header names that the load generator, the sample service and the edge have in common.

/// The request header that carries the stable id of a client.
pub const CLIENT_HEADER: &str = "x-client-id";

/// The cookie that carries the stable id of a client.
pub const CLIENT_COOKIE: &str = "pilotage-client";

/// The response header with which the edge names the version that answered.
pub const VERSION_HEADER: &str = "pilotage-version";

/// The response header with which the sample service marks a failure as its own.
pub const SAMPLE_FAILURE_HEADER: &str = "sample-failure";
