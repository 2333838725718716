//! What a token whose signature is right must say. Nothing is asked and nothing is read here.

use pilotage_spec::{Audience, ClaimName, ClaimValue, Issuer, SignIn, Timestamp, WorkloadIdentity};
use serde_json::{Map, Value};

use super::OidcError;

/// How far the clocks of issuer and server may be apart, in seconds.
const LEEWAY_SECONDS: i64 = 30;

/// What a token says, by name of the claim.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Claims(pub(super) Map<String, Value>);

impl Claims {
    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// Who issued it, as it says of itself.
    pub(super) fn issuer(&self) -> Option<Issuer> {
        self.text("iss")?.parse().ok()
    }

    /// Whether it is valid now: RFC 7519, sections 4.1.4 to 4.1.6. One without an end is refused.
    pub(super) fn check_time(&self, now: Timestamp) -> Result<(), OidcError> {
        let now = now.as_micros().div_euclid(1_000_000);
        let seconds = |name: &str| self.0.get(name).map(whole_seconds);
        match seconds("exp") {
            Some(Some(end)) if now < end.saturating_add(LEEWAY_SECONDS) => {}
            Some(Some(_)) => return Err(OidcError::Time("it has expired")),
            _ => return Err(OidcError::Time("it says no time at which it expires")),
        }
        for name in ["nbf", "iat"] {
            match seconds(name) {
                None => {}
                Some(Some(begin)) if begin.saturating_sub(LEEWAY_SECONDS) <= now => {}
                Some(_) => return Err(OidcError::Time("it begins later")),
            }
        }
        Ok(())
    }

    /// Whose it is at a place where people sign in: OpenID Connect Core 1.0, section 3.1.3.7.
    pub(super) fn check_sign_in(&self, sign_in: &SignIn, nonce: &str) -> Result<ClaimValue, OidcError> {
        self.check_issuer(&sign_in.issuer)?;
        let audiences = self.audiences()?;
        if !audiences.contains(&sign_in.client_id.as_str()) {
            return Err(OidcError::Audience("aud"));
        }
        let party = self.0.get("azp");
        let is_ours = party.and_then(Value::as_str) == Some(sign_in.client_id.as_str());
        if !is_ours && (party.is_some() || audiences.len() > 1) {
            return Err(OidcError::Audience("azp"));
        }
        // Without it, a token that was given for something else would do, such as that of a pipeline's job.
        if nonce.is_empty() || self.text("nonce") != Some(nonce) {
            return Err(OidcError::Nobody("its `nonce` is not that of this sign-in".to_owned()));
        }
        self.who(&sign_in.claim)
    }

    fn who(&self, claim: &ClaimName) -> Result<ClaimValue, OidcError> {
        let missing = || OidcError::Nobody(format!("it has no claim `{claim}` that says who it is"));
        if claim.as_str() == "email" && self.0.get("email_verified") != Some(&Value::Bool(true)) {
            return Err(OidcError::Nobody("its issuer has not verified the `email`".to_owned()));
        }
        self.text(claim.as_str()).and_then(|value| value.parse().ok()).ok_or_else(missing)
    }

    /// Whether it is of a job of this machine.
    pub(super) fn check_workload(&self, workload: &WorkloadIdentity) -> Result<(), OidcError> {
        self.check_issuer(&workload.issuer)?;
        self.check_only_audience(&workload.audience)?;
        if workload.claims.is_empty() {
            return Err(OidcError::Nobody("the file lists no claim".to_owned()));
        }
        let differs = workload.claims.iter().find(|(name, value)| !self.says(name, value));
        match differs {
            Some((name, _)) => Err(OidcError::Nobody(format!("its claim `{name}` is another, or missing"))),
            None => Ok(()),
        }
    }

    fn check_issuer(&self, issuer: &Issuer) -> Result<(), OidcError> {
        if self.text("iss") == Some(issuer.as_str()) { Ok(()) } else { Err(OidcError::Issuer) }
    }

    /// A token that somebody else may use too could be used by them here.
    fn check_only_audience(&self, audience: &Audience) -> Result<(), OidcError> {
        if self.audiences()? == [audience.as_str()] { Ok(()) } else { Err(OidcError::Audience("aud")) }
    }

    fn audiences(&self) -> Result<Vec<&str>, OidcError> {
        let all: Option<Vec<&str>> = match self.0.get("aud") {
            Some(Value::String(one)) => Some(vec![one]),
            Some(Value::Array(several)) => several.iter().map(Value::as_str).collect(),
            _ => None,
        };
        all.ok_or(OidcError::Audience("aud"))
    }

    /// Whether a claim is exactly so. Truth values and whole numbers are compared as they are written; nothing else is equal
    /// to a text.
    fn says(&self, name: &ClaimName, value: &ClaimValue) -> bool {
        match self.0.get(name.as_str()) {
            Some(Value::String(text)) => text == value.as_str(),
            Some(Value::Bool(truth)) => truth.to_string() == value.as_str(),
            Some(Value::Number(number)) if !number.is_f64() => number.to_string() == value.as_str(),
            _ => false,
        }
    }
}

/// A time of a token in whole seconds; some issuers write fractions.
fn whole_seconds(value: &Value) -> Option<i64> {
    /// The greatest whole number of seconds that a fraction's type holds exactly.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::Number(number) => number.as_i64().or_else(|| {
            let seconds = number.as_f64().filter(|seconds| seconds.abs() < EXACT)?;
            #[expect(clippy::cast_possible_truncation, reason = "it is within what both types hold exactly")]
            let whole = seconds.floor() as i64;
            Some(whole)
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
