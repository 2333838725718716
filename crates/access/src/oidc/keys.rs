//! The keys of an issuer: which one a token is signed with, and when to ask for them anew.

use std::time::Duration;

use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, Header};

use super::OidcError;

/// Keys are asked for again at most so often, however many tokens name one that is not known.
const ASK_EVERY: Duration = Duration::from_secs(60);
/// Keys are asked for again after so long in any case, so that one that was withdrawn is not believed for ever.
const FRESH_FOR: Duration = Duration::from_secs(60 * 60);
/// Keys that could not be asked for again count for so long.
const USABLE_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// Ways to sign that need a key which only the issuer has.
const ACCEPTED: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// What is known of an issuer's keys. Times are since a moment of the caller's choice.
#[derive(Debug, Default)]
pub(super) struct Keys {
    set: Option<JwkSet>,
    fetched: Option<Duration>,
    asked: Option<Duration>,
}

impl Keys {
    /// Takes new keys in the place of all old ones.
    pub(super) fn replace(&mut self, set: JwkSet, now: Duration) {
        (self.set, self.fetched) = (Some(set), Some(now));
    }

    /// Whether to ask for them before a token is looked at; if so, that counts as having asked.
    pub(super) fn must_ask(&mut self, header: &Header, now: Duration) -> bool {
        let is_fresh = self.fetched.is_some_and(|at| now.saturating_sub(at) < FRESH_FOR);
        let may_ask = self.asked.is_none_or(|at| now.saturating_sub(at) >= ASK_EVERY);
        let must_ask = may_ask && (!is_fresh || self.find(header, now).is_err());
        if must_ask {
            self.asked = Some(now);
        }
        must_ask
    }

    /// The key with which a token says that it is signed. Without a name, it must be the only one.
    pub(super) fn find(&self, header: &Header, now: Duration) -> Result<&Jwk, OidcError> {
        if !ACCEPTED.contains(&header.alg) {
            return Err(OidcError::Algorithm);
        }
        let is_usable = self.fetched.is_some_and(|at| now.saturating_sub(at) < USABLE_FOR);
        let set = self.set.as_ref().filter(|_| is_usable).ok_or(OidcError::Key)?;
        let mut fitting = set.keys.iter().filter(|key| fits(key, header));
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Ok(key),
            _ => Err(OidcError::Key),
        }
    }
}

/// Whether a key has the name that a token gives, is there to sign, and goes with the token's way of signing. A symmetric
/// key never does: it would be published with the others.
fn fits(key: &Jwk, header: &Header) -> bool {
    use jsonwebtoken::AlgorithmFamily::{Ec, Ed, Rsa};
    let family = match &key.algorithm {
        AlgorithmParameters::RSA(_) => Rsa,
        AlgorithmParameters::EllipticCurve(_) => Ec,
        AlgorithmParameters::OctetKeyPair(_) => Ed,
        _ => return false,
    };
    let named = header.kid.as_ref().is_none_or(|name| key.common.key_id.as_ref() == Some(name));
    let signs = key.common.public_key_use.as_ref().is_none_or(|r#use| *r#use == PublicKeyUse::Signature);
    let says = key.common.key_algorithm.map(|algorithm| algorithm.to_string());
    named
        && signs
        && family == header.alg.family()
        && says.is_none_or(|says| says == format!("{:?}", header.alg))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn header(alg: Algorithm, kid: Option<&str>) -> Header {
        Header { kid: kid.map(str::to_owned), ..Header::new(alg) }
    }

    fn key(kid: &str, more: serde_json::Value) -> serde_json::Value {
        let mut key = json!({ "kid": kid, "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA" });
        for (name, value) in more.as_object().unwrap() {
            key[name] = value.clone();
        }
        key
    }

    fn keys(list: &[serde_json::Value], at: Duration) -> Keys {
        let mut keys = Keys::default();
        keys.replace(serde_json::from_value(json!({ "keys": list })).unwrap(), at);
        keys
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_key_is_found_by_name_way_and_use() {
        let all = keys(
            &[
                key("a", json!({})),
                key("b", json!({ "alg": "ES384" })),
                key("c", json!({ "use": "enc" })),
                json!({ "kid": "d", "kty": "oct", "k": "c2VjcmV0" }),
                json!({ "kid": "e", "kty": "RSA", "n": "AQAB", "e": "AQAB", "alg": "RS256" }),
                key("f", json!({})),
                key("f", json!({})),
            ],
            SECOND,
        );
        let found =
            |alg, kid| all.find(&header(alg, kid), SECOND).map(|key| key.common.key_id.clone().unwrap());
        assert_eq!(found(Algorithm::ES256, Some("a")).as_deref(), Ok("a"));
        assert_eq!(found(Algorithm::RS256, Some("e")).as_deref(), Ok("e"));
        for (alg, kid) in [
            (Algorithm::ES256, Some("b")),
            (Algorithm::ES256, Some("c")),
            (Algorithm::RS256, Some("a")),
            (Algorithm::RS512, Some("e")),
            (Algorithm::ES256, Some("g")),
            (Algorithm::ES256, Some("f")),
            (Algorithm::ES256, None),
        ] {
            assert_eq!(found(alg, kid), Err(OidcError::Key), "{alg:?} {kid:?}");
        }
        for alg in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            assert_eq!(found(alg, Some("d")), Err(OidcError::Algorithm));
            assert_eq!(found(alg, Some("a")), Err(OidcError::Algorithm));
        }
    }

    #[test]
    fn an_unknown_key_is_asked_for_once_a_minute_and_all_of_them_once_an_hour() {
        let mut known = keys(&[key("a", json!({}))], SECOND);
        let (a, b) = (header(Algorithm::ES256, Some("a")), header(Algorithm::ES256, Some("b")));
        assert!(!known.must_ask(&a, SECOND));
        assert!(
            known.must_ask(&b, SECOND) && !known.must_ask(&b, 2 * SECOND) && !known.must_ask(&b, 60 * SECOND)
        );
        assert!(known.must_ask(&b, 61 * SECOND));
        assert!(!known.must_ask(&a, 3600 * SECOND) && known.must_ask(&a, 3601 * SECOND));
        assert!(!known.must_ask(&a, 3602 * SECOND), "the issuer may be down");
        assert!(known.find(&a, 24 * 3600 * SECOND).is_ok());
        assert_eq!(known.find(&a, (24 * 3600 + 1) * SECOND), Err(OidcError::Key), "not for ever");
    }
}
