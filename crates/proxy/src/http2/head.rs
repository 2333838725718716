//! What header blocks say (RFC 9113, section 8). Every field is checked: what is malformed here could mean something else to
//! a service that is spoken to in another protocol.

use http::StatusCode;

use super::hpack::{Decoder, HpackFault};
use crate::http1::{HeadFault, LONGEST_HEAD, is_host, number};
use crate::message::{BodyLength, Fields, Name, Protocol, RequestHead, ResponseHead};

/// What a field costs beside its bytes when the size of a head is counted (RFC 9113, section 6.5.2).
const FIELD_COST: usize = 32;

/// Why a head that could be decoded is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// No head may look like this: the stream is broken off.
    Malformed,
    /// It is answered, with a refusal.
    Refused(HeadFault),
}

impl From<HeadFault> for Unreadable {
    fn from(fault: HeadFault) -> Self {
        Self::Refused(fault)
    }
}

/// Reads the head of a request. `ended`: no body follows.
///
/// The block is decoded to its end whatever it says, so that the connection can go on.
pub(super) fn read_request(
    decoder: &mut Decoder,
    block: &[u8],
    ended: bool,
    head: &mut RequestHead,
) -> Result<Result<(), Unreadable>, HpackFault> {
    head.begin(Protocol::Http2);
    let mut reader =
        RequestReader { head, rules: Rules::default(), pseudo: Pseudo::default(), cookies: Vec::new() };
    decoder.decode(block, |name, value| reader.field(name, value))?;
    Ok(reader.finish(ended))
}

/// Reads the head of an answer. `ended`: no body follows. `to_head`: the request was HEAD.
pub(super) fn read_response(
    decoder: &mut Decoder,
    block: &[u8],
    ended: bool,
    to_head: bool,
    head: &mut ResponseHead,
) -> Result<Result<(), Unreadable>, HpackFault> {
    head.begin(Protocol::Http2, 0, b"");
    let (mut rules, mut status) = (Rules::default(), None);
    decoder.decode(block, |name, value| {
        if rules.has_failed() {
            return;
        }
        if name == b":status" {
            rules.pseudo(value);
            let said = number(value).filter(|said| value.len() == 3 && *said >= 100);
            rules.malformed |= said.is_none() || status.is_some();
            status = said;
        } else if let Some(known) = rules.regular(name, value) {
            head.fields.push_known(known, name, value);
        }
    })?;
    let Some(status) = status.filter(|_| !rules.malformed) else { return Ok(Err(Unreadable::Malformed)) };
    let status = status as u16;
    head.set_status(status, reason_of(status).as_bytes());
    if rules.is_too_large() {
        return Ok(Err(HeadFault::TooLarge.into()));
    }
    let bodiless = to_head || matches!(status, 204 | 304);
    Ok(length_of(&head.fields, ended, bodiless).map(|length| head.length = length))
}

/// Reads the fields after a body. False if no fields may look like this there.
pub(super) fn read_trailers(
    decoder: &mut Decoder,
    block: &[u8],
    fields: &mut Fields,
) -> Result<bool, HpackFault> {
    fields.clear();
    let mut rules = Rules::default();
    decoder.decode(block, |name, value| {
        if let Some(known) = rules.regular(name, value) {
            fields.push_known(known, name, value);
        }
    })?;
    Ok(!rules.has_failed())
}

fn reason_of(status: u16) -> &'static str {
    StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or_default()
}

/// What every field has to keep to.
#[derive(Default)]
struct Rules {
    /// As the other end is told to count it.
    size: usize,
    /// Fields that are none of the protocol's own have begun.
    regular: bool,
    malformed: bool,
}

impl Rules {
    fn is_too_large(&self) -> bool {
        self.size > LONGEST_HEAD
    }

    /// Nothing that follows makes the head better. It is not looked at, for one byte of a block can stand for a field of
    /// four thousand.
    fn has_failed(&self) -> bool {
        self.malformed || self.is_too_large()
    }

