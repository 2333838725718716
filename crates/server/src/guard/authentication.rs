//! Whose a credential is. One that is given and wrong is an error: who sits at the socket does not stand in for it.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use pilotage_access::{Caller, Credential, Directory, Permissions, TokenKind, TokenRecord, TokenText};
use pilotage_spec::{Identity, PrincipalName};

use super::directory::Current;
use super::refusal::{Refusal, forbidden, unauthenticated};
use super::{Guard, Origin, now, user_name};
use crate::error::ErrorBody;

impl Guard {
    /// Who asks. Wrong credentials are counted, and looked at only so often.
    pub(super) async fn authenticate(&self, origin: &Origin, headers: &HeaderMap) -> Result<Caller, Refusal> {
        let (limits, source) = (&self.0.limits, origin.source());
        if !headers.contains_key(AUTHORIZATION) {
            let known = self.peer(origin).await;
            if known.is_err() {
                limits.unknown(source, self.elapsed())?;
            }
            return Ok(known?);
        }
        limits.may_try(source, self.elapsed())?;
        let known = match bearer(headers) {
            Ok(token) => self.bearer(token).await,
            Err(error) => Err(error),
        };
        if known.is_err() {
            limits.failed(source, self.elapsed())?;
        }
        Ok(known?)
    }

    /// Somebody without a credential: over the socket, who sits there.
    async fn peer(&self, origin: &Origin) -> Result<Caller, ErrorBody> {
        let Origin::Socket(uid) = origin else {
            return Err(unauthenticated("over the network, every request needs a token"));
        };
        let user = uid.and_then(user_name).ok_or_else(|| forbidden("the kernel does not say who calls"))?;
        let Current { directory, .. } = self.current().await?;
        let stranger = || forbidden(format!("the user `{user}` is nobody who may do anything here"));
        let principal = directory.peer(&user).ok_or_else(stranger)?;
        caller(&directory, &principal, Credential::Peer).ok_or_else(stranger)
    }

    async fn bearer(&self, token: &str) -> Result<Caller, ErrorBody> {
        let current = self.current().await?;
        if token.starts_with("plt_") {
            return self.token(token, &current);
        }
        let verifier = &self.0.verifier;
        let principal = verifier.workload(token, &current.directory, now(), self.elapsed()).await;
        let principal = principal.map_err(|error| unauthenticated(error.to_string()))?;
        caller(&current.directory, &principal, Credential::Workload).ok_or_else(gone)
    }

    fn token(&self, token: &str, current: &Current) -> Result<Caller, ErrorBody> {
        let token: TokenText =
            token.parse().map_err(|error| unauthenticated(format!("this is not a token: {error}")))?;
        let project = current.project.as_ref().ok_or_else(gone)?;
        let record = self.tokens().check(&token, project, now());
        let record = record.map_err(|error| unauthenticated(error.to_string()))?;
        // Only a principal of the file: without `access`, tokens count for nothing.
        let directory = Some(&current.directory).filter(|directory| directory.has(&record.principal));
        directory.and_then(|directory| of_token(directory, record)).ok_or_else(gone)
    }
}

/// Whoever a token was issued to is not there any more.
fn gone() -> ErrorBody {
    unauthenticated("whoever this token was issued to is not in the file any more")
}

fn of_token(directory: &Directory, record: TokenRecord) -> Option<Caller> {
    let credential = match record.kind {
        TokenKind::Api => Credential::Token(record.id),
        TokenKind::Session => Credential::Session(record.id),
    };
    let mut caller = caller(directory, &record.principal, credential)?;
    caller.permissions = caller.permissions.within(record.scope);
    caller.identity.roles = caller.permissions.roles_everywhere();
    let issuer = directory.identity(&record.issued_by);
    let is_own = issuer.is_some_and(|issuer| issuer.is_same_person(&caller.identity));
    caller.identity.vouched_by = (!is_own).then_some(record.issued_by);
    Some(caller)
}

fn caller(directory: &Directory, principal: &PrincipalName, credential: Credential) -> Option<Caller> {
    let permissions: Permissions = directory.permissions(principal)?;
    let identity: Identity = directory.identity(principal)?;
    Some(Caller { identity, permissions, credential })
}

/// The one bearer token of a request (RFC 6750, section 2.1).
fn bearer(headers: &HeaderMap) -> Result<&str, ErrorBody> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let odd = || unauthenticated("`Authorization` is not `Bearer` with one token");
    let (Some(value), None) = (all.next(), all.next()) else { return Err(odd()) };
    let (scheme, token) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(odd)?;
    if scheme.eq_ignore_ascii_case("Bearer") && !token.is_empty() { Ok(token) } else { Err(odd()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_bearer_token_or_none() {
        let read = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, value.parse().unwrap());
            }
            bearer(&headers).ok().map(str::to_owned)
        };
        assert_eq!(read(&["Bearer abc"]).as_deref(), Some("abc"));
        assert_eq!(read(&["bearer abc"]).as_deref(), Some("abc"));
        for odd in [&["Basic abc"][..], &["Bearer"], &["Bearer "], &[""], &["abc"], &["Bearer a", "Bearer b"]]
        {
            assert_eq!(read(odd), None, "{odd:?}");
        }
    }
}
