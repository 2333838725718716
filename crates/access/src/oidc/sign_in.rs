//! Signing in from a command line: authorization code with PKCE (RFC 7636) and a redirect to this machine (RFC 8252).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{Request, header};
use http_body_util::Full;
use jsonwebtoken::dangerous::insecure_decode_claims;
use pilotage_fetch::percent_encoded;
use pilotage_spec::{Issuer, SignIn};
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::{Endpoints, OidcError, Provider};
use crate::random::{self, RandomError};

/// One attempt to sign in.
pub struct SigningIn {
    sign_in: SignIn,
    redirect: String,
    verifier: String,
    state: String,
    nonce: String,
}

/// What the issuer's page sends back through the browser.
#[derive(Debug, Default, PartialEq, Eq)]
struct Callback {
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
    issuer: Option<String>,
}

impl SigningIn {
    /// Begins one; `redirect` is where this machine waits for the browser.
    ///
    /// # Errors
    /// Fails if there are no random bytes.
    pub fn begin(sign_in: SignIn, redirect: String) -> Result<Self, RandomError> {
        let unguessable = || random::bytes::<32>().map(|bytes| URL_SAFE_NO_PAD.encode(bytes));
        Ok(Self { sign_in, redirect, verifier: unguessable()?, state: unguessable()?, nonce: unguessable()? })
    }

    /// What the id token must repeat.
    pub fn nonce(&self) -> &str {
        &self.nonce
    }

    /// The page at which the person signs in.
    ///
    /// # Errors
    /// Fails if the issuer has none.
    pub fn page(&self, endpoints: &Endpoints) -> Result<String, OidcError> {
        let page = endpoints.authorization_endpoint.as_ref();
        let page = page.ok_or_else(|| self.unreachable("it names no page to sign in"))?;
        let asked = [
            ("response_type", "code"),
            ("client_id", self.sign_in.client_id.as_str()),
            ("redirect_uri", &self.redirect),
            ("scope", "openid email"),
            ("state", &self.state),
            ("nonce", &self.nonce),
            ("code_challenge", &challenge(&self.verifier)),
            ("code_challenge_method", "S256"),
        ];
        Ok(format!("{page}?{}", form(&asked)))
    }

    /// Exchanges what the browser brought, the text behind the `?`, for an id token.
    ///
    /// # Errors
    /// Fails if it does not belong to this attempt, or the issuer refuses it.
    pub async fn finish(&self, query: &str, endpoints: &Endpoints) -> Result<String, OidcError> {
        #[derive(Deserialize)]
        struct Answer {
            id_token: String,
        }
        let code = self.code(query)?;
        let provider = Provider::new(self.sign_in.issuer.clone());
        let exchange = endpoints.token_endpoint.as_ref();
        let exchange = exchange.ok_or_else(|| self.unreachable("it names no place to exchange a code"))?;
        let asked = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", &self.redirect),
            ("client_id", self.sign_in.client_id.as_str()),
            ("code_verifier", &self.verifier),
        ];
        let request = Request::post(exchange.as_str())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json")
            .body(Full::new(Bytes::from(form(&asked))))
            .map_err(|error| self.unreachable(&error.to_string()))?;
        let Answer { id_token } = provider.send(request).await?;
        self.check_nonce(&id_token)?;
        Ok(id_token)
    }

    fn code(&self, query: &str) -> Result<String, OidcError> {
        let callback = Callback::parse(query);
        if callback.state.as_ref() != Some(&self.state) {
            return Err(OidcError::Nobody("the answer does not belong to this sign-in (`state`)".to_owned()));
        }
        // RFC 9207: so that the answer of one issuer is not taken for that of another.
        if callback.issuer.is_some_and(|issuer| issuer != self.sign_in.issuer.as_str()) {
            return Err(OidcError::Issuer);
        }
        if let Some(error) = callback.error {
            let words: String = error.chars().filter(|c| c.is_ascii_graphic()).take(60).collect();
            return Err(OidcError::Nobody(format!("the issuer refuses (`{words}`)")));
        }
        callback.code.ok_or_else(|| OidcError::Nobody("the answer holds no code".to_owned()))
    }

    /// The token came from the issuer itself; the server looks at its signature. Only whether it answers this very question
    /// is to be known here.
    fn check_nonce(&self, id_token: &str) -> Result<(), OidcError> {
        let claims = insecure_decode_claims::<Map<String, Value>>(id_token);
        let claims = claims.map_err(|_| OidcError::Malformed("its claims are not JSON"))?;
        let is_ours = claims.get("nonce").and_then(Value::as_str) == Some(&self.nonce);
        is_ours
            .then_some(())
            .ok_or_else(|| OidcError::Nobody("its `nonce` is not that of this sign-in".to_owned()))
    }

    fn unreachable(&self, reason: &str) -> OidcError {
        let issuer: &Issuer = &self.sign_in.issuer;
        OidcError::Unreachable { issuer: issuer.to_string(), reason: reason.to_owned() }
    }
}

