//! Requests to one Vault server.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, Request, StatusCode};
use http_body_util::Full;
use pilotage_fetch::{Transport, TransportError, described};
use pilotage_spec::{VaultSecret, VaultSettings};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::VaultError;
use super::answer::{Auth, Failure, LoginAnswer, SecretAnswer, Versioned};
use crate::reader::blocking;
use crate::{Known, Secret, SecretFault, SecretReader, file};

/// So much of what Vault says about a failure is repeated, in characters.
const WORDS_LIMIT: usize = 300;

/// A Vault server.
pub(super) struct Client {
    url: String,
    namespace: Option<HeaderValue>,
    transport: Transport,
    known: Known,
}

/// An answer that was read to its end.
struct Answer {
    status: StatusCode,
    body: Bytes,
}

impl Client {
    pub(super) async fn new(reader: &SecretReader, settings: &VaultSettings) -> Result<Self, SecretFault> {
        let trust = |reason: String| VaultError::Trust { reason };
        let transport = match &settings.authority {
            Some(path) => {
                let path = reader.folder().join(path);
                let authority = blocking(move || file::read_bytes(&path)).await??;
                Transport::trusting(&authority, None).map_err(|error| trust(error.to_string()))?
            }
            None => Transport::new(settings.url.starts_with("https://"))
                .map_err(|error| trust(error.to_string()))?,
        };
        let namespace =
            settings.namespace.as_ref().map(|namespace| HeaderValue::from_str(namespace.as_str()));
        let namespace =
            namespace.transpose().map_err(|error| VaultError::Url { reason: error.to_string() })?;
        Ok(Self { url: settings.url.clone(), namespace, transport, known: reader.known().clone() })
    }

    /// Logs in, with what the method wants to know.
    pub(super) async fn log_in(&self, mount: &str, credentials: Value) -> Result<Auth, VaultError> {
        let answer = self.send(Method::POST, &format!("auth/{mount}/login"), None, Some(credentials)).await?;
        if answer.status.is_client_error() {
            let reason = self.words(&answer);
            return Err(VaultError::Login { url: self.url.clone(), mount: mount.to_owned(), reason });
        }
        self.token(&answer)
    }

    /// Lets a token count for longer.
    pub(super) async fn renew(&self, token: &Secret) -> Result<Auth, VaultError> {
        let answer = self.send(Method::POST, "auth/token/renew-self", Some(token), Some(json!({}))).await?;
        self.token(&answer)
    }

    fn token(&self, answer: &Answer) -> Result<Auth, VaultError> {
        if !answer.status.is_success() {
            return Err(self.refused(answer, "the login"));
        }
        let LoginAnswer { auth } = self.parsed(answer)?;
        self.known.learn(&[Secret::new(auth.client_token.as_bytes())]);
        Ok(auth)
    }

