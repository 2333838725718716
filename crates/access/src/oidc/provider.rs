//! Asking an issuer: where things are (OpenID Connect Discovery 1.0), and its keys (RFC 7517).

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use jsonwebtoken::Header;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use pilotage_fetch::{Transport, described, request};
use pilotage_spec::Issuer;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::Mutex;

use super::OidcError;
use super::keys::Keys;

/// Where every issuer says where its other things are.
const DISCOVERY: &str = "/.well-known/openid-configuration";
/// More keys than this are not looked at.
const KEYS_LIMIT: usize = 100;

/// One issuer, and what was learnt from it.
#[derive(Debug)]
pub struct Provider {
    issuer: Issuer,
    keys: Mutex<Keys>,
}

/// Where an issuer's things are.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Endpoints {
    issuer: String,
    /// Where a person signs in.
    pub authorization_endpoint: Option<Issuer>,
    /// Where a code is exchanged for a token.
    pub token_endpoint: Option<Issuer>,
    jwks_uri: Issuer,
}

impl Provider {
    /// Nothing is asked yet.
    pub fn new(issuer: Issuer) -> Self {
        Self { issuer, keys: Mutex::default() }
    }

    /// Where its things are.
    ///
    /// # Errors
    /// Fails if it does not answer, or its answer is another's.
    pub async fn endpoints(&self) -> Result<Endpoints, OidcError> {
        let base = self.issuer.as_str().trim_end_matches('/');
        let endpoints: Endpoints = self.get(&format!("{base}{DISCOVERY}")).await?;
        if endpoints.issuer != self.issuer.as_str() {
            return Err(self.unreachable("it calls itself by another name"));
        }
        let all = [
            Some(&endpoints.jwks_uri),
            endpoints.authorization_endpoint.as_ref(),
            endpoints.token_endpoint.as_ref(),
        ];
        if self.issuer.is_encrypted() && !all.into_iter().flatten().all(Issuer::is_encrypted) {
            return Err(self.unreachable("it names an address without TLS"));
        }
        Ok(endpoints)
    }

    /// The key with which a token is signed; asks for the keys first if that is needed.
    pub(super) async fn key(&self, header: &Header, now: Duration) -> Result<Jwk, OidcError> {
        // Held while asking, so that many tokens at once ask once.
        let mut keys = self.keys.lock().await;
        if keys.must_ask(header, now) {
            match self.fetch().await {
                Ok(set) => keys.replace(set, now),
                // What was learnt before may do.
                Err(error) => return keys.find(header, now).cloned().map_err(|_| error),
            }
        }
        keys.find(header, now).cloned()
    }

    async fn fetch(&self) -> Result<JwkSet, OidcError> {
        /// One key that cannot be read must not hide the others.
        #[derive(Deserialize)]
        struct Written {
            keys: Vec<Value>,
        }
        let endpoints = self.endpoints().await?;
        let written: Written = self.get(endpoints.jwks_uri.as_str()).await?;
        let keys = written.keys.into_iter().take(KEYS_LIMIT);
        Ok(JwkSet { keys: keys.filter_map(|key| serde_json::from_value(key).ok()).collect() })
    }

    async fn get<T: DeserializeOwned>(&self, url: &str) -> Result<T, OidcError> {
        let request = request(url, None).map_err(|error| self.unreachable(&error.to_string()))?;
        self.send(request).await
    }

    /// Sends something, and reads the JSON that comes back. The answer's text is in no error.
    pub(super) async fn send<T: DeserializeOwned>(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<T, OidcError> {
        let transport = Transport::new(request.uri().scheme_str() == Some("https"));
        let transport = transport.map_err(|error| self.unreachable(&error.to_string()))?;
        let response = transport.send(request).await.map_err(|error| self.unreachable(&error.to_string()))?;
        if response.status() != StatusCode::OK {
            return Err(self.unreachable(&format!("it answers with status {}", response.status().as_u16())));
        }
        serde_json::from_slice(response.body()).map_err(|_| self.unreachable(&described(response.body())))
    }

    pub(super) fn unreachable(&self, reason: &str) -> OidcError {
        OidcError::Unreachable { issuer: self.issuer.to_string(), reason: reason.to_owned() }
    }
}