/// RFC 7636, section 4.2.
fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

fn form(fields: &[(&str, &str)]) -> String {
    let fields = fields.iter().map(|(name, value)| format!("{name}={}", percent_encoded(value)));
    fields.collect::<Vec<_>>().join("&")
}

impl Callback {
    /// Reads what stands behind the `?`. Of a name that comes twice, neither counts.
    fn parse(query: &str) -> Self {
        let pairs: Vec<(&str, &str)> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
        let only = |wanted: &str| {
            let mut found = pairs.iter().filter(|(name, _)| *name == wanted);
            let (_, value) = found.next()?;
            found.next().is_none().then(|| decoded(value)).flatten()
        };
        Self { code: only("code"), state: only("state"), error: only("error"), issuer: only("iss") }
    }
}

/// Undoes percent-encoding; `None` if it is damaged.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        match first {
            b'%' => {
                let (digits, behind) = rest.split_at_checked(2)?;
                let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
                rest = behind;
            }
            b'+' => bytes.push(b' '),
            byte => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt() -> SigningIn {
        let sign_in = SignIn {
            issuer: "https://accounts.shop.example".parse().unwrap(),
            client_id: "pilotage".parse().unwrap(),
            claim: "sub".parse().unwrap(),
        };
        SigningIn::begin(sign_in, "http://127.0.0.1:7000/callback".to_owned()).unwrap()
    }

    #[test]
    fn the_published_challenge_comes_out() {
        // RFC 7636, appendix B.
        let challenge = challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn an_answer_must_belong_to_the_question() {
        let attempt = attempt();
        let state = &attempt.state;
        assert_eq!(attempt.code(&format!("code=a%2Bb+c&state={state}")).as_deref(), Ok("a+b c"));
        let ours = "https%3A%2F%2Faccounts.shop.example";
        assert_eq!(attempt.code(&format!("iss={ours}&code=a&state={state}")).as_deref(), Ok("a"));
        let evil = format!("iss=https%3A%2F%2Fevil.example&code=a&state={state}");
        assert_eq!(attempt.code(&evil), Err(OidcError::Issuer));
        for query in [
            "code=a".to_owned(),
            "code=a&state=guess".to_owned(),
            format!("code=a&state={state}&state={state}"),
            format!("state={state}"),
            format!("code=a&code=b&state={state}"),
            format!("code=%zz&state={state}"),
            format!("error=access_denied&state={state}"),
        ] {
            assert!(matches!(attempt.code(&query), Err(OidcError::Nobody(_))), "{query}");
        }
    }

    #[test]
    fn no_two_attempts_have_anything_in_common() {
        let (one, other) = (attempt(), attempt());
        assert!(one.state != other.state && one.nonce != other.nonce && one.verifier != other.verifier);
        assert_eq!(one.verifier.len(), 43);
    }
}
