//! Whether an id token is to be believed, and whose it is.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jsonwebtoken::dangerous::insecure_decode_claims;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, decode_header};
use pilotage_spec::{Issuer, PrincipalName, Timestamp};
use serde_json::{Map, Value};

use super::claims::Claims;
use super::{OidcError, Provider};
use crate::Directory;

/// A longer token is not looked at, in bytes. Those with long lists of groups have a few thousand.
const TOKEN_LIMIT_BYTES: usize = 16 * 1024;

/// Whether id tokens are to be believed. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Verifier {
    providers: Arc<Mutex<BTreeMap<Issuer, Arc<Provider>>>>,
}

impl Verifier {
    /// The machine for whose job a token was issued. `elapsed` is the time since a moment of the caller's choice that does not
    /// change, for keeping keys.
    ///
    /// # Errors
    /// Says why the token counts for nothing.
    pub async fn workload(
        &self,
        token: &str,
        directory: &Directory,
        now: Timestamp,
        elapsed: Duration,
    ) -> Result<PrincipalName, OidcError> {
        let claims = self.claims(token, directory, now, elapsed).await?;
        let mut refused =
            OidcError::Nobody("no machine of the file has a `workload` of this issuer".to_owned());
        let mut found = Vec::new();
        let issuer = claims.issuer();
        for (name, workload) in
            directory.workloads().filter(|(_, workload)| Some(&workload.issuer) == issuer.as_ref())
        {
            match claims.check_workload(workload) {
                Ok(()) => found.push(name.clone()),
                Err(error) => refused = error,
            }
        }
        match (found.pop(), found.pop()) {
            (Some(name), None) => Ok(name),
            (Some(one), Some(other)) => {
                Err(OidcError::Nobody(format!("it would stand for both `{other}` and `{one}`")))
            }
            (None, _) => Err(refused),
        }
    }

    /// The person who has signed in with a token, for a sign-in of this nonce.
    ///
    /// # Errors
    /// Says why the token counts for nothing.
    pub async fn person(
        &self,
        token: &str,
        nonce: &str,
        directory: &Directory,
        now: Timestamp,
        elapsed: Duration,
    ) -> Result<PrincipalName, OidcError> {
        let claims = self.claims(token, directory, now, elapsed).await?;
        let issuer = claims.issuer();
        let mut refused = OidcError::Nobody("nobody signs in at its issuer".to_owned());
        for (name, sign_in) in
            directory.sign_ins().filter(|(_, sign_in)| Some(&sign_in.issuer) == issuer.as_ref())
        {
            match claims.check_sign_in(sign_in, nonce) {
                Ok(value) => match directory.signed_in(name, &value) {
                    Some(person) => return Ok(person.clone()),
                    None => {
                        refused = OidcError::Nobody(format!("nobody has the login `oidc:{name}#{value}`"))
                    }
                },
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }

    /// What a token says, after it is known that one of the file's issuers says it, and for now.
    async fn claims(
        &self,
        token: &str,
        directory: &Directory,
        now: Timestamp,
        elapsed: Duration,
    ) -> Result<Claims, OidcError> {
        let header = header(token)?;
        let unproven = insecure_decode_claims::<Map<String, Value>>(token).map(Claims);
        let unproven = unproven.map_err(|_| OidcError::Malformed("its claims are not JSON"))?;
        let issuer =
            unproven.issuer().filter(|issuer| directory.knows_issuer(issuer)).ok_or(OidcError::Issuer)?;
        let key = self.provider(&issuer).key(&header, elapsed).await?;
        let key = DecodingKey::from_jwk(&key).map_err(|_| OidcError::Key)?;
        let proven = decode::<Map<String, Value>>(token, &key, &signature_alone(header.alg));
        let claims = proven.map(|data| Claims(data.claims)).map_err(|_| OidcError::Signature)?;
        claims.check_time(now)?;
        Ok(claims)
    }

    fn provider(&self, issuer: &Issuer) -> Arc<Provider> {
        // Only issuers of the file get here, and a map is whole between two calls.
        let mut providers = self.providers.lock().unwrap_or_else(PoisonError::into_inner);
        let provider = providers.entry(issuer.clone());
        Arc::clone(provider.or_insert_with(|| Arc::new(Provider::new(issuer.clone()))))
    }
}

/// The head of a token, if it is one that may be believed at all.
fn header(token: &str) -> Result<Header, OidcError> {
    if token.len() > TOKEN_LIMIT_BYTES {
        return Err(OidcError::Malformed("it is too long"));
    }
    // An unknown way of signing, `none` among them, is not read at all.
    let header = decode_header(token).map_err(|_| OidcError::Algorithm)?;
    if header.crit.is_some() {
        return Err(OidcError::Malformed("it demands what is not understood (`crit`)"));
    }
    // RFC 9068: an access token is for somebody else's API.
    if header.typ.as_ref().is_some_and(|kind| !kind.eq_ignore_ascii_case("JWT")) {
        return Err(OidcError::Malformed("it is another kind of token"));
    }
    Ok(header)
}

/// Times, issuer and audience are checked by [`Claims`], which is told the time and says what is wrong.
fn signature_alone(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation
}
