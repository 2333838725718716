//! One bounded request over HTTP or HTTPS.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use thiserror::Error;

use crate::trust::{self, ClientIdentity, TrustError};

/// A whole question may take so long.
pub const TIMEOUT: Duration = Duration::from_secs(5);

/// An answer may be so long; one number takes a few hundred bytes.
const ANSWER_LIMIT_BYTES: usize = 1024 * 1024;

/// Speaks to servers; keeps connections open between questions.
#[derive(Debug, Clone)]
pub struct Transport(Connector);

#[derive(Debug, Clone)]
enum Connector {
    Plain(Client<HttpConnector, Full<Bytes>>),
    Tls(Client<HttpsConnector<HttpConnector>, Full<Bytes>>),
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TransportError {
    /// Nothing, or not all of it, within [`TIMEOUT`].
    #[error("no answer within {} s", TIMEOUT.as_secs())]
    Timeout,
    /// More than is read.
    #[error("an answer of more than {} KiB", ANSWER_LIMIT_BYTES >> 10)]
    TooLong,
    /// No connection, or it broke; with the last cause in words.
    #[error("{0}")]
    Unreachable(String),
}

impl Transport {
    /// Over TLS, or not. With TLS it trusts the certificates that the machine trusts, so that a company's own authority needs no
    /// setting here.
    ///
    /// # Errors
    /// Fails if TLS is wanted and this machine trusts nobody.
    pub fn new(tls: bool) -> std::io::Result<Self> {
        if tls { Self::tls() } else { Ok(Self::plain()) }
    }

    fn plain() -> Self {
        Self(Connector::Plain(Client::builder(TokioExecutor::new()).build_http()))
    }

    fn tls() -> std::io::Result<Self> {
        let builder = hyper_rustls::HttpsConnectorBuilder::new().with_native_roots()?;
        let connector = builder.https_only().enable_http1().build();
        Ok(Self(Connector::Tls(Client::builder(TokioExecutor::new()).build(connector))))
    }

    /// Over TLS, trusting only these certificates (PEM), and showing a certificate of its own if one is given.
    ///
    /// # Errors
    /// Fails if there is no usable certificate or key in what is given.
    pub fn trusting(authority: &[u8], identity: Option<ClientIdentity<'_>>) -> Result<Self, TrustError> {
        let config = trust::client_config(authority, identity)?;
        let builder = hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(config);
        let connector = builder.https_only().enable_http1().build();
        Ok(Self(Connector::Tls(Client::builder(TokioExecutor::new()).build(connector))))
    }

    /// Asks, and reads the answer to its end. A redirect is an answer: nothing is sent to where it points.
    ///
    /// # Errors
    /// Fails if there is no whole answer within [`TIMEOUT`], or it is too long.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Bytes>, TransportError> {
        let whole = async {
            let response = self.begin(request).await?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, ANSWER_LIMIT_BYTES).collect().await;
            let body = body.map_err(|error| {
                let too_long = error.is::<LengthLimitError>();
                if too_long {
                    TransportError::TooLong
                } else {
                    TransportError::Unreachable(innermost(&*error))
                }
            })?;
            Ok(Response::from_parts(head, body.to_bytes()))
        };
        tokio::time::timeout(TIMEOUT, whole).await.unwrap_or(Err(TransportError::Timeout))
    }

    async fn begin(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, TransportError> {
        let response = match &self.0 {
            Connector::Plain(client) => client.request(request).await,
            Connector::Tls(client) => client.request(request).await,
        };
        response.map_err(|error| TransportError::Unreachable(innermost(&error)))
    }
}

/// The last cause: `Connection refused` says more than `client error (Connect)`.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
