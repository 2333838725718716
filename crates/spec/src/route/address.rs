//! Hosts, paths, headers and ranges of addresses, as parsed types.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::NameError;
use crate::name::text_type;

text_type!(
    /// A host that requests name: `shop.example.com`, or `*.example.com` for one label more. Lower case, without a port.
    Host, "host", check_host
);
text_type!(
    /// The beginning of a URL's path, by whole segments: `/`, or `/api` for `/api` and `/api/…`.
    PathPrefix, "path", check_prefix
);
text_type!(
    /// The name of a header (a token of RFC 9110, section 5.6.2).
    HeaderName, "header name", check_header
);

impl Default for PathPrefix {
    fn default() -> Self {
        Self("/".to_owned())
    }
}

impl HeaderName {
    /// The header by which a client without cookies can say who it is.
    pub(super) fn client_id() -> Self {
        Self("X-Client-Id".to_owned())
    }
}

impl PathPrefix {
    /// Whether it is `/`, the beginning of every path.
    pub fn is_root(&self) -> bool {
        self.as_str() == "/"
    }
}

/// The longest name in the DNS (RFC 1035, section 2.3.4).
const HOST_LIMIT: usize = 253;
const LABEL_LIMIT: usize = 63;

fn check_host(kind: &'static str, text: &str) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty { kind });
    }
    if text.len() > HOST_LIMIT {
        return Err(NameError::TooLong { kind, length: text.len(), limit: HOST_LIMIT });
    }
    let malformed = |rule| Err(NameError::malformed(kind, text, rule));
    if text.contains("://") || text.contains('/') {
        return malformed("write the name alone, without scheme and path");
    }
    if text.contains(':') {
        return malformed("leave the port out; it belongs to `listen` under `edge`");
    }
    if text.chars().any(|c| c.is_ascii_uppercase()) {
        return malformed("write it in lower case; hosts are compared without regard to case");
    }
    let is_label = |label: &str| {
        let allowed = label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        allowed
            && (1..=LABEL_LIMIT).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if !text.strip_prefix("*.").unwrap_or(text).split('.').all(is_label) {
        return malformed(
            "write a name such as `shop.example.com`, or `*.example.com` for any one label in its place; letters of other \
             scripts in their ASCII form (`xn--…`)",
        );
    }
    Ok(())
}

fn check_prefix(kind: &'static str, text: &str) -> Result<(), NameError> {
    const LIMIT: usize = 1024;
    if text.is_empty() {
        return Err(NameError::Empty { kind });
    }
    if text.len() > LIMIT {
        return Err(NameError::TooLong { kind, length: text.len(), limit: LIMIT });
    }
    let malformed = |rule| Err(NameError::malformed(kind, text, rule));
    let Some(rest) = text.strip_prefix('/') else { return malformed("it must start with `/`") };
    if rest.is_empty() {
        return Ok(());
    }
    if rest.ends_with('/') {
        return malformed(
            "leave the `/` at the end out: whole segments are compared, so `/api` takes `/api/…` too",
        );
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~!$&'()*+,=:@".contains(c);
    let is_segment =
        |part: &str| !part.is_empty() && part != "." && part != ".." && part.chars().all(allowed);
    if !rest.split('/').all(is_segment) {
        return malformed(
            "write segments such as `/api/v1`, without `.`, `..`, `%`, `;`, query or doubled `/`",
        );
    }
    Ok(())
}

fn check_header(kind: &'static str, text: &str) -> Result<(), NameError> {
    const LIMIT: usize = 128;
    if text.is_empty() {
        return Err(NameError::Empty { kind });
    }
    if !text.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)) {
        return Err(NameError::malformed(kind, text, "write a header's name alone, such as `X-User`"));
    }
    if text.len() > LIMIT {
        return Err(NameError::TooLong { kind, length: text.len(), limit: LIMIT });
    }
    Ok(())
}

/// A range of IP addresses: `10.0.0.0/8`, `::1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl FromStr for Network {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let malformed = |rule| NameError::malformed("range of addresses", text, rule);
        let (address, bits) =
            text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let usual = "write a range such as `10.0.0.0/8`, or an IP address";
        let address: IpAddr = address.parse().map_err(|_| malformed(usual))?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => longest,
            Some(bits) => {
                bits.parse().ok().filter(|bits| *bits <= longest).ok_or_else(|| malformed(usual))?
            }
        };
        Ok(Self { address, bits })
    }
}

impl TryFrom<String> for Network {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.to_string()
    }
}

impl fmt::Display for Network {
    /// `10.0.0.0/8`; a single address has its full length: `::1/128`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused<T: FromStr<Err = NameError>>(text: &str) -> String {
        text.parse::<T>().err().unwrap_or_else(|| panic!("{text} was accepted")).to_string()
    }

    #[test]
    fn hosts_are_names_in_lower_case() {
        for text in ["shop.example.com", "localhost", "*.example.com", "127.0.0.1", "xn--bcher-kva.example"] {
            assert_eq!(text.parse::<Host>().unwrap().as_str(), text);
        }
        for (text, rule) in [
            ("https://shop.example.com", "without scheme"),
            ("shop.example.com/api", "without scheme"),
            ("shop.example.com:443", "leave the port out"),
            ("Shop.example.com", "lower case"),
            ("*", "a name such as"),
            ("a.*.example.com", "a name such as"),
            ("bücher.example", "xn--"),
            ("shop..com", "a name such as"),
            ("-shop.com", "a name such as"),
            ("shop.com.", "a name such as"),
        ] {
            assert!(refused::<Host>(text).contains(rule), "{}", refused::<Host>(text));
        }
        assert!(refused::<Host>(&"a.".repeat(127)).contains("254 characters"));
    }

    #[test]
    fn paths_are_whole_segments() {
        for text in ["/", "/api", "/api/v1.2", "/~user/@me"] {
            assert_eq!(text.parse::<PathPrefix>().unwrap().as_str(), text);
        }
        for text in [
            "", "api", "/api/", "//", "/a//b", "/a/../b", "/.", "/a?b=c", "/a%20b", "/a b", "/ü", "/a#b",
            "/a;b",
        ] {
            assert!(text.parse::<PathPrefix>().is_err(), "{text}");
        }
        assert!(refused::<PathPrefix>("/api/").contains("leave the `/` at the end out"));
    }

    #[test]
    fn networks_read_as_they_are_written() {
        for (text, written) in
            [("10.0.0.0/8", "10.0.0.0/8"), ("::1", "::1/128"), ("127.0.0.1", "127.0.0.1/32")]
        {
            assert_eq!(text.parse::<Network>().unwrap().to_string(), written);
        }
        for text in ["", "10.0.0.0/33", "::/129", "ten/8", "10.0.0.0/-1", "10.0.0.0/", "all"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }
}
