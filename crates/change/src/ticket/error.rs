//! Why it is not known what a ticket says.

use pilotage_fetch::TransportError;
use pilotage_spec::TicketKey;
use thiserror::Error;

/// Why it is not known what a ticket says; it is taken as not approved. None of these texts holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TicketError {
    /// No ticket of this kind of system is called so.
    #[error("`{key}` is not how {system} calls a ticket: write, for example, `{example}`")]
    Key {
        /// What was given.
        key: TicketKey,
        /// The kind of system.
        system: &'static str,
        /// How a ticket is called there.
        example: &'static str,
    },
    /// The token cannot be read, or cannot be sent.
    #[error("cannot sign in at {server}: {reason}")]
    SignIn {
        /// The server.
        server: String,
        /// Why, without the token.
        reason: String,
    },
    /// There is no answer.
    #[error("{server} cannot be reached: {reason}")]
    Unreachable {
        /// The server.
        server: String,
        /// Why.
        reason: String,
    },
    /// There is no whole answer in time.
    #[error("{server} is too slow: {reason}")]
    Slow {
        /// The server.
        server: String,
        /// How long was waited.
        reason: String,
    },
    /// The answer is longer than is read.
    #[error("{server} gives {reason}")]
    TooLong {
        /// The server.
        server: String,
        /// How long.
        reason: String,
    },
    /// The server does not know who asks, or does not let them read the ticket.
    #[error(
        "{server} refuses to show {key} (status {status}): is the token right, and may it read the ticket?"
    )]
    Refused {
        /// The server.
        server: String,
        /// The ticket.
        key: TicketKey,
        /// 401 or 403.
        status: u16,
    },
    /// There is no such ticket, or none that may be seen.
    #[error("{server} knows no ticket {key}")]
    NotFound {
        /// The server.
        server: String,
        /// The ticket.
        key: TicketKey,
    },
    /// The server points elsewhere, as it does to a page for signing in.
    #[error(
        "{server} answers with a redirect (status {status}), which is not followed: is `url` right, and a token set?"
    )]
    Redirect {
        /// The server.
        server: String,
        /// The status.
        status: u16,
    },
    /// Any other status that is not 200.
    #[error("{server} answers with status {status}")]
    Status {
        /// The server.
        server: String,
        /// The status.
        status: u16,
    },
    /// A page for people, or no JSON at all.
    #[error("{server} does not answer with JSON: {reason}; is `url` right, and a token set?")]
    NotJson {
        /// The server.
        server: String,
        /// What it looks like.
        reason: String,
    },
    /// Something that must be in the ticket is not.
    #[error("the ticket {key} does not say {what}: `{place}` is missing or empty")]
    Missing {
        /// The ticket.
        key: TicketKey,
        /// What should be there.
        what: &'static str,
        /// Where.
        place: String,
    },
    /// Something in the ticket is not what it should be.
    #[error("the ticket {key} cannot be understood: `{place}` is not {expected}")]
    Malformed {
        /// The ticket.
        key: TicketKey,
        /// Where.
        place: String,
        /// What should be there.
        expected: &'static str,
    },
    /// The answer is about another ticket, or about several.
    #[error("{server} was asked for {key} and answers about {answered}")]
    Other {
        /// The server.
        server: String,
        /// The ticket.
        key: TicketKey,
        /// What was answered.
        answered: String,
    },
}

impl TicketError {
    /// Whether asking again later may help, and nothing was said about the ticket.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Slow { .. } => true,
            Self::Status { status, .. } => *status == 429 || *status >= 500,
            _ => false,
        }
    }

    pub(crate) fn transport(server: &str, error: &TransportError) -> Self {
        let (server, reason) = (server.to_owned(), error.to_string());
        match error {
            TransportError::Timeout => Self::Slow { server, reason },
            TransportError::TooLong => Self::TooLong { server, reason },
            TransportError::Unreachable(_) => Self::Unreachable { server, reason },
        }
    }
}
