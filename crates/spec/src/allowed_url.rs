//! Which servers the file may send us to. Unless it is said, none but those on this machine.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::quote::shown;

/// The addresses that may be fetched beside those of this machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AllowedUrls(pub Vec<AllowedUrl>);

/// Scheme, host and port of servers: `https://jira.shop.example`, `https://*.shop.example:8443`, `http://10.0.0.7:*`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AllowedUrl {
    scheme: String,
    host: AllowedHost,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum AllowedHost {
    /// This very host.
    One(String),
    /// All that end with this, which begins with a full stop.
    Below(String),
}

/// A text that names no servers.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{0}` is not an address: write scheme and host, and a port if it is an unusual one: `https://jira.shop.example`, `https://*.shop.example:8443`"
)]
pub struct AllowedUrlError(String);

impl AllowedUrls {
    /// Whether nothing but this machine is allowed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an address may be fetched: its server is listed, or is on this machine. What cannot be read may not.
    pub fn permits(&self, url: &str) -> bool {
        let Some(origin) = Origin::of(url) else { return false };
        origin.is_loopback() || self.0.iter().any(|allowed| allowed.covers(&origin))
    }
}

impl AllowedUrl {
    fn covers(&self, origin: &Origin) -> bool {
        let host = match &self.host {
            AllowedHost::One(host) => origin.host == *host,
            AllowedHost::Below(end) => origin.host.len() > end.len() && origin.host.ends_with(end.as_str()),
        };
        host && self.scheme == origin.scheme && self.port.is_none_or(|port| port == origin.port)
    }
}

impl FromStr for AllowedUrl {
    type Err = AllowedUrlError;

    fn from_str(text: &str) -> Result<Self, AllowedUrlError> {
        let error = || AllowedUrlError(shown(text));
        let (any_port, plain) = match text.strip_suffix(":*") {
            Some(plain) => (true, plain),
            None => (false, text),
        };
        let rest = plain.split_once("://").map(|(_, rest)| rest).ok_or_else(error)?;
        let (below, rest) = match rest.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let (scheme, _) = plain.split_once("://").ok_or_else(error)?;
        let origin = Origin::of(&format!("{scheme}://{rest}")).ok_or_else(error)?;
        let is_bare = !rest.contains(['/', '?', '#']);
        // A name of one label, as in `*.com`, would be everybody's.
        if !is_bare || (below && (!origin.host.contains('.') || origin.ip().is_some())) {
            return Err(error());
        }
        let host = if below {
            AllowedHost::Below(format!(".{}", origin.host))
        } else {
            AllowedHost::One(origin.host)
        };
        Ok(Self { scheme: origin.scheme, host, port: (!any_port).then_some(origin.port) })
    }
}

impl TryFrom<String> for AllowedUrl {
    type Error = AllowedUrlError;

    fn try_from(text: String) -> Result<Self, AllowedUrlError> {
        text.parse()
    }
}

impl From<AllowedUrl> for String {
    fn from(allowed: AllowedUrl) -> Self {
        allowed.to_string()
    }
}

impl fmt::Display for AllowedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            AllowedHost::One(host) => write!(f, "{}://{host}", self.scheme)?,
            AllowedHost::Below(end) => write!(f, "{}://*{end}", self.scheme)?,
        }
        match self.port {
            None => write!(f, ":*"),
            Some(port) if port == usual_port(&self.scheme) => Ok(()),
            Some(port) => write!(f, ":{port}"),
        }
    }
}

/// Scheme, host and port of an address.
pub(crate) struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