    /// Reads one field of the current version of a secret.
    pub(super) async fn secret(&self, token: &Secret, wanted: &VaultSecret) -> Result<Secret, VaultError> {
        let path = format!("{}/data/{}", wanted.mount, wanted.path);
        let answer = self.send(Method::GET, &path, Some(token), None).await?;
        let versioned = match answer.status {
            StatusCode::OK | StatusCode::NOT_FOUND => serde_json::from_slice::<SecretAnswer>(&answer.body),
            _ => return Err(self.refused(&answer, &path)),
        };
        match versioned {
            Ok(SecretAnswer { data: Versioned { data: Some(mut data), .. } })
                if answer.status == StatusCode::OK =>
            {
                field(data.remove(wanted.field.as_str()), &path, wanted, || names(data.keys()))
            }
            // A deleted version is answered with 404, and what is known of it.
            Ok(SecretAnswer { data: Versioned { metadata, .. } }) => {
                Err(VaultError::Deleted { path, how: metadata.to_string() })
            }
            Err(_) if answer.status == StatusCode::NOT_FOUND => {
                match serde_json::from_slice::<Failure>(&answer.body) {
                    Ok(_) => Err(VaultError::Missing { url: self.url.clone(), path }),
                    Err(_) => Err(self.not_vault(&answer)),
                }
            }
            Err(_) => Err(self.not_vault(&answer)),
        }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        token: Option<&Secret>,
        body: Option<Value>,
    ) -> Result<Answer, VaultError> {
        // Vault's agents may want the second header: it shows that no browser was tricked into asking.
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}/v1/{path}", self.url))
            .header("x-vault-request", "true");
        if let Some(token) = token {
            let mut token = HeaderValue::from_bytes(token.expose()).map_err(|_| VaultError::Token)?;
            token.set_sensitive(true);
            request = request.header("x-vault-token", token);
        }
        if let Some(namespace) = &self.namespace {
            request = request.header("x-vault-namespace", namespace);
        }
        let body = match body {
            Some(body) => {
                request = request.header(CONTENT_TYPE, "application/json");
                Full::from(body.to_string())
            }
            None => Full::default(),
        };
        let request = request.body(body).map_err(|error| VaultError::Url { reason: error.to_string() })?;
        let answer = self.transport.send(request).await.map_err(|error: TransportError| {
            VaultError::Unreachable { url: self.url.clone(), reason: error.to_string() }
        })?;
        Ok(Answer { status: answer.status(), body: answer.into_body() })
    }

    /// What a status means that is no success; see "HTTP status codes" of the API.
    fn refused(&self, answer: &Answer, path: &str) -> VaultError {
        let (url, path, reason) = (self.url.clone(), path.to_owned(), self.words(answer));
        match answer.status.as_u16() {
            403 => VaultError::Forbidden { url, path, reason },
            503 => VaultError::Sealed { url },
            status @ (429 | 472 | 473 | 501) => VaultError::NotActive { url, status },
            status => VaultError::Status { url, status, reason },
        }
    }

    fn parsed<T: DeserializeOwned>(&self, answer: &Answer) -> Result<T, VaultError> {
        serde_json::from_slice(&answer.body).map_err(|_| self.not_vault(answer))
    }

    fn not_vault(&self, answer: &Answer) -> VaultError {
        let reason = match serde_json::from_slice::<Value>(&answer.body) {
            Ok(_) => "its answer has another form than Vault's".to_owned(),
            Err(_) => described(&answer.body),
        };
        VaultError::NotVault { url: self.url.clone(), reason }
    }

    /// What Vault says of a failure, without what we know and it may have repeated.
    fn words(&self, answer: &Answer) -> String {
        let Ok(Failure { errors }) = serde_json::from_slice(&answer.body) else {
            return format!("status {}", answer.status.as_u16());
        };
        let text = self.known.text(&errors.join("; ")).into_owned();
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
        text.chars().take(WORDS_LIMIT).collect()
    }
}

fn field(
    found: Option<Value>,
    path: &str,
    wanted: &VaultSecret,
    others: impl Fn() -> String,
) -> Result<Secret, VaultError> {
    let (path, field) = (path.to_owned(), wanted.field.to_string());
    let not_text = |found| VaultError::NotText { path: path.clone(), field: field.clone(), found };
    match found {
        Some(Value::String(text)) => Ok(Secret::new(text)),
        Some(Value::Number(number)) => Ok(Secret::new(number.to_string())),
        Some(Value::Bool(truth)) => Ok(Secret::new(truth.to_string())),
        Some(Value::Null) => Err(not_text("null")),
        Some(Value::Array(_)) => Err(not_text("a list")),
        Some(Value::Object(_)) => Err(not_text("an object")),
        None => Err(VaultError::NoField { path: path.clone(), field: field.clone(), fields: others() }),
    }
}

/// The names of some fields.
fn names<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let names: Vec<&str> = names.take(20).map(String::as_str).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
