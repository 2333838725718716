//! Connections that stop being HTTP: WebSockets and other upgrades, passed through byte by byte.

use std::rc::Rc;

use http::header::{CONNECTION, UPGRADE};
use http::{HeaderMap, HeaderValue, Request, Version};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;

use super::flight::Flight;
use super::serve::Visitor;

/// A client that wants to go on in another protocol.
pub(super) struct Upgrade {
    protocol: HeaderValue,
    client: OnUpgrade,
}

impl Upgrade {
    /// Reads the wish from a request. HTTP/2 without TLS is not passed through: requests inside it would get past
    /// everything that the edge checks. A server may ignore the wish, so such a request is served as it is.
    pub(super) fn wanted<B>(request: &mut Request<B>) -> Option<Self> {
        let headers = request.headers();
        let protocol = headers.get(UPGRADE)?.clone();
        let names_it = headers
            .get_all(CONNECTION)
            .iter()
            .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
            .any(|token| token.trim_ascii().eq_ignore_ascii_case(b"upgrade"));
        let is_http_2 = protocol.as_bytes().to_ascii_lowercase().windows(3).any(|part| part == b"h2c");
        if !names_it || is_http_2 || request.version() != Version::HTTP_11 {
            return None;
        }
        Some(Self { protocol, client: hyper::upgrade::on(request) })
    }

    /// Puts the wish into the request that goes out.
    pub(super) fn ask(&self, headers: &mut HeaderMap) {
        announce(headers, self.protocol.clone());
    }

    /// Carries bytes both ways until both sides have ended. The request is in flight as long.
    pub(super) async fn carry(self, upstream: OnUpgrade, flight: Flight, visitor: Rc<Visitor>) {
        // An error on either side means that it is gone, and so is the tunnel.
        if let (Ok(upstream), Ok(client)) = (upstream.await, self.client.await) {
            let _ = copy_bidirectional(&mut TokioIo::new(client), &mut TokioIo::new(upstream)).await;
        }
        drop((flight, visitor));
    }
}

/// Names the protocol that a connection changes to.
pub(super) fn announce(headers: &mut HeaderMap, protocol: HeaderValue) {
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, protocol);
}
