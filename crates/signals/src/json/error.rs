//! Why a document said no number.

use std::time::Duration;

use thiserror::Error;

/// Why a JSON document says no number. Messages name the address without its query, and never the token.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum JsonError {
    /// The address cannot be used.
    #[error("the URL `{url}` cannot be used: {reason}")]
    Url {
        /// The address, without user, password and query.
        url: String,
        /// What is wrong and what to do.
        reason: &'static str,
    },
    /// The token cannot be sent.
    #[error(
        "the metric's token holds characters that a header cannot carry; look for a line break in its source"
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
    /// The address is none once the names are put in.
    #[error("the URL `{url}` cannot be asked: {reason}")]
    Address {
        /// The address.
        url: String,
        /// Why.
        reason: String,
    },
    /// No connection.
    #[error("cannot reach {url}: {reason}")]
    Unreachable {
        /// The address.
        url: String,
        /// Why.
        reason: String,
    },
    /// No whole answer in time.
    #[error("{url} did not answer within {after:?}")]
    Timeout {
        /// The address.
        url: String,
        /// How long it was waited.
        after: Duration,
    },
    /// It wants to know who asks.
    #[error("{url} refused the request ({status}); check the `token` of this metric")]
    Unauthorized {
        /// The address.
        url: String,
        /// 401 or 403.
        status: u16,
    },
    /// It points elsewhere, where neither a token nor a question is sent unasked.
    #[error(
        "{url} redirects ({status}) to {to}, which is not followed; if that is right, write that address"
    )]
    Redirected {
        /// The address.
        url: String,
        /// The HTTP status.
        status: u16,
        /// Where to, without its query.
        to: String,
    },
    /// It answered with another status than success.
    #[error("{url} answered {status} where 200 is wanted")]
    Status {
        /// The address.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// More than is read.
    #[error("the answer of {url} is longer than 1 MiB; point to a smaller document")]
    TooLong {
        /// The address.
        url: String,
    },
    /// The answer is something else.
    #[error("the answer of {url} is not JSON: {reason}")]
    NotJson {
        /// The address.
        url: String,
        /// What was found instead.
        reason: String,
    },
    /// The document has nothing at that place.
    #[error("there is nothing at `{pointer}` in the document; {instead}")]
    Missing {
        /// The place.
        pointer: String,
        /// What is there instead.
        instead: String,
    },
    /// Something else than a number is there.
    #[error("at `{pointer}` there is {found} where a number is wanted")]
    NotANumber {
        /// The place.
        pointer: String,
        /// What is there.
        found: &'static str,
    },
}
