//! What load to send.

use std::net::SocketAddr;
use std::time::Duration;

/// When requests are sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pacing {
    /// On schedule, whether or not earlier requests came back; latency counts from the scheduled time, so that a stall
    /// is seen by every request that it would have met.
    Open {
        /// How many.
        requests_per_second: f64,
    },
    /// Each connection sends its next request when it has the answer to the one before: as fast as the other side can.
    Closed,
}

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traffic {
    /// Requests over HTTP/1.1, one at a time on each connection.
    Http1,
    /// Requests over HTTP/2 by prior knowledge.
    Http2 {
        /// How many at a time on each connection.
        streams: usize,
    },
    /// Calls of the sample's gRPC method `Unary`.
    GrpcUnary {
        /// How many at a time on each connection.
        streams: usize,
    },
    /// Calls of the sample's gRPC method `BidiStream`. Each message counts as a request, and its echo as the answer; that
    /// of the last one is whole when the call has ended well.
    GrpcStream {
        /// How many at a time on each connection.
        streams: usize,
        /// How many messages and pauses a call has.
        session: Session,
    },
    /// WebSockets, one on each connection, to the sample's echo. Each message counts as a request, and its echo as the
    /// answer.
    WebSocket {
        /// How many messages and pauses one has.
        session: Session,
    },
}

/// A conversation of many messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// How many messages, at least 1.
    pub messages: u64,
    /// How long the client is silent between an answer and its next message.
    pub pause: Duration,
}

/// The load to send to one address. [`LoadPlan::open`] and [`LoadPlan::closed`] fill in the rest.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadPlan {
    /// Where to.
    pub address: SocketAddr,
    /// The `Host` header.
    pub host: String,
    /// What is sent.
    pub traffic: Traffic,
    /// What is asked for by GET.
    pub path: String,
    /// When requests are sent.
    pub pacing: Pacing,
    /// Connections that are kept open. With [`Pacing::Open`], more are opened for HTTP/1.1 while all of these are busy.
    pub connections: usize,
    /// Simulated clients. Every second one has an id of its own in a header; the others send back the cookie they got.
    pub clients: u64,
    /// The share of requests that are POST, 0 to 1. This and what follows on POST is for requests, not for gRPC and
    /// WebSockets.
    pub post_share: f64,
    /// Where POST requests go.
    pub post_path: String,
    /// The size of the body of a POST, in bytes.
    pub post_bytes: usize,
    /// The share of the POST requests whose body is sent slowly, 0 to 1.
    pub slow_upload_share: f64,
    /// How long a slow body takes.
    pub slow_upload: Duration,
    /// The share of requests over HTTP/1.1 that use a connection of their own, closed after it, 0 to 1.
    pub new_connection_share: f64,
    /// A request without a whole answer after this time is dropped.
    pub timeout: Duration,
    /// Requests due while so many are in flight are not sent, and counted as such.
    pub max_in_flight: usize,
    /// What clients do over HTTP/1.1 (RFC 9110, section 9.2.2): when a connection that was used before turns out to be closed, a
    /// GET, or a request of which nothing was sent, is sent once more on a new connection. Counted.
    pub resend: bool,
    /// The load ends by itself after this time.
    pub duration: Option<Duration>,
    /// The load ends by itself after so many requests.
    pub requests: Option<u64>,
    /// Which client sends which request follows from this number.
    pub seed: u64,
}

impl LoadPlan {
    /// GET requests for `/` at a constant rate from 1,000 clients over 32 connections.
    pub fn open(address: SocketAddr, requests_per_second: f64) -> Self {
        Self {
            address,
            host: address.to_string(),
            traffic: Traffic::Http1,
            path: "/".to_owned(),
            pacing: Pacing::Open { requests_per_second },
            connections: 32,
            clients: 1_000,
            post_share: 0.0,
            post_path: "/echo".to_owned(),
            post_bytes: 1_024,
            slow_upload_share: 0.0,
            slow_upload: Duration::from_millis(500),
            new_connection_share: 0.0,
            timeout: Duration::from_secs(10),
            max_in_flight: 4_096,
            resend: true,
            duration: None,
            requests: None,
            seed: 1,
        }
    }

    /// GET requests for `/` over so many connections, each as fast as it is answered; or other traffic.
    pub fn closed(address: SocketAddr, connections: usize) -> Self {
        Self { pacing: Pacing::Closed, connections, ..Self::open(address, 0.0) }
    }
}
