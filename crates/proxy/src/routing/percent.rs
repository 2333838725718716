//! Percent-encoding (RFC 3986, section 2.1), as much of it as matching needs.

/// The bytes that a part of a path stands for. What is not an escape stands for itself.
pub(super) fn path_bytes(text: &[u8]) -> impl Iterator<Item = u8> {
    Decoded { text, plus: b'+' }
}

/// The bytes that a name or value in a query stands for, where `+` is a space (the form encoding of HTML).
pub(super) fn query_bytes(text: &[u8]) -> impl Iterator<Item = u8> {
    Decoded { text, plus: b' ' }
}

struct Decoded<'t> {
    text: &'t [u8],
    /// What a `+` stands for.
    plus: u8,
}

impl Iterator for Decoded<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.text.split_first()?;
        if *first == b'%'
            && let [high, low, after @ ..] = rest
            && let (Some(high), Some(low)) = (digit(*high), digit(*low))
        {
            self.text = after;
            return Some(high << 4 | low);
        }
        self.text = rest;
        Some(if *first == b'+' { self.plus } else { *first })
    }
}

/// The value of a hexadecimal digit.
fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded_once_and_what_is_none_stays() {
        let path = |text: &str| String::from_utf8(path_bytes(text.as_bytes()).collect()).unwrap();
        assert_eq!(path("a%2Fb%2e%2E+"), "a/b..+");
        assert_eq!(path("%252e"), "%2e");
        assert_eq!(path("100%"), "100%");
        assert_eq!(path("%4%zz%"), "%4%zz%");
        let query: Vec<u8> = query_bytes(b"a+b%2Bc").collect();
        assert_eq!(query, b"a b+c");
    }
}