    /// Looks at the value of a field of the protocol's own, which stand before all others.
    fn pseudo(&mut self, value: &[u8]) {
        self.size += value.len() + FIELD_COST;
        self.malformed |= self.regular || !is_value(value);
    }

    /// Looks at any other field; says which one it is if it is to be kept.
    fn regular(&mut self, name: &[u8], value: &[u8]) -> Option<Name> {
        if self.has_failed() {
            return None;
        }
        self.regular = true;
        self.size += name.len() + value.len() + FIELD_COST;
        let known = Name::of(name);
        let of_connection = match known {
            Name::Te => value != b"trailers",
            Name::Connection
            | Name::TransferEncoding
            | Name::Upgrade
            | Name::KeepAlive
            | Name::ProxyConnection => true,
            _ => false,
        };
        self.malformed |= of_connection || !is_name(name) || !is_value(value);
        (!self.has_failed()).then_some(known)
    }
}

/// The protocol's own fields of a request that have been said.
#[derive(Default)]
struct Pseudo {
    method: bool,
    scheme: bool,
    authority: bool,
    path: bool,
}

struct RequestReader<'h> {
    head: &'h mut RequestHead,
    rules: Rules,
    pseudo: Pseudo,
    cookies: Vec<u8>,
}

impl RequestReader<'_> {
    fn field(&mut self, name: &[u8], value: &[u8]) {
        if self.rules.has_failed() {
            return;
        }
        if name.first() == Some(&b':') {
            self.rules.pseudo(value);
            let head = &mut *self.head;
            let said_before = match name {
                b":method" => {
                    self.rules.malformed |= !is_token(value);
                    head.set_method(value);
                    std::mem::replace(&mut self.pseudo.method, true)
                }
                b":path" => {
                    self.rules.malformed |= value.is_empty();
                    head.set_target(value);
                    std::mem::replace(&mut self.pseudo.path, true)
                }
                b":authority" => {
                    head.set_host(value);
                    std::mem::replace(&mut self.pseudo.authority, true)
                }
                b":scheme" => std::mem::replace(&mut self.pseudo.scheme, true),
                _ => true,
            };
            self.rules.malformed |= said_before;
            return;
        }
        match self.rules.regular(name, value) {
            None => {}
            // Clients may cut it up for better compression; in HTTP/1 it is one field (RFC 9113, section 8.2.3).
            Some(Name::Cookie) => {
                if !self.cookies.is_empty() {
                    self.cookies.extend_from_slice(b"; ");
                }
                self.cookies.extend_from_slice(value);
            }
            Some(known) => self.head.fields.push_known(known, name, value),
        }
    }

    fn finish(self, ended: bool) -> Result<(), Unreadable> {
        let Self { head, rules, pseudo, cookies } = self;
        let connect = head.method() == b"CONNECT";
        if rules.malformed || !pseudo.method || (!connect && (!pseudo.scheme || !pseudo.path)) {
            return Err(Unreadable::Malformed);
        }
        if rules.is_too_large() {
            return Err(HeadFault::TooLarge.into());
        }
        if !pseudo.path {
            head.set_target(b"/");
        }
        if !is_target(head.target(), head.method()) {
            return Err(HeadFault::Malformed.into());
        }
        one_host(head)?;
        if !cookies.is_empty() {
            head.fields.push_known(Name::Cookie, b"cookie", &cookies);
        }
        head.length = length_of(&head.fields, ended, false)?;
        Ok(())
    }
}

/// One host, wherever it is said; nothing else of the head may name another.
fn one_host(head: &mut RequestHead) -> Result<(), HeadFault> {
    let mut hosts = head.fields.all(Name::Host);
    let (field, another) = (hosts.next(), hosts.next());
    let differ =
        head.host().zip(field).is_some_and(|(authority, host)| !authority.eq_ignore_ascii_case(host));
    match head.host().or(field) {
        Some(host) if is_host(host) && !differ && another.is_none() => {}
        _ => return Err(HeadFault::Host),
    }
    if let (None, Some(host)) = (head.host(), field.map(<[u8]>::to_vec)) {
        drop(hosts);
        head.set_host(&host);
    }
    Ok(())
}

