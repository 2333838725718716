//! Who calls: the kernel says the user's id, and `/etc/passwd` the name.

use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::serve::IncomingStream;
use pilotage_spec::{Identity, PrincipalName};
use tokio::net::UnixListener;

use crate::error::{ErrorBody, ErrorKind};

/// The user at the other end of a connection.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    uid: Option<u32>,
}

impl Connected<IncomingStream<'_, UnixListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        Self { uid: stream.io().peer_cred().ok().map(|credentials| credentials.uid()) }
    }
}

impl Peer {
    /// The user's name; `uid:NUMBER` for one without.
    pub(crate) fn name(&self) -> String {
        let Some(uid) = self.uid else { return "uid:unknown".to_owned() };
        let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        name_of(&users, uid).unwrap_or_else(|| format!("uid:{uid}"))
    }
}

impl Peer {
    /// Who that is.
    pub(crate) fn identity(&self) -> Result<Identity, ErrorBody> {
        let name = self.name().parse::<PrincipalName>()?;
        Ok(Identity::person(name))
    }
}

/// The users to whom the server belongs: whoever runs it, and root.
pub(crate) fn owners() -> Vec<PrincipalName> {
    let own = rustix::process::geteuid().as_raw();
    let names = [own, 0].map(|uid| Peer { uid: Some(uid) }.name());
    names.iter().filter_map(|name| name.parse().ok()).collect()
}

/// The name of a user in the text of `/etc/passwd`; passwd(5).
fn name_of(users: &str, uid: u32) -> Option<String> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let id: u32 = fields.nth(1)?.parse().ok()?;
        (id == uid && !name.is_empty()).then(|| name.to_owned())
    })
}

/// Lets through whom the server belongs to, and root.
pub(crate) async fn only_ours(
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
    next: Next,
) -> Response {
    let own = rustix::process::geteuid().as_raw();
    match peer.uid {
        Some(uid) if uid == own || uid == 0 => next.run(request).await,
        _ => ErrorBody::new(ErrorKind::Forbidden, "this server belongs to another user").into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_by_id() {
        let users = "root:x:0:0:root:/root:/bin/sh\n# odd\n:x:7:7:::\nanna:x:1000:1000::/home/anna:/bin/sh\n";
        assert_eq!(name_of(users, 0).as_deref(), Some("root"));
        assert_eq!(name_of(users, 1000).as_deref(), Some("anna"));
        assert_eq!(name_of(users, 7), None);
    }
}
