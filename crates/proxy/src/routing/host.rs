//! The host of a request in the one form that is looked up.

/// The longest name that DNS knows (RFC 1035, section 2.3.4). A longer host is nobody's.
const LONGEST: usize = 253;

/// A host in lower case, without a port and without the dot at the end of an absolute name. Lives on the stack.
pub(super) struct CanonicalHost {
    bytes: [u8; LONGEST],
    length: usize,
}

impl CanonicalHost {
    /// `None` if the host is longer than a name can be.
    pub(super) fn new(asked: &[u8]) -> Option<Self> {
        let host = without_port(asked);
        let host = host.strip_suffix(b".").unwrap_or(host);
        let mut bytes = [0; LONGEST];
        let own = bytes.get_mut(..host.len())?;
        own.copy_from_slice(host);
        own.make_ascii_lowercase();
        Some(Self { bytes, length: host.len() })
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// What comes after the first label: what a wildcard names.
    pub(super) fn parent(&self) -> Option<&[u8]> {
        let host = self.as_bytes();
        let dot = memchr::memchr(b'.', host).filter(|dot| *dot > 0)?;
        Some(&host[dot + 1..])
    }
}

fn without_port(host: &[u8]) -> &[u8] {
    match memchr::memrchr(b':', host) {
        Some(colon) if host[colon + 1..].iter().all(u8::is_ascii_digit) => &host[..colon],
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_case_and_the_last_dot_do_not_matter() {
        for asked in
            ["shop.example.com", "SHOP.Example.com:8080", "shop.example.com.", "shop.example.com.:80"]
        {
            let host = CanonicalHost::new(asked.as_bytes()).unwrap();
            assert_eq!(host.as_bytes(), b"shop.example.com", "{asked}");
            assert_eq!(host.parent(), Some(&b"example.com"[..]));
        }
        let known = |asked: &str| {
            let host = CanonicalHost::new(asked.as_bytes()).unwrap();
            String::from_utf8(host.as_bytes().to_vec()).unwrap()
        };
        assert_eq!(known("[::1]:80"), "[::1]");
        assert_eq!(known("[::1]"), "[::1]");
        assert_eq!(known("a.b:http"), "a.b:http", "not a port");
        assert_eq!(known("a.b.."), "a.b.", "one dot is the root, two are a fault");
        assert_eq!(known(""), "");
    }

    #[test]
    fn a_wildcard_needs_a_label_to_stand_for() {
        assert_eq!(CanonicalHost::new(b"localhost").unwrap().parent(), None);
        assert_eq!(CanonicalHost::new(b".example.com").unwrap().parent(), None);
    }

    #[test]
    fn hosts_that_are_too_long_are_nobodys() {
        assert!(CanonicalHost::new(&[b'a'; LONGEST]).is_some());
        assert!(CanonicalHost::new(&[b'a'; LONGEST + 1]).is_none());
        let mut absolute = vec![b'a'; LONGEST];
        absolute.extend(b".:443");
        assert!(CanonicalHost::new(&absolute).is_some());
    }
}