/// Whether it is a path. Anything else, such as `http://other/path`, would be a target of another form in HTTP/1 (RFC 9112,
/// section 3.2).
fn is_target(target: &[u8], method: &[u8]) -> bool {
    let asks_for_all = target == b"*" && method == b"OPTIONS";
    let is_path = target.first() == Some(&b'/')
        && target.iter().all(|byte| matches!(byte, 0x21..=0x7e | 0x80..) && *byte != b'#');
    is_path || asks_for_all
}

/// `ended`: no body follows. `bodiless`: whatever length is said, there is no body. A length that is said twice would be
/// passed on to a reader that may take either.
fn length_of(fields: &Fields, ended: bool, bodiless: bool) -> Result<BodyLength, Unreadable> {
    let mut lengths = fields.all(Name::ContentLength);
    let length = lengths.next().map(|length| number(length).ok_or(HeadFault::Malformed)).transpose()?;
    if lengths.next().is_some() {
        return Err(HeadFault::Malformed.into());
    }
    match length {
        Some(1..) if ended && !bodiless => Err(Unreadable::Malformed),
        _ if ended || bodiless => Ok(BodyLength::Empty),
        Some(length) => Ok(BodyLength::Known(length)),
        None => Ok(BodyLength::Streamed),
    }
}

/// Whether a name consists of the letters that names have, in lower case (RFC 9113, section 8.2.1).
fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|byte| TOKEN[usize::from(*byte)] == Letter::InNames)
}

fn is_token(word: &[u8]) -> bool {
    !word.is_empty() && word.iter().all(|byte| TOKEN[usize::from(*byte)] != Letter::Nowhere)
}

/// Where a byte may stand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Letter {
    Nowhere,
    /// In a token (RFC 9110, section 5.6.2), but not in a name of HTTP/2.
    InTokens,
    InNames,
}

const TOKEN: [Letter; 256] = {
    let mut table = [Letter::Nowhere; 256];
    let (mut byte, marks) = (0, b"!#$%&'*+-.^_`|~");
    while byte < 128 {
        table[byte] = match byte as u8 {
            b'A'..=b'Z' => Letter::InTokens,
            b'a'..=b'z' | b'0'..=b'9' => Letter::InNames,
            _ => Letter::Nowhere,
        };
        byte += 1;
    }
    let mut at = 0;
    while at < marks.len() {
        table[marks[at] as usize] = Letter::InNames;
        at += 1;
    }
    table
};

/// Whether a value has neither control characters in it nor white space around it (RFC 9113, section 8.2.1).
fn is_value(value: &[u8]) -> bool {
    let edge = |byte: Option<&u8>| !matches!(byte, Some(b' ' | b'\t'));
    // Without a branch for each byte, so that many are looked at in one instruction.
    let bad = |bad, byte: &u8| bad | ((*byte < b' ') & (*byte != b'\t')) | (*byte == 0x7f);
    edge(value.first()) && edge(value.last()) && !value.iter().fold(false, bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_known_for_what_it_may_be_in() {
        for byte in 0..=255u8 {
            let token = byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            assert_eq!(is_token(&[byte]), token, "{byte}");
            assert_eq!(is_name(&[byte]), token && !byte.is_ascii_uppercase(), "{byte}");
            let inside = byte == b'\t' || (byte >= b' ' && byte != 0x7f);
            assert_eq!(is_value(&[b'a', byte, b'a']), inside, "{byte}");
            assert_eq!(is_value(&[byte, b'a']), inside && !b" \t".contains(&byte), "{byte}");
        }
        assert!(is_value(b"") && !is_name(b"") && !is_token(b""));
    }
}
