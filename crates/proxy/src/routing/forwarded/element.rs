//! The elements of a `Forwarded` header (RFC 7239, section 4).

use std::borrow::Cow;

use super::node::Node;
use super::walk::{Hop, Malformed, Scheme};

/// The name of a parameter, and its value without quotes.
type Pair<'l> = (&'l [u8], Cow<'l, [u8]>);

/// The elements of one header line from its end, each with what it says.
///
/// A line is read from its beginning, as a comma may stand in quotes. If it cannot be read, none of it is believed.
pub(super) fn elements_from_the_end(line: &[u8]) -> Vec<Result<Hop, Malformed>> {
    let mut elements = Vec::new();
    let mut rest = line;
    loop {
        match element(&mut rest) {
            Ok(Some(hop)) => elements.push(Ok(hop)),
            // An empty element, which a list may have (RFC 9110, section 5.6.1).
            Ok(None) => {}
            Err(malformed) => return vec![Err(malformed)],
        }
        match rest.split_first() {
            None => break,
            Some((_, after)) => rest = after,
        }
    }
    elements.reverse();
    elements
}

/// Reads up to the next comma or the end, which is left.
fn element(rest: &mut &[u8]) -> Result<Option<Hop>, Malformed> {
    let (mut node, mut scheme, mut host) = (None, None, None);
    let mut seen = Vec::new();
    loop {
        *rest = rest.trim_ascii_start();
        if let Some((name, value)) = pair(rest)? {
            let name = name.to_ascii_lowercase();
            match name.as_slice() {
                b"for" => node = Some(Node::parse(&value).ok_or(Malformed)?),
                b"proto" => scheme = Scheme::parse(&value),
                b"host" => host = Some(value.into_owned()),
                _ => {}
            }
            if seen.contains(&name) {
                return Err(Malformed);
            }
            seen.push(name);
        }
        *rest = rest.trim_ascii_start();
        match rest.first() {
            Some(b';') => *rest = &rest[1..],
            None | Some(b',') => break,
            Some(_) => return Err(Malformed),
        }
    }
    let node = node.unwrap_or_else(Node::unknown);
    Ok((!seen.is_empty()).then_some(Hop { node, scheme, host }))
}

/// `token "=" ( token / quoted-string )`; nothing where a pair may be left out.
fn pair<'l>(rest: &mut &'l [u8]) -> Result<Option<Pair<'l>>, Malformed> {
    if matches!(rest.first(), None | Some(b';' | b',')) {
        return Ok(None);
    }
    let equals = memchr::memchr(b'=', rest).ok_or(Malformed)?;
    let name = &rest[..equals];
    if name.is_empty()
        || !name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
    {
        return Err(Malformed);
    }
    *rest = &rest[equals + 1..];
    let value = if rest.first() == Some(&b'"') { quoted(rest)?.into() } else { bare(rest)?.into() };
    Ok(Some((name, value)))
}

/// A value without quotes. Also takes the colons and brackets that must be quoted and, in the wild, are not.
fn bare<'l>(rest: &mut &'l [u8]) -> Result<&'l [u8], Malformed> {
    let is_end = |byte: &u8| matches!(byte, b';' | b',' | b' ' | b'\t');
    let (value, after) = rest.split_at(rest.iter().position(is_end).unwrap_or(rest.len()));
    *rest = after;
    let sound =
        !value.is_empty() && value.iter().all(|byte| byte.is_ascii_graphic() && !b"\"\\=".contains(byte));
    if sound { Ok(value) } else { Err(Malformed) }
}

/// A quoted string (RFC 9110, section 5.6.4), without its quotes and escapes.
fn quoted(rest: &mut &[u8]) -> Result<Vec<u8>, Malformed> {
    let mut value = Vec::new();
    let mut bytes = rest.iter().enumerate().skip(1);
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => {
                *rest = &rest[at + 1..];
                return Ok(value);
            }
            b'\\' => value.push(*bytes.next().ok_or(Malformed)?.1),
            _ => value.push(*byte),
        }
    }
    Err(Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hop(node: &str, scheme: Option<Scheme>, host: Option<&str>) -> Result<Hop, Malformed> {
        let node = Node::parse(node.as_bytes()).unwrap();
        Ok(Hop { node, scheme, host: host.map(|host| host.as_bytes().to_vec()) })
    }

    #[test]
    fn elements_are_read_as_the_rfc_shows_them() {
        let read = |line: &str| elements_from_the_end(line.as_bytes());
        assert_eq!(read(r#"for="_gazonk""#), [hop("_gazonk", None, None)]);
        assert_eq!(read(r#"For="[2001:db8:cafe::17]:4711""#), [hop("2001:db8:cafe::17", None, None)]);
        assert_eq!(
            read("for=192.0.2.60;proto=http;by=203.0.113.43"),
            [hop("192.0.2.60", Some(Scheme::Http), None)]
        );
        assert_eq!(
            read("for=192.0.2.43, for=198.51.100.17"),
            [hop("198.51.100.17", None, None), hop("192.0.2.43", None, None)]
        );
    }

    #[test]
    fn quotes_spaces_and_gaps_are_understood() {
        let read = |line: &str| elements_from_the_end(line.as_bytes());
        assert_eq!(
            read(r#" , for="192.0.2.1" ; HOST="a,b;\"c" ;; ext=1 ,, proto=HTTPS,"#),
            [hop("unknown", Some(Scheme::Https), None), hop("192.0.2.1", None, Some(r#"a,b;"c"#)),]
        );
        assert_eq!(read("for=[::1]:80;proto=gopher"), [hop("::1", None, None)]);
        assert_eq!(read(""), []);
    }

    #[test]
    fn what_cannot_be_read_is_not_believed_at_all() {
        for line in [
            "for",
            "=1",
            "for=",
            "for=a b",
            "for=192.0.2.1;for=192.0.2.2",
            r#"for="192.0.2.1"#,
            r#"for="192.0.2.1"x"#,
            r#"for="\"#,
            "for=192.0.2.1 x",
            "fo r=192.0.2.1",
            "for=nobody, for=192.0.2.1",
            "for=192.0.2.1, for=\"a",
            "for==192.0.2.1",
        ] {
            assert_eq!(elements_from_the_end(line.as_bytes()), [Err(Malformed)], "{line}");
        }
    }
}
