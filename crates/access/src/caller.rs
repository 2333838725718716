//! Who asks, as the layer in front of every route has found out.

use pilotage_spec::{Identity, Verb};

use crate::{Permissions, TokenId};

/// By what somebody was recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// The user at the other end of the unix socket.
    Peer,
    /// An API token.
    Token(TokenId),
    /// A token that was given for signing in.
    Session(TokenId),
    /// An id token of a platform, for one of its jobs.
    Workload,
}

/// Who asks, and what they may. Made by the server alone.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who it is, with the roles that hold where the request acts.
    pub identity: Identity,
    /// What may be asked for.
    pub permissions: Permissions,
    /// By what it was recognised.
    pub credential: Credential,
}

impl Caller {
    /// Whether it may do something to a service in an environment.
    pub fn may(&self, verb: Verb, environment: &str, service: &str) -> bool {
        self.permissions.allows(verb, environment, service)
    }

    /// Whether somebody sits there, so that new credentials may be given out: by the socket or by having signed in, not by
    /// a token that may have leaked.
    pub fn is_present(&self) -> bool {
        matches!(self.credential, Credential::Peer | Credential::Session(_))
    }
}
