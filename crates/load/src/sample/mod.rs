//! A sample service whose faults are settings: what a deployment tool meets in the field, on demand. It speaks HTTP/1.1,
//! HTTP/2 by prior knowledge, gRPC and WebSockets, on one port or unix socket.
//!
//! | path | answer |
//! |---|---|
//! | `/` | `{version, instance, request}` |
//! | `/health`, `/ready` | for probes |
//! | `/slow?ms=N` | as `/`, after so many milliseconds |
//! | `POST /echo` | what it was sent |
//! | `POST /upload` | `{bytes, sha256, trailers}` of what it was sent, of any size |
//! | `/trailers` | pieces, then the digest of all as a trailer |
//! | `/events?count=N&ms=N` | server-sent events with pauses between them |
//! | `/websocket` | an echo; closed with 1001 when the service stops |
//! | [`GRPC_SERVICE`] | see there |

mod answer;
mod body;
mod connection;
mod events;
mod flood;
mod grpc;
mod listener;
mod rewound;
mod serve;
mod settings;
mod tasks;
mod trailers;
mod upload;
mod websocket;

pub use grpc::SERVICE as GRPC_SERVICE;
pub use serve::{SampleError, SampleService, run};
pub use settings::{SampleSettings, SettingsError};

/// The response header with which the sample service marks a failure as its own.
pub const FAILURE_HEADER: &str = "sample-failure";

/// The trailer of `/trailers`.
pub const DIGEST_TRAILER: &str = "sample-sha256";

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
