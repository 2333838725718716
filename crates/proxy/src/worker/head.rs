//! Heads of messages: what is refused, what stays between two neighbours, and what is added.

use std::net::SocketAddr;
use std::rc::Rc;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::uri::PathAndQuery;
use http::{Method, Request, Response, StatusCode, Uri, Version};
use hyper::body::Incoming;

use super::answer;
use super::body::{Progress, ReplyBody, Upload};
use super::tunnel::Upgrade;

/// Headers that concern one connection only (RFC 9110, section 7.6.1), with those that were once used so. `Trailer` and
/// `TE: trailers` are meant for both ends and stay.
const HOP_BY_HOP: [HeaderName; 9] = [
    header::CONNECTION,
    HeaderName::from_static("http2-settings"),
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// What the edge tells endpoints of one client connection.
pub(super) struct ClientConnection {
    pub(super) listen: SocketAddr,
    address: HeaderValue,
    /// The start of the `Forwarded` header (RFC 7239).
    forwarded: String,
}

impl ClientConnection {
    pub(super) fn new(peer: SocketAddr, listen: SocketAddr) -> Self {
        let address = peer.ip().to_string();
        let forwarded = match peer {
            SocketAddr::V4(_) => format!("for={address};proto=http"),
            SocketAddr::V6(_) => format!("for=\"[{address}]\";proto=http"),
        };
        // An address prints as digits, letters, dots and colons.
        let address = HeaderValue::from_str(&address).unwrap_or_else(|_| HeaderValue::from_static("unknown"));
        Self { listen, address, forwarded }
    }
}

/// A request as it goes out to an endpoint, perhaps several times.
pub(super) struct Outbound {
    request: Option<Request<Upload>>,
    pub(super) progress: Rc<Progress>,
    /// Whether doing it twice is as good as once: a safe method, and no body.
    pub(super) repeatable: bool,
    /// The client's wish to go on in another protocol.
    pub(super) upgrade: Option<Upgrade>,
}

impl Outbound {
    /// Takes over what a client sent, or says why it is refused.
    pub(super) fn new(
        mut request: Request<Incoming>,
        client: &ClientConnection,
    ) -> Result<Self, Box<Response<ReplyBody>>> {
        let upgrade = Upgrade::wanted(&mut request);
        let (mut parts, body) = request.into_parts();
        let body = Upload::new(body);
        let host = requested_host(&parts.method, &parts.uri, &parts.headers, parts.version, client.listen)?;
        parts.uri = origin_form(parts.uri);
        remove_hop_by_hop(&mut parts.headers);
        // hyper answers it with `100 Continue` as soon as the endpoint wants the body.
        parts.headers.remove(header::EXPECT);
        add_via(&mut parts.headers, parts.version);
        set_forwarded(&mut parts.headers, client, &host);
        parts.headers.insert(header::HOST, host);
        if let Some(upgrade) = &upgrade {
            upgrade.ask(&mut parts.headers);
        }

        let mut outbound = Request::new(body);
        *outbound.method_mut() = parts.method;
        *outbound.uri_mut() = parts.uri;
        *outbound.headers_mut() = parts.headers;
        let progress = outbound.body().progress();
        let repeatable = outbound.method().is_safe() && outbound.body().is_empty();
        Ok(Self { request: Some(outbound), progress, repeatable, upgrade })
    }

    /// The headers; none while the request is out and cannot be repeated.
    pub(super) fn headers(&self) -> Option<&HeaderMap> {
        self.request.as_ref().map(Request::headers)
    }

    /// The request to send. One that can be repeated stays here too; another is gone until it is put back.
    pub(super) fn take(&mut self) -> Option<Request<Upload>> {
        if !self.repeatable {
            return self.request.take();
        }
        let kept = self.request.as_ref()?;
        let mut copy = Request::new(kept.body().empty_again());
        *copy.method_mut() = kept.method().clone();
        *copy.uri_mut() = kept.uri().clone();
        *copy.headers_mut() = kept.headers().clone();
        Some(copy)
    }

    /// Puts back a request that was not sent after all.
    pub(super) fn put_back(&mut self, request: Request<Upload>) {
        self.request = Some(request);
    }
}

/// Prepares an endpoint's headers for the client.
pub(super) fn clean_response(headers: &mut HeaderMap) {
    remove_hop_by_hop(headers);
}

/// Which host is asked for. Two answers to that question, or none from a client that must give one, are refused
/// (RFC 9112, section 3.2).
fn requested_host(
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    version: Version,
    listen: SocketAddr,
) -> Result<HeaderValue, Box<Response<ReplyBody>>> {
    if *method == Method::CONNECT {
        let text = "CONNECT is not supported here.\n";
        return Err(Box::new(answer::refused(StatusCode::NOT_IMPLEMENTED, text)));
    }
    let refused = |text| Err(Box::new(answer::refused(StatusCode::BAD_REQUEST, text)));
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        return refused("The request has more than one Host header.\n");
    }
    if host.is_none() && version >= Version::HTTP_11 {
        return refused("The request has no Host header.\n");
    }
    // A whole address in the request line goes before the header.
    let asked = uri.authority().and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
    let own = || HeaderValue::from_str(&listen.to_string()).ok();
    match asked.or_else(|| host.cloned()).or_else(own) {
        Some(host) if is_host(&host) => Ok(host),
        _ => refused("The request has no usable Host header.\n"),
    }
}

/// Whether this can be a host with an optional port (RFC 3986, section 3.2). It may be empty; what is not in it is
/// anything at which two readers could cut it differently.
fn is_host(value: &HeaderValue) -> bool {
    value.as_bytes().iter().all(|byte| byte.is_ascii_graphic() && !b"/\\?#@\"<>,".contains(byte))
}

/// Path and query alone, which is how servers are asked.
fn origin_form(uri: Uri) -> Uri {
    if uri.authority().is_none() {
        return uri;
    }
    let path = uri.into_parts().path_and_query.unwrap_or_else(|| PathAndQuery::from_static("/"));
    Uri::from(path)
}

fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let wants_trailers = headers.get_all(header::TE).iter().any(|value| {
        value.as_bytes().split(|byte| *byte == b',').any(|part| part.trim_ascii() == b"trailers")
    });
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok())
        // Naming one of these would be an attack on our neighbour, not a statement about a connection.
        .filter(|name| *name != header::HOST && *name != header::CONTENT_LENGTH)
        .collect();
    for name in HOP_BY_HOP.iter().chain(&named) {
        headers.remove(name);
    }
    if wants_trailers {
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
    }
}

fn add_via(headers: &mut HeaderMap, version: Version) {
    let ours = if version == Version::HTTP_10 { "1.0 pilotage" } else { "1.1 pilotage" };
    headers.append(header::VIA, HeaderValue::from_static(ours));
}

/// Says who asks and for what, in place of anything the client said of itself: nobody is trusted.
fn set_forwarded(headers: &mut HeaderMap, client: &ClientConnection, host: &HeaderValue) {
    headers.insert(X_FORWARDED_FOR, client.address.clone());
    headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static("http"));
    headers.insert(X_FORWARDED_HOST, host.clone());
    // Needs no escapes within the quotes: `is_host` has let none pass.
    let forwarded = match host.to_str() {
        Ok(host) => HeaderValue::from_str(&format!("{};host=\"{host}\"", client.forwarded)),
        Err(_) => HeaderValue::from_str(&client.forwarded),
    };
    match forwarded {
        Ok(value) => headers.insert(header::FORWARDED, value),
        Err(_) => headers.remove(header::FORWARDED),
    };
}
