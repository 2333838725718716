//! Whose word is taken for who somebody is: issuers of OpenID Connect.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::NameError;
use crate::name::{check_label, text_type};

text_type!(
    /// The name of a place where people sign in: a DNS label.
    SignInName, "name of a sign-in", check_label
);
text_type!(
    /// An issuer of tokens, exactly as its tokens write it: a URL with `https`, or with `http` on this machine.
    Issuer, "issuer", check_issuer
);
text_type!(
    /// For whom a token is meant, exactly as it says.
    Audience, "audience", check_visible
);
text_type!(
    /// The name of a claim of a token.
    ClaimName, "name of a claim", check_visible
);
text_type!(
    /// What a claim must say, exactly.
    ClaimValue, "value of a claim", check_visible
);

/// A place where people sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignIn {
    /// Who issues the id tokens.
    pub issuer: Issuer,
    /// As whom Pilotage is registered there: a public client that uses PKCE.
    pub client_id: Audience,
    /// The claim that says who somebody is.
    pub claim: ClaimName,
}

/// The tokens by which a platform vouches for a job of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkloadIdentity {
    /// Who issues them.
    pub issuer: Issuer,
    /// For whom they must be meant, and for nobody else.
    pub audience: Audience,
    /// What they must say; never empty.
    pub claims: BTreeMap<ClaimName, ClaimValue>,
}

impl Issuer {
    /// Whether everything that is fetched from it goes over TLS.
    pub fn is_encrypted(&self) -> bool {
        self.as_str().starts_with("https://")
    }
}

/// OpenID Connect Discovery 1.0, section 3: a URL without query and fragment. Nothing is trimmed: tokens are compared with
/// it character by character.
fn check_issuer(kind: &'static str, text: &str) -> Result<(), NameError> {
    const RULE: &str =
        "write a URL with `https://`, or `http://` on this machine, without user, query and fragment";
    check_visible(kind, text)?;
    let plain = text.strip_prefix("http://");
    let Some(bare) = text.strip_prefix("https://").or(plain) else {
        return Err(NameError::malformed(kind, text, RULE));
    };
    let authority = bare.split('/').next().unwrap_or(bare);
    let is_malformed = authority.is_empty() || bare.contains(['?', '#', '@', '\\', '"', '<', '>', '`']);
    if is_malformed || (plain.is_some() && !is_this_machine(authority)) {
        return Err(NameError::malformed(kind, text, RULE));
    }
    Ok(())
}

/// Whether a host, with or without a port, is a loopback address or `localhost`.
fn is_this_machine(authority: &str) -> bool {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// Visible characters of ASCII, so that what looks the same is the same.
fn check_visible(kind: &'static str, text: &str) -> Result<(), NameError> {
    const LIMIT: usize = 512;
    if text.is_empty() {
        return Err(NameError::Empty { kind });
    }
    if !text.chars().all(|c| c.is_ascii_graphic()) {
        return Err(NameError::malformed(kind, text, "use visible ASCII characters without spaces"));
    }
    if text.len() > LIMIT {
        return Err(NameError::TooLong { kind, length: text.len(), limit: LIMIT });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuers_are_encrypted_or_on_this_machine() {
        for text in [
            "https://accounts.example.com",
            "https://accounts.example.com/",
            "https://gitlab.example.com:8443/path",
            "http://127.0.0.1:8080",
            "http://localhost:8080/realms/shop",
            "http://[::1]:8080",
        ] {
            assert!(text.parse::<Issuer>().is_ok(), "{text}");
        }
        for text in [
            "",
            "accounts.example.com",
            "http://accounts.example.com",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
            "https://anna@example.com",
            "https://",
            "https:///path",
            "https://example.com?x",
            "https://example.com#x",
            "https://ехample.com",
            "ftp://example.com",
        ] {
            assert!(text.parse::<Issuer>().is_err(), "{text}");
        }
    }
}
