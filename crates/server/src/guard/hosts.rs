//! Whether a request over the network is meant for this server, or was slipped to a browser by somebody else's page: by a
//! name that points here for a while (DNS rebinding), or from another origin.

use std::net::IpAddr;

use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderValue};

use crate::error::{ErrorBody, ErrorKind};

/// Refuses what does not name this server: `names`, `localhost`, or an address, which nobody can point elsewhere.
pub(super) fn check(headers: &HeaderMap, names: &[String]) -> Result<(), ErrorBody> {
    let host = single(headers, HOST.as_str()).ok_or_else(|| not_ours("Host"))?;
    let name = without_port(host).ok_or_else(|| not_ours("Host"))?;
    let is_ours = is_address(name)
        || name.eq_ignore_ascii_case("localhost")
        || names.iter().any(|known| known.eq_ignore_ascii_case(name));
    if !is_ours {
        return Err(not_ours("Host")
            .help("start the server with `--host NAME` for each name under which it is reached"));
    }
    let own = |origin: &str| {
        let authority = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
    };
    match headers.contains_key(ORIGIN) {
        true if !single(headers, ORIGIN.as_str()).is_some_and(own) => Err(not_ours("Origin")),
        _ => Ok(()),
    }
}

/// The text of a header that must not be there twice.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut all = headers.get_all(name).iter();
    let first: Option<&HeaderValue> = all.next();
    first.filter(|_| all.next().is_none())?.to_str().ok()
}

fn without_port(host: &str) -> Option<&str> {
    let Some((name, port)) = host.rsplit_once(':').filter(|_| !host.ends_with(']')) else {
        return Some(host);
    };
    port.parse::<u16>().is_ok().then_some(name)
}

fn is_address(name: &str) -> bool {
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    bare.parse::<IpAddr>().is_ok()
}

fn not_ours(header: &str) -> ErrorBody {
    ErrorBody::new(ErrorKind::Forbidden, format!("the `{header}` of this request is not this server's"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(host: &[&str], origin: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for value in host {
            headers.append(HOST, value.parse().unwrap());
        }
        for value in origin {
            headers.append(ORIGIN, value.parse().unwrap());
        }
        check(&headers, &["deploy.shop.example".to_owned()]).is_ok()
    }

    #[test]
    fn only_names_of_the_server_are_served() {
        for host in [
            "127.0.0.1:7443",
            "[::1]:7443",
            "192.0.2.1",
            "localhost:1",
            "deploy.shop.example",
            "Deploy.Shop.example:443",
        ] {
            assert!(said(&[host], &[]), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:7443",
            "deploy.shop.example.evil.example",
            "",
            "localhost:x",
            "127.0.0.1.evil.example",
            "x:1:2",
        ] {
            assert!(!said(&[host], &[]), "{host}");
        }
        assert!(!said(&[], &[]));
        assert!(!said(&["localhost", "evil.example"], &[]));
    }

    #[test]
    fn pages_of_others_are_refused() {
        assert!(said(&["localhost:7443"], &["http://localhost:7443"]));
        for origin in [
            "http://localhost:8000",
            "https://evil.example",
            "null",
            "localhost:7443",
            "http://localhost:7443/",
        ] {
            assert!(!said(&["localhost:7443"], &[origin]), "{origin}");
        }
        assert!(!said(&["localhost:1"], &["http://localhost:1", "http://localhost:1"]));
    }
}