impl Origin {
    /// The origin of an address; `None` if it is not of `http` or `https`, or its host is not plainly written. A user in front of the
    /// host makes it unreadable, since programs disagree on where the host begins then.
    pub(crate) fn of(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let scheme = scheme.to_ascii_lowercase();
        if !matches!(scheme.as_str(), "http" | "https") {
            return None;
        }
        let authority = rest.split(['/', '?', '#']).next()?;
        let (host, port) = match authority.rsplit_once(':') {
            // Within brackets a colon belongs to the address.
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (authority, None),
        };
        let port = match port {
            Some(port) => port.parse().ok().filter(|_| port.bytes().all(|digit| digit.is_ascii_digit()))?,
            None => usual_port(&scheme),
        };
        let host = host.to_ascii_lowercase();
        is_host(&host).then_some(Self { scheme, host, port })
    }

    fn ip(&self) -> Option<IpAddr> {
        self.host.trim_start_matches('[').trim_end_matches(']').parse().ok()
    }

    fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.ip().is_some_and(|ip| ip.is_loopback())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        if self.port == usual_port(&self.scheme) { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

fn usual_port(scheme: &str) -> u16 {
    if scheme == "https" { 443 } else { 80 }
}

/// A name of DNS labels, or an IP address, the one of version 6 in brackets.
fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        return address.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    host.len() <= 253 && host.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permits(allowed: &[&str], url: &str) -> bool {
        AllowedUrls(allowed.iter().map(|text| text.parse().unwrap()).collect()).permits(url)
    }

    #[test]
    fn this_machine_is_always_allowed_and_nothing_else_by_itself() {
        for url in [
            "http://127.0.0.1:9090/metrics",
            "http://localhost",
            "https://[::1]:8200/",
            "HTTP://LOCALHOST:1/",
        ] {
            assert!(permits(&[], url), "{url}");
        }
        for url in [
            "http://127.0.0.1.example.com/",
            "http://localhost.example.com",
            "http://localhost@example.com/",
            "http://example.com@localhost/",
            "http://example.com\\@localhost/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://[::ffff:10.0.0.1]/",
            "http://0.0.0.0/",
            "http://169.254.169.254/latest/meta-data",
            "file:///etc/passwd",
            "gopher://127.0.0.1/",
            "http://",
            "//127.0.0.1",
            "http://127.0.0.1:x/",
            "http://127.0.0.1:99999/",
            "http://ⓛocalhost/",
            "",
        ] {
            assert!(!permits(&[], url), "{url}");
        }
    }

    #[test]
    fn scheme_host_and_port_must_all_be_those_of_the_list() {
        let allowed = ["https://jira.shop.example", "http://10.0.0.7:*", "https://*.corp.example:8443"];
        for url in [
            "https://jira.shop.example/rest/api?x=https://evil",
            "https://JIRA.shop.example:443/",
            "http://10.0.0.7:1234/",
            "https://vault.corp.example:8443/v1",
            "https://a.b.corp.example:8443",
        ] {
            assert!(permits(&allowed, url), "{url}");
        }
        for url in [
            "http://jira.shop.example/",
            "https://jira.shop.example:8443/",
            "https://jira.shop.example.evil.com/",
            "https://evil.com/jira.shop.example",
            "https://evil.com#https://jira.shop.example",
            "https://jira.shop.example@evil.com/",
            "https://corp.example:8443/",
            "https://evilcorp.example:8443/",
            "https://vault.corp.example/",
            "http://10.0.0.70:1234/",
        ] {
            assert!(!permits(&allowed, url), "{url}");
        }
    }

    #[test]
    fn an_entry_is_an_origin_and_is_written_as_it_is_read() {
        for text in [
            "https://jira.shop.example",
            "http://10.0.0.7:*",
            "https://*.corp.example:8443",
            "http://[fd00::1]:8200",
        ] {
            assert_eq!(text.parse::<AllowedUrl>().unwrap().to_string(), text);
        }
        for text in [
            "*",
            "https://*",
            "https://*.com",
            "https://*.10.0.0.1",
            "https://a/b",
            "jira.example",
            "https://me@a.b",
            "ftp://a.b",
            "https://a b",
            "https://",
        ] {
            assert!(text.parse::<AllowedUrl>().is_err(), "{text}");
        }
    }
}
