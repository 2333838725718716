//! Answers kept aside to be compared, and what can be said of two of them without reading their bodies.

use super::Pointer;
use crate::MirrorComparison;
use crate::message::ResponseHead;

/// What of two answers is compared.
#[derive(Debug)]
pub(crate) struct Comparison {
    /// The longest body that is kept; none if bodies are not compared.
    longest: Option<usize>,
    /// What may differ in bodies of JSON.
    pub(crate) ignored: Vec<Pointer>,
}

impl Comparison {
    /// From validated settings.
    pub(crate) fn new(settings: &MirrorComparison) -> Self {
        let longest = usize::try_from(settings.max_body_bytes).unwrap_or(usize::MAX);
        Self {
            longest: settings.bodies.then_some(longest),
            ignored: settings.ignore.iter().filter_map(|pointer| Pointer::parse(pointer)).collect(),
        }
    }

    /// Where the body of an answer is kept.
    pub(crate) fn body(&self) -> KeptBody {
        KeptBody { bytes: self.longest.map(|_| Vec::new()), longest: self.longest.unwrap_or_default() }
    }

    /// What is seen at once.
    pub(crate) fn glance(&self, own: &KeptAnswer, copy: &KeptAnswer) -> Glance {
        if own.status != copy.status {
            return Glance::Differ;
        }
        if self.longest.is_none() {
            return Glance::Equal;
        }
        match (&own.body, &copy.body) {
            (Some(own), Some(copy)) if own == copy => Glance::Equal,
            (Some(_), Some(_)) if own.is_json && copy.is_json => Glance::Read,
            (Some(_), Some(_)) => Glance::Differ,
            _ => Glance::Unreadable,
        }
    }
}

/// What is seen of two answers at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Glance {
    /// They are the same.
    Equal,
    /// They are not.
    Differ,
    /// They must be read as JSON.
    Read,
    /// One of them was too long, or is compressed.
    Unreadable,
}

/// The body of an answer that is passed on, kept as far as it is wanted.
#[derive(Debug, Default)]
pub(crate) struct KeptBody {
    /// None if nobody wants it, or once it is too long.
    bytes: Option<Vec<u8>>,
    longest: usize,
}

impl KeptBody {
    /// More of it.
    pub(crate) fn push(&mut self, part: &[u8]) {
        let Some(bytes) = &mut self.bytes else { return };
        if part.len() > self.longest - bytes.len() {
            self.bytes = None;
        } else {
            bytes.extend_from_slice(part);
        }
    }
}

/// An answer that has come whole.
#[derive(Debug)]
pub(crate) struct KeptAnswer {
    pub(crate) status: u16,
    is_json: bool,
    /// None if it cannot be compared.
    pub(crate) body: Option<Vec<u8>>,
}

impl KeptAnswer {
    pub(crate) fn new(head: &ResponseHead, body: KeptBody) -> Self {
        let coding = head.fields.find("content-encoding").unwrap_or(b"identity");
        let is_coded = !coding.eq_ignore_ascii_case(b"identity");
        Self {
            status: head.status,
            is_json: head.fields.find("content-type").is_some_and(is_json),
            body: body.bytes.filter(|bytes| !is_coded || bytes.is_empty()),
        }
    }
}

/// Whether a content type is JSON: `application/json`, `text/json`, or anything that ends with `+json` (RFC 6839).
fn is_json(content_type: &[u8]) -> bool {
    let end = content_type.iter().position(|byte| *byte == b';').unwrap_or(content_type.len());
    let kind = content_type[..end].trim_ascii().to_ascii_lowercase();
    kind == b"application/json" || kind == b"text/json" || kind.ends_with(b"+json")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Protocol;

    fn comparison(bodies: bool) -> Comparison {
        Comparison::new(&MirrorComparison { bodies, ignore: Vec::new(), max_body_bytes: 10 })
    }

    fn answer(status: u16, fields: &[(&str, &str)], body: &str) -> KeptAnswer {
        let mut head = ResponseHead::default();
        head.begin(Protocol::Http11, status, b"");
        fields.iter().for_each(|(name, value)| head.fields.push(name.as_bytes(), value.as_bytes()));
        let mut kept = comparison(true).body();
        body.as_bytes().chunks(3).for_each(|part| kept.push(part));
        KeptAnswer::new(&head, kept)
    }

    #[test]
    fn a_glance_tells_what_needs_no_reading() {
        let glance = |own: &KeptAnswer, copy: &KeptAnswer| {
            let seen = comparison(true).glance(own, copy);
            assert_eq!(comparison(true).glance(copy, own), seen, "whichever is named first");
            seen
        };
        let json = |text| answer(200, &[("Content-Type", "application/problem+JSON; charset=utf-8")], text);
        let plain = |text| answer(200, &[("content-type", "text/plain")], text);
        assert_eq!(glance(&plain("a"), &answer(500, &[], "a")), Glance::Differ);
        assert_eq!(glance(&plain("a"), &plain("a")), Glance::Equal);
        assert_eq!(glance(&plain("a"), &plain("b")), Glance::Differ);
        assert_eq!(glance(&json("1"), &json("1 ")), Glance::Read);
        assert_eq!(glance(&json("1"), &plain("1 ")), Glance::Differ);
        assert_eq!(glance(&plain("1234567890"), &plain("1234567890")), Glance::Equal);
        assert_eq!(glance(&plain("12345678901"), &plain("12345678901")), Glance::Unreadable);
        let coded = |text| answer(200, &[("content-encoding", "gzip")], text);
        assert_eq!(glance(&coded("a"), &coded("a")), Glance::Unreadable);
        assert_eq!(glance(&coded(""), &plain("")), Glance::Equal, "there is nothing to be read");
        assert_eq!(comparison(false).glance(&plain("a"), &plain("b")), Glance::Equal);
    }
}
