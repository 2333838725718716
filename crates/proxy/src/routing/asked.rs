//! What routing asks of a request.

use std::net::IpAddr;

use memchr::memchr;

/// What routing asks of a request, whoever parsed it and whatever protocol it came in.
pub(crate) trait Asked {
    /// Path and query.
    fn target(&self) -> &[u8];
    /// Whether the method changes nothing (RFC 9110, section 9.2.1).
    fn method_is_safe(&self) -> bool;
    /// The first value of a header. The name is in lower case.
    fn header(&self, name: &str) -> Option<&[u8]>;
    /// The values of all `Cookie` headers.
    fn cookies(&self) -> impl Iterator<Item = &[u8]>;
    /// The client's address, behind the proxies that are trusted.
    fn client(&self) -> IpAddr;
    /// Whether the client's connection is encrypted, as seen here or by a trusted proxy.
    fn is_secure(&self) -> bool;
}

/// The values of all cookies of a name (RFC 6265, section 4.2.1), in the order in which they were sent.
pub(super) fn cookie_values<'a>(asked: &'a impl Asked, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    let pairs = asked.cookies().flat_map(pairs);
    pairs.filter_map(move |pair| pair.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
}

/// The pairs of one `Cookie` header.
fn pairs(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let line = rest?;
        let end = memchr(b';', line);
        rest = end.map(|end| &line[end + 1..]);
        Some(line[..end.unwrap_or(line.len())].trim_ascii())
    })
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;

    fn found(lines: &[&str], name: &str) -> Vec<String> {
        let sample = lines.iter().fold(Sample::new(), |sample, line| sample.with("cookie", line));
        cookie_values(&sample, name).map(|value| String::from_utf8(value.to_vec()).unwrap()).collect()
    }

    #[test]
    fn cookies_are_found_by_their_whole_name() {
        assert_eq!(found(&["a=1; bb=2;b=3 ; c=4"], "b"), ["3"]);
        assert_eq!(found(&["b=1;b", "c=2; b=3=4; b="], "b"), ["1", "3=4", ""]);
        assert!(found(&["", ";;", "=b", " b = 1"], "b").is_empty());
    }
}
