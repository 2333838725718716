//! The one layer in front of every route: who asks, and whether they may.
//!
//! `origin` is where a request comes from, `authentication` whose its credential is, `authorisation` whether the route that
//! was matched is for that caller; `layer` does the three in this order. What is not in the table of routes is not served, and
//! whatever cannot be found out is a refusal.

mod authentication;
mod authorisation;
mod directory;
mod hosts;
mod layer;
mod limits;
mod origin;
mod refusal;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

pub(crate) use authorisation::BODY_LIMIT_BYTES;
pub(crate) use layer::guard;
pub(crate) use origin::{Origin, owners, user_name};

use directory::Directories;
use limits::Limits;
use pilotage_access::oidc::Verifier;
use pilotage_access::{Caller, Credential, Tokens};
use pilotage_journal::{Journal, ReadError};
use pilotage_spec::Timestamp;

use crate::ServerConfig;
use crate::context::Context;
use crate::error::ErrorBody;
use directory::Current;

/// What is needed to know who asks. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Guard(Arc<Parts>);

struct Parts {
    directories: Directories,
    tokens: Tokens,
    verifier: Verifier,
    limits: Limits,
    /// Names under which clients reach the server over the network.
    hosts: Vec<String>,
    began: Instant,
}

impl Guard {
    /// Blocks for as long as the disk takes.
    pub(crate) fn new(config: &ServerConfig, journal: Journal) -> Result<Self, ReadError> {
        Ok(Self(Arc::new(Parts {
            directories: Directories::new(config.project_file.clone()),
            tokens: Tokens::open(journal)?,
            verifier: Verifier::default(),
            limits: Limits::default(),
            hosts: config.hosts.clone(),
            began: Instant::now(),
        })))
    }

    /// Who may do what, as the file says now.
    pub(crate) async fn current(&self) -> Result<Current, ErrorBody> {
        let parts = Arc::clone(&self.0);
        crate::context::blocking(move || Ok(parts.directories.current())).await
    }

    /// The tokens of this server.
    pub(crate) fn tokens(&self) -> &Tokens {
        &self.0.tokens
    }

    /// Whether the credential of somebody whose answer goes on still counts.
    pub(crate) fn still_counts(&self, caller: &Caller) -> bool {
        match &caller.credential {
            Credential::Token(id) | Credential::Session(id) => {
                self.0.tokens.get(id).is_some_and(|record| record.is_live(now()))
            }
            Credential::Peer | Credential::Workload => true,
        }
    }

    /// The time since this server began, which never goes back.
    fn elapsed(&self) -> Duration {
        self.0.began.elapsed()
    }
}

impl Context {
    /// The person who has signed in with an id token.
    pub(crate) async fn signed_in(
        &self,
        id_token: &str,
        nonce: &str,
    ) -> Result<pilotage_spec::PrincipalName, ErrorBody> {
        let Current { directory, .. } = self.guard.current().await?;
        let verifier = &self.guard.0.verifier;
        let person = verifier.person(id_token, nonce, &directory, now(), self.guard.elapsed()).await;
        person.map_err(|error| refusal::unauthenticated(error.to_string()))
    }
}

/// What time it is.
pub(crate) fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(since_epoch.as_micros().try_into().unwrap_or(i64::MAX))
}
