//! What a certificate is for: the names in its `subjectAltName`. The subject's common name does not count (RFC 9525,
//! section 2).

use std::net::IpAddr;

use x509_cert::der;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

const WILDCARD: &str = "*.";

/// The names of one certificate, in lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Names {
    /// `shop.example.com`.
    pub(super) exact: Vec<String>,
    /// `example.com`, for what a certificate writes as `*.example.com`.
    pub(super) wildcards: Vec<String>,
    addresses: Vec<IpAddr>,
}

impl Names {
    /// Reads them from a certificate. One without any can still be a listener's default.
    pub(super) fn of(certificate: &x509_cert::Certificate) -> Result<Self, der::Error> {
        let mut names = Self::default();
        let Some((_, SubjectAltName(entries))) = certificate.tbs_certificate().get_extension()? else {
            return Ok(names);
        };
        for entry in entries {
            match entry {
                GeneralName::DnsName(name) => names.add(name.as_str()),
                GeneralName::IpAddress(octets) => names.addresses.extend(address(octets.as_bytes())),
                // Of no use to a server of HTTP.
                _ => {}
            }
        }
        Ok(names)
    }

    /// Whether the certificate is for this host, given without a port. A wildcard stands for exactly one label.
    pub(super) fn cover(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host);
        let parent = parent(host);
        self.exact.iter().any(|name| name.eq_ignore_ascii_case(host))
            || self
                .wildcards
                .iter()
                .any(|name| parent.is_some_and(|parent| name.eq_ignore_ascii_case(parent)))
            || self.has_address(host)
    }

    /// All of them, as the certificate writes them.
    pub(super) fn list(&self) -> Vec<String> {
        let wildcards = self.wildcards.iter().map(|name| format!("{WILDCARD}{name}"));
        let addresses = self.addresses.iter().map(IpAddr::to_string);
        self.exact.iter().cloned().chain(wildcards).chain(addresses).collect()
    }

    fn add(&mut self, name: &str) {
        let name = name.to_ascii_lowercase();
        match name.strip_prefix(WILDCARD) {
            Some(rest) => self.wildcards.push(rest.to_owned()),
            // A star elsewhere (`w*.example.com`) is no longer a wildcard, and no host has one in its name.
            None => self.exact.push(name),
        }
    }

    fn has_address(&self, host: &str) -> bool {
        if self.addresses.is_empty() {
            return false;
        }
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        bare.parse().is_ok_and(|address| self.addresses.contains(&address))
    }
}

/// The name without its first label, which is what a wildcard is compared with.
pub(super) fn parent(name: &str) -> Option<&str> {
    name.split_once('.').filter(|(label, _)| !label.is_empty()).map(|(_, parent)| parent)
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    let four = <[u8; 4]>::try_from(octets).map(IpAddr::from);
    four.or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_covers_its_names_and_one_label_under_a_wildcard() {
        let mut names = Names { addresses: vec!["::1".parse().unwrap()], ..Names::default() };
        names.add("Shop.example.com");
        names.add("*.example.org");
        for host in ["shop.example.com", "SHOP.example.com.", "a.example.org", "A.EXAMPLE.ORG", "[::1]"] {
            assert!(names.cover(host), "{host}");
        }
        for host in [
            "",
            ".",
            "example.com",
            "a.shop.example.com",
            "example.org",
            "a.b.example.org",
            ".example.org",
            "127.0.0.1",
        ] {
            assert!(!names.cover(host), "{host}");
        }
        assert_eq!(names.list(), ["shop.example.com", "*.example.org", "::1"]);
    }
}
