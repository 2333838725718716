//! Parameters in the query of a URL.

use memchr::memchr;

use super::percent::query_bytes;

/// The value of the first parameter of a name, not yet decoded; empty if it has none.
pub(super) fn parameter<'t>(target: &'t [u8], name: &str) -> Option<&'t [u8]> {
    let query = &target[memchr(b'?', target)? + 1..];
    let query = &query[..memchr(b'#', query).unwrap_or(query.len())];
    query.split(|byte| *byte == b'&').find_map(|pair| {
        let (own, value) = match memchr(b'=', pair) {
            Some(equals) => (&pair[..equals], &pair[equals + 1..]),
            None => (pair, &pair[pair.len()..]),
        };
        query_bytes(own).eq(name.bytes()).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_found_by_their_decoded_name() {
        let value = |target: &'static str, name| parameter(target.as_bytes(), name);
        assert_eq!(value("/?a=1&b=2&b=3", "b"), Some(&b"2"[..]));
        assert_eq!(value("/?%62+c=x%20y", "b c"), Some(&b"x%20y"[..]));
        assert_eq!(value("/?flag&b=a=b", "flag"), Some(&b""[..]));
        assert_eq!(value("/?flag&b=a=b", "b"), Some(&b"a=b"[..]));
        for target in ["/", "/?", "/b=1", "/?bb=1", "/?a=1#&b=2"] {
            assert_eq!(value(target, "b"), None, "{target}");
        }
    }
}
