//! Why Prometheus did not say a number.

use std::time::Duration;

use thiserror::Error;

/// Why a question to Prometheus has no answer. Messages name the server and never the token.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PrometheusError {
    /// The address cannot be used.
    #[error("the Prometheus URL `{url}` cannot be used: {reason}")]
    Url {
        /// The address, without user and password.
        url: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// The token cannot be sent.
    #[error(
        "the Prometheus token holds characters that a header cannot carry; look for a line break in its source"
    )]
    Token,
    /// The machine has no certificates to check the server's with.
    #[error(
        "no trusted certificates were found on this machine: {reason}; install the package ca-certificates"
    )]
    NoRoots {
        /// Why.
        reason: String,
    },
    /// No connection.
    #[error("cannot reach Prometheus at {url}: {reason}")]
    Unreachable {
        /// The server.
        url: String,
        /// Why.
        reason: String,
    },
    /// No whole answer in time.
    #[error("Prometheus at {url} did not answer within {after:?}")]
    Timeout {
        /// The server.
        url: String,
        /// How long it was waited.
        after: Duration,
    },
    /// It wants to know who asks.
    #[error(
        "Prometheus at {url} refused the request ({status}); check the `token` of this environment's prometheus"
    )]
    Unauthorized {
        /// The server.
        url: String,
        /// 401 or 403.
        status: u16,
    },
    /// It answered with another status that means failure.
    #[error("Prometheus at {url} answered {status}{}", .reason.as_ref().map(|r| format!(": {r}")).unwrap_or_default())]
    Status {
        /// The server.
        url: String,
        /// The HTTP status.
        status: u16,
        /// What it said, if that could be read.
        reason: Option<String>,
    },
    /// Something else listens there.
    #[error("what answers at {url} is not a Prometheus: {reason}; check the URL")]
    NotPrometheus {
        /// The server.
        url: String,
        /// What was found instead.
        reason: String,
    },
    /// The query is not one that can be asked.
    #[error("the query cannot be asked: {reason}")]
    Query {
        /// What is wrong with it, mostly in the words of Prometheus.
        reason: String,
    },
    /// A query that yields more than one number.
    #[error(
        "the query yields {rows} series where one is wanted (for example {examples}); wrap it in sum(…) or max(…)"
    )]
    ManyRows {
        /// How many.
        rows: usize,
        /// In what the first two differ.
        examples: String,
    },
    /// A query that yields something other than numbers of this moment.
    #[error("the query yields a {found} where one number is wanted")]
    NotANumber {
        /// What it yields, in Prometheus's words: `matrix` or `string`.
        found: String,
    },
    /// NaN or an infinity, as from a division by zero: there is no number to judge.
    #[error("the query yields {value}, as a division by zero does; there is nothing to judge yet")]
    NotFinite {
        /// `NaN`, `+Inf` or `-Inf`.
        value: String,
    },
}
