//! The client: one address, perhaps a token, and the place of a number.

use std::fmt;

use bytes::Bytes;
use http::header::{HeaderValue, LOCATION};
use http::{HeaderMap, Response, Uri};
use pilotage_spec::{JsonSource, Version, Workload, substitute};

use super::JsonError;
use super::number::number_at;
use pilotage_fetch::{
    TIMEOUT, Transport, TransportError, bearer, described, percent_encoded, request, without_user,
};

/// A number in a JSON document.
#[derive(Clone)]
pub struct JsonClient {
    source: JsonSource,
    /// The address without its query, for messages: a query may hold a key.
    shown: String,
    /// `Bearer …`, marked as sensitive.
    authorization: Option<HeaderValue>,
    transport: Transport,
}

impl fmt::Debug for JsonClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonClient").field("url", &self.shown).finish_non_exhaustive()
    }
}

impl JsonClient {
    /// For a document; the token is the one that its source refers to, and is sent as `Authorization: Bearer`. Asks nothing yet.
    ///
    /// # Errors
    /// If the address or the token cannot be used, or TLS is wanted and this machine trusts nobody.
    pub fn new(source: JsonSource, token: Option<String>) -> Result<Self, JsonError> {
        let shown = without_query(&source.url).to_owned();
        let refused = |reason| Err(JsonError::Url { url: without_user(&shown), reason });
        let (tls, behind) = match shown.split_once("://") {
            Some(("http", behind)) => (false, behind),
            Some(("https", behind)) => (true, behind),
            _ => return refused("it must start with http:// or https://"),
        };
        if behind.split('/').next().is_some_and(|host| host.contains('@')) {
            return refused("leave user and password out; set `token` instead");
        }
        let authorization = token.map(|token| bearer(&token)).transpose().map_err(|_| JsonError::Token)?;
        let transport =
            Transport::new(tls).map_err(|error| JsonError::NoRoots { reason: error.to_string() })?;
        Ok(Self { source, shown, authorization, transport })
    }

    /// The same document, asked for with this token.
    ///
    /// # Errors
    /// If the token cannot be sent.
    pub fn authorized(&self, token: &str) -> Result<Self, JsonError> {
        let authorization = bearer(token).map_err(|_| JsonError::Token)?;
        Ok(Self { authorization: Some(authorization), ..self.clone() })
    }

    /// The finite number of one version at this moment. In the address, `$SERVICE`, `$ENVIRONMENT` and `$VERSION` are
    /// substituted, percent-encoded so that no name can end the part it stands in.
    ///
    /// # Errors
    /// If the server cannot be reached or refuses, or if its answer holds no such number.
    pub async fn number(&self, workload: &Workload, version: &Version) -> Result<f64, JsonError> {
        let malformed = |reason: String| JsonError::Address { url: self.shown.clone(), reason };
        let url = address(&self.source.url, workload, version).map_err(malformed)?;
        let request =
            request(&url, self.authorization.as_ref()).map_err(|error| malformed(error.to_string()))?;
        let answer = self.transport.send(request).await.map_err(|error| self.failed(error))?;
        self.read(&answer)
    }

    fn read(&self, answer: &Response<Bytes>) -> Result<f64, JsonError> {
        let (url, status) = (self.shown.clone(), answer.status());
        if matches!(status.as_u16(), 401 | 403) {
            return Err(JsonError::Unauthorized { url, status: status.as_u16() });
        }
        if status.is_redirection() {
            return Err(JsonError::Redirected {
                url,
                status: status.as_u16(),
                to: redirected_to(answer.headers()),
            });
        }
        if !status.is_success() {
            return Err(JsonError::Status { url, status: status.as_u16() });
        }
        let document = serde_json::from_slice(answer.body())
            .map_err(|error| JsonError::NotJson { url, reason: unreadable(answer.body(), &error) })?;
        number_at(&document, &self.source.pointer)
    }

    fn failed(&self, error: TransportError) -> JsonError {
        let url = self.shown.clone();
        match error {
            TransportError::Timeout => JsonError::Timeout { url, after: TIMEOUT },
            TransportError::TooLong => JsonError::TooLong { url },
            TransportError::Unreachable(reason) => JsonError::Unreachable { url, reason },
        }
    }
}

/// Where the document of a version is.
fn address(template: &str, workload: &Workload, version: &Version) -> Result<String, String> {
    let value = |name: &str| match name {
        "SERVICE" => Some(percent_encoded(workload.service.as_str())),
        "ENVIRONMENT" => Some(percent_encoded(workload.environment.as_str())),
        "VERSION" => Some(percent_encoded(&version.to_string())),
        _ => None,
    };
    substitute(template, value).map_err(|error| error.to_string())
}

fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}

/// Where a redirect points, without what could be a key.
fn redirected_to(headers: &HeaderMap) -> String {
    let location = headers.get(LOCATION).and_then(|location| location.to_str().ok());
    match location.and_then(|location| location.parse::<Uri>().ok()) {
        Some(uri) => match uri.authority() {
            Some(_) => without_user(without_query(&uri.to_string())),
            None => uri.path().to_owned(),
        },
        None => "an address that cannot be read".to_owned(),
    }
}

fn unreadable(body: &[u8], error: &serde_json::Error) -> String {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    match first {
        None => described(body),
        Some(b'<') => format!("{}, as for signing in", described(body)),
        Some(_) => format!("{error}; NaN, infinities and numbers beyond 1.7e308 are no JSON either"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(url: &str) -> JsonSource {
        JsonSource { url: url.to_owned(), pointer: String::new(), token: None }
    }

    #[test]
    fn names_are_put_in_encoded_and_a_dollar_stays_one() {
        let workload =
            Workload { environment: "production".parse().unwrap(), service: "api".parse().unwrap() };
        let put = |template: &str| address(template, &workload, &"1.2.0+b.7".parse().unwrap());
        let address = put("https://h/${SERVICE}/$ENVIRONMENT?v=$VERSION&cost=$$5").unwrap();
        assert_eq!(address, "https://h/api/production?v=1.2.0%2Bb.7&cost=$5");
        assert!(put("https://h/$HOME").unwrap_err().contains("HOME"));
    }

    #[test]
    fn neither_token_nor_query_nor_password_is_ever_shown() {
        let client = JsonClient::new(source("http://h/stats?key=s3cret"), Some("t0ken".to_owned())).unwrap();
        assert_eq!(format!("{client:?}"), r#"JsonClient { url: "http://h/stats", .. }"#);
        let at_sign = JsonClient::new(source("http://h/@me?mail=a@b"), None).unwrap();
        assert_eq!(format!("{at_sign:?}"), r#"JsonClient { url: "http://h/@me", .. }"#);
        let broken = JsonClient::new(source("http://h"), Some("t0ken\n".to_owned())).unwrap_err().to_string();
        let user = JsonClient::new(source("http://me:s3cret@h/"), None).unwrap_err().to_string();
        let scheme = JsonClient::new(source("ftp://h/?key=s3cret"), None).unwrap_err().to_string();
        for message in [broken, user, scheme] {
            assert!(!message.contains("s3cret") && !message.contains("t0ken"), "{message}");
        }
    }
}
