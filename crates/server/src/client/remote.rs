//! A server on the network.

use std::error::Error;
use std::fmt;
use std::net::IpAddr;

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use thiserror::Error;

use super::ClientError;

/// Why a server on the network cannot be spoken to.
#[derive(Debug, Error)]
pub enum RemoteError {
    /// Its address is none. It is not repeated: there may be a password in it.
    #[error("the server's address must be `https://HOST:PORT`, without user, path and query")]
    Address,
    /// The token could be read on the way.
    #[error(
        "`http://` is for servers on this machine; `https://` keeps the token from being read on the way"
    )]
    Clear,
    /// The token is none.
    #[error("the token holds characters that no token has")]
    Token,
    /// This machine trusts nobody.
    #[error("this machine has no trusted certificates: {0}")]
    Roots(std::io::Error),
}

/// A server on the network.
#[derive(Clone)]
pub(super) struct Remote {
    base: String,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Remote {
    pub(super) fn new(url: &str) -> Result<Self, RemoteError> {
        let uri: Uri = url.parse().map_err(|_| RemoteError::Address)?;
        let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) else {
            return Err(RemoteError::Address);
        };
        let is_bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
        let has_user = uri.authority().is_none_or(|authority| authority.as_str().contains('@'));
        if !is_bare || has_user || !matches!(scheme, "http" | "https") {
            return Err(RemoteError::Address);
        }
        if scheme == "http" && !is_this_machine(host) {
            return Err(RemoteError::Clear);
        }
        let connector = HttpsConnectorBuilder::new().with_native_roots().map_err(RemoteError::Roots)?;
        let connector = connector.https_or_http().enable_http1().build();
        Ok(Self {
            base: url.trim_end_matches('/').to_owned(),
            client: Client::builder(TokioExecutor::new()).build(connector),
        })
    }

    pub(super) fn uri(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub(super) async fn send(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, ClientError> {
        self.client.request(request).await.map_err(|error| {
            let mut cause: &dyn Error = &error;
            while let Some(next) = cause.source() {
                cause = next;
            }
            ClientError::Broken(format!("{}: {cause}", self.base))
        })
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").field("base", &self.base).finish_non_exhaustive()
    }
}

fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_sent_to_no_address_that_is_not_safe() {
        for url in ["http://127.0.0.1:7443", "http://localhost:1/", "http://[::1]:7443"] {
            assert!(Remote::new(url).is_ok(), "{url}");
        }
        for url in [
            "http://deploy.shop.example",
            "http://192.0.2.1:80",
            "http://127.0.0.1.evil.example",
            "http://localhost.evil.example",
        ] {
            assert!(matches!(Remote::new(url), Err(RemoteError::Clear)), "{url}");
        }
        for url in [
            "",
            "deploy.shop.example",
            "ftp://localhost",
            "http://anna:x@localhost",
            "http://localhost/v1",
            "http://localhost?x",
            "/",
        ] {
            assert!(matches!(Remote::new(url), Err(RemoteError::Address)), "{url}");
        }
    }
}
