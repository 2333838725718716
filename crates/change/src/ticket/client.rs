//! Asking a ticket system.

use std::fmt;
use std::net::IpAddr;

use http::header::{ACCEPT, HeaderName, HeaderValue, USER_AGENT};
use http::{Request, StatusCode};
use pilotage_fetch::{Transport, described};
use pilotage_spec::{SecretSource, TicketKey, TicketKind, TicketSystem};
use serde_json::Value;

use super::error::TicketError;
use super::{Ticket, forge, jira, json, service_now, sign_in};

/// A ticket system that can be asked.
pub struct Tickets {
    pub(super) system: TicketSystem,
    /// Scheme, host and port: what may be said about the address.
    pub(super) server: String,
    authorization: Option<(HeaderName, HeaderValue)>,
    transport: Transport,
}

impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tickets").field("server", &self.server).finish_non_exhaustive()
    }
}

impl Tickets {
    /// A system, after its token has been read.
    ///
    /// # Errors
    /// Fails if the token cannot be read or sent, or TLS is wanted and this machine trusts nobody.
    pub fn new(
        system: &TicketSystem,
        read: impl FnOnce(&SecretSource) -> Result<String, String>,
    ) -> Result<Self, TicketError> {
        let server = server(&system.url);
        let fault = |reason| TicketError::SignIn { server: server.clone(), reason };
        if system.sign_in.is_some() && !is_private(&server) {
            return Err(fault("a token is sent over https only: write `https://` in its `url`".to_owned()));
        }
        let authorization = system
            .sign_in
            .as_ref()
            .map(|sign_in| sign_in::header(sign_in, read))
            .transpose()
            .map_err(fault)?;
        let transport = Transport::new(system.url.starts_with("https://"));
        let transport = transport.map_err(|error| TicketError::Unreachable {
            server: server.clone(),
            reason: error.to_string(),
        })?;
        Ok(Self { system: system.clone(), server, authorization, transport })
    }

    /// What a ticket says now.
    ///
    /// # Errors
    /// Fails if that is not known for certain: the ticket is to be taken as not approved then.
    pub async fn look(&self, key: &TicketKey) -> Result<Ticket, TicketError> {
        match &self.system.kind {
            TicketKind::Jira => jira::issue(self, key).await,
            TicketKind::ServiceManagement => jira::request(self, key).await,
            TicketKind::ServiceNow { approvals, conflicts } => {
                service_now::change(self, key, approvals, conflicts).await
            }
            TicketKind::GitHub => forge::github(self, key).await,
            TicketKind::GitLab => forge::gitlab(self, key).await,
            TicketKind::Json { state } => json::document(self, key, state).await,
        }
    }

    /// Whether a state is one of those that mean approval.
    pub(super) fn is_approved(&self, state: &str) -> bool {
        self.system.states.iter().any(|approved| same_word(approved, state))
    }

    /// The document at an address, asked about a ticket.
    pub(super) async fn document(
        &self,
        url: &str,
        key: &TicketKey,
        accept: &'static str,
    ) -> Result<Value, TicketError> {
        let server = || self.server.clone();
        let mut request = Request::get(url).header(ACCEPT, accept).header(USER_AGENT, "pilotage");
        if let Some((name, value)) = &self.authorization {
            request = request.header(name, value);
        }
        let request = request.body(http_body_util::Full::default()).map_err(|_| {
            TicketError::Unreachable { server: server(), reason: "its address cannot be used".to_owned() }
        })?;
        let answer = self
            .transport
            .send(request)
            .await
            .map_err(|error| TicketError::transport(&self.server, &error))?;
        let status = answer.status().as_u16();
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                return Err(TicketError::Refused { server: server(), key: key.clone(), status });
            }
            StatusCode::NOT_FOUND | StatusCode::GONE => {
                return Err(TicketError::NotFound { server: server(), key: key.clone() });
            }
            other if other.is_redirection() => {
                return Err(TicketError::Redirect { server: server(), status });
            }
            _ => return Err(TicketError::Status { server: server(), status }),
        }
        let body = answer.into_body();
        serde_json::from_slice(&body)
            .map_err(|_| TicketError::NotJson { server: server(), reason: described(&body) })
    }
}

/// Whether two words of a ticket system are the same: systems differ in how they write them, people too.
pub(super) fn same_word(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// Whether nobody on the way can read what is sent: over TLS, or within this machine.
fn is_private(server: &str) -> bool {
    let Some(host) = server.strip_prefix("http://") else { return true };
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// Scheme, host and port of an address: paths and queries may hold what is nobody's business.
fn server(url: &str) -> String {
    let end = url.find("://").map_or(0, |scheme| scheme + 3);
    let host = url[end..].find(['/', '?', '#']).map_or(url.len(), |length| end + length);
    url[..host].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_leaves_this_machine_over_tls_only() {
        for url in [
            "https://jira.shop.example/x",
            "http://127.0.0.1:8080/x",
            "http://localhost",
            "http://[::1]:80/x",
            "http://127.8.0.1",
        ] {
            assert!(is_private(&server(url)), "{url}");
        }
        for url in [
            "http://jira.shop.example/x",
            "http://10.0.0.1",
            "http://127.0.0.1.shop.example:80",
            "http://localhost.shop.example",
            "http://[::2]:80",
        ] {
            assert!(!is_private(&server(url)), "{url}");
        }
    }
}
