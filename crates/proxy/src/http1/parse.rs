//! What a head says.

use std::mem::MaybeUninit;

use httparse::{Header, ParserConfig};

use super::scan::HeadFault;
use crate::message::{BodyLength, Fields, Name, Protocol, RequestHead, ResponseHead};

/// Most fields of one head.
const MOST_FIELDS: usize = 100;

/// Reads the whole text of a request head, which ends with an empty line.
pub(crate) fn parse_request(text: &[u8], head: &mut RequestHead) -> Result<(), HeadFault> {
    // Clearing room for so many would cost more than reading the few that there are.
    let mut fields = [const { MaybeUninit::uninit() }; MOST_FIELDS];
    let mut request = httparse::Request::new(&mut []);
    complete(request.parse_with_uninit_headers(text, &mut fields))?;
    let protocol = protocol(request.version)?;
    let method = request.method.unwrap_or_default().as_bytes();
    let asked = request.path.unwrap_or_default().as_bytes();
    let (authority, target) = split_target(method, asked)?;
    let host = one_host(request.headers, authority, protocol)?;
    head.load(text, protocol, method, target, host);
    mark(&mut head.fields, text, request.headers.iter());
    head.length = request_length(&head.fields, protocol)?;
    head.keep_alive = keeps_alive(&head.fields, protocol);
    Ok(())
}

/// Reads the whole text of an answer's head. `to_head`: the request was HEAD, so that there is no body whatever it says.
pub(crate) fn parse_response(text: &[u8], to_head: bool, head: &mut ResponseHead) -> Result<(), HeadFault> {
    let mut fields = [const { MaybeUninit::uninit() }; MOST_FIELDS];
    let mut response = httparse::Response::new(&mut []);
    let parser = ParserConfig::default();
    complete(parser.parse_response_with_uninit_headers(&mut response, text, &mut fields))?;
    let protocol = protocol(response.version)?;
    let status = response.code.unwrap_or_default();
    head.load(text, protocol, status, response.reason.unwrap_or_default().as_bytes());
    mark(&mut head.fields, text, without_repeated_length(response.headers));
    head.length = response_length(&head.fields, protocol, status, to_head)?;
    head.keep_alive = keeps_alive(&head.fields, protocol) && head.length != BodyLength::UntilClose;
    Ok(())
}

fn complete(parsed: httparse::Result<usize>) -> Result<(), HeadFault> {
    match parsed {
        Ok(httparse::Status::Complete(_)) => Ok(()),
        Ok(httparse::Status::Partial) => Err(HeadFault::Malformed),
        Err(httparse::Error::TooManyHeaders) => Err(HeadFault::TooLarge),
        Err(httparse::Error::Version) => Err(HeadFault::Version),
        Err(_) => Err(HeadFault::Malformed),
    }
}

fn protocol(minor: Option<u8>) -> Result<Protocol, HeadFault> {
    match minor {
        Some(0) => Ok(Protocol::Http10),
        Some(1) => Ok(Protocol::Http11),
        _ => Err(HeadFault::Version),
    }
}

fn mark<'h>(fields: &mut Fields, text: &[u8], headers: impl Iterator<Item = &'h Header<'h>>) {
    for header in headers {
        fields.mark(text, header.name.as_bytes(), header.value.trim_ascii());
    }
}

/// The fields of an answer but for a length that was said just so before, as some old servers do: it must not be passed on
/// twice (RFC 9110, section 8.6).
fn without_repeated_length<'h>(headers: &'h [Header<'h>]) -> impl Iterator<Item = &'h Header<'h>> {
    let mut said = None;
    headers.iter().filter(move |header| {
        let is_length = header.name.eq_ignore_ascii_case("content-length");
        !is_length || said.replace(header.value) != Some(header.value)
    })
}

/// Authority and path of what stands in the request line: `/path`, `http://host/path` or `*` (RFC 9112, section 3.2).
fn split_target<'t>(method: &[u8], asked: &'t [u8]) -> Result<(Option<&'t [u8]>, &'t [u8]), HeadFault> {
    // The other forms are for CONNECT, which is refused later, in words of its own.
    if asked.starts_with(b"/") || method == b"CONNECT" || (asked == b"*" && method == b"OPTIONS") {
        return if asked.contains(&b'#') { Err(HeadFault::Malformed) } else { Ok((None, asked)) };
    }
    let scheme_end = memchr::memmem::find(asked, b"://").ok_or(HeadFault::Malformed)?;
    let (scheme, rest) = (&asked[..scheme_end], &asked[scheme_end + 3..]);
    if !scheme.eq_ignore_ascii_case(b"http") && !scheme.eq_ignore_ascii_case(b"https") {
        return Err(HeadFault::Malformed);
    }
    let end = rest.iter().position(|byte| b"/?#".contains(byte)).unwrap_or(rest.len());
    let (authority, target) = rest.split_at(end);
    match target.first() {
        _ if authority.is_empty() || target.contains(&b'#') => Err(HeadFault::Malformed),
        // An absent path means `/`, which stands nowhere in the text; the slash before the authority is as good.
        None => Ok((Some(authority), &asked[scheme_end + 1..scheme_end + 2])),
        Some(b'/') => Ok((Some(authority), target)),
        Some(_) => Err(HeadFault::Malformed),
    }
}

/// Which host is asked for. Two answers to that question, or none from a client that must give one, are refused (RFC 9112,
/// section 3.2). An authority in the request line goes before the field.
fn one_host<'t>(
    headers: &[Header<'t>],
    authority: Option<&'t [u8]>,
    protocol: Protocol,
) -> Result<Option<&'t [u8]>, HeadFault> {
    let mut hosts = headers.iter().filter(|header| header.name.eq_ignore_ascii_case("host"));
    let host = hosts.next().map(|header| header.value.trim_ascii());
    if hosts.next().is_some() || (host.is_none() && protocol == Protocol::Http11) {
        return Err(HeadFault::Host);
    }
    match authority.or(host) {
        Some(host) if !is_host(host) => Err(HeadFault::Host),
        host => Ok(host),
    }
}

/// Whether this can be a host with an optional port (RFC 3986, section 3.2). It may be empty; what is not in it is
/// anything at which two readers could cut it differently.
pub(crate) fn is_host(host: &[u8]) -> bool {
    host.iter().all(|byte| {
        byte.is_ascii_graphic()
            && !matches!(byte, b'/' | b'\\' | b'?' | b'#' | b'@' | b'"' | b'<' | b'>' | b',')
    })
}

fn request_length(fields: &Fields, protocol: Protocol) -> Result<BodyLength, HeadFault> {
    Ok(match framing(fields, protocol)? {
        Some(BodyLength::Known(0)) | None => BodyLength::Empty,
        Some(length) => length,
    })
}

fn response_length(
    fields: &Fields,
    protocol: Protocol,
    status: u16,
    to_head: bool,
) -> Result<BodyLength, HeadFault> {
    let said = framing(fields, protocol)?;
    if to_head || status < 200 || status == 204 || status == 304 {
        return Ok(BodyLength::Empty);
    }
    Ok(match said {
        Some(BodyLength::Known(0)) => BodyLength::Empty,
        Some(length) => length,
        None => BodyLength::UntilClose,
    })
}

/// What the fields say of the body. Both ways of saying it at once, or one of them twice, are refused (RFC 9112, sections
/// 6.1 and 6.3).
fn framing(fields: &Fields, protocol: Protocol) -> Result<Option<BodyLength>, HeadFault> {
    let (mut length, mut chunked) = (None, false);
    for (name, _, value) in fields.iter() {
        match name {
            Name::ContentLength => {
                let value = number(value).ok_or(HeadFault::Malformed)?;
                if length.replace(value).is_some() {
                    return Err(HeadFault::Malformed);
                }
            }
            Name::TransferEncoding if value.eq_ignore_ascii_case(b"chunked") && !chunked => chunked = true,
            Name::TransferEncoding if chunked => return Err(HeadFault::Malformed),
            Name::TransferEncoding => return Err(HeadFault::UnknownCoding),
            _ => {}
        }
    }
    match (length, chunked) {
        (Some(_), true) => Err(HeadFault::Malformed),
        // Not defined for HTTP/1.0, where some readers ignore it.
        (None, true) if protocol == Protocol::Http10 => Err(HeadFault::Malformed),
        (None, true) => Ok(Some(BodyLength::Streamed)),
        (length, false) => Ok(length.map(BodyLength::Known)),
    }
}

fn keeps_alive(fields: &Fields, protocol: Protocol) -> bool {
    match protocol {
        Protocol::Http10 => {
            fields.lists(Name::Connection, "keep-alive") && !fields.lists(Name::Connection, "close")
        }
        _ => !fields.lists(Name::Connection, "close"),
    }
}

/// Digits and nothing else: no sign, no space, no list.
pub(crate) fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |number, digit| {
        let digit = char::from(*digit).to_digit(10)?;
        number.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn request(text: &str) -> Result<RequestHead, HeadFault> {
        let mut head = RequestHead::default();
        parse_request(text.as_bytes(), &mut head).map(|()| head)
    }

    fn with(headers: &str) -> Result<BodyLength, HeadFault> {
        request(&format!("POST / HTTP/1.1\r\nHost: a\r\n{headers}\r\n")).map(|head| head.length)
    }

    fn answer(text: &str, to_head: bool) -> Result<ResponseHead, HeadFault> {
        let mut head = ResponseHead::default();
        parse_response(text.as_bytes(), to_head, &mut head).map(|()| head)
    }

    #[test]
    fn a_request_says_what_is_asked_for() {
        let head = request("GET /a?b HTTP/1.1\r\nHost: a.example:80\r\nX: 1 \r\n\r\n").unwrap();
        assert_eq!(
            (head.method(), head.target(), head.host()),
            (&b"GET"[..], &b"/a?b"[..], Some(&b"a.example:80"[..]))
        );
        assert_eq!(head.fields.find("x"), Some(&b"1"[..]));
        assert!(head.keep_alive && head.is_repeatable());

        let head =
            request("GET http://b.example/c HTTP/1.1\r\nHost: a.example\r\nConnection: x, Close\r\n\r\n")
                .unwrap();
        assert_eq!(
            (head.target(), head.host(), head.keep_alive),
            (&b"/c"[..], Some(&b"b.example"[..]), false)
        );
        let head = request("OPTIONS https://b.example HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        assert_eq!((head.target(), head.host()), (&b"/"[..], Some(&b"b.example"[..])));
        assert_eq!(request("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").unwrap().target(), b"*");
        let old = request("GET / HTTP/1.0\r\n\r\n").unwrap();
        assert_eq!((old.host(), old.keep_alive), (None, false));
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        assert_eq!(with(""), Ok(BodyLength::Empty));
        assert_eq!(with("Content-Length: 5\r\n"), Ok(BodyLength::Known(5)));
        assert_eq!(with("transfer-encoding: Chunked\r\n"), Ok(BodyLength::Streamed));
        for headers in [
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
            "Content-Length: 5\r\nContent-Length: 6\r\n",
            "Content-Length: 5\r\nContent-Length: 5\r\n",
            "Content-Length: 5, 5\r\n",
            "Content-Length: +5\r\n",
            "Content-Length: \r\n",
            "Content-Length: 99999999999999999999\r\n",
            "Content-Length : 5\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding : chunked\r\n",
            "X: a\r\n b\r\n",
            " X: a\r\n",
            "X: a\rContent-Length: 5\r\n",
            "X: a\0b\r\n",
            "no colon\r\n",
            ": no name\r\n",
        ] {
            assert_eq!(with(headers), Err(HeadFault::Malformed), "{headers:?}");
        }
        for coding in ["xchunked", "chunked, identity", "gzip, chunked", "identity", ""] {
            assert_eq!(
                with(&format!("Transfer-Encoding: {coding}\r\n")),
                Err(HeadFault::UnknownCoding),
                "{coding}"
            );
        }
        for line in [
            "GET  / HTTP/1.1",
            "GET /\tHTTP/1.1",
            "GET / HTTP/1.1 ",
            "G(T / HTTP/1.1",
            "GET a HTTP/1.1",
            "GET /#a HTTP/1.1",
        ] {
            assert!(request(&format!("{line}\r\nHost: a\r\n\r\n")).is_err(), "{line}");
        }
        assert_eq!(request("GET / HTTP/2.0\r\nHost: a\r\n\r\n").unwrap_err(), HeadFault::Version);
        assert_eq!(
            request("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap_err(),
            HeadFault::Malformed
        );
    }

    #[test]
    fn there_is_one_usable_host() {
        for headers in
            ["", "Host: a\r\nHost: a\r\n", "Host: a/b\r\n", "Host: a b\r\n", "Host: a@b\r\n", "Host: a,b\r\n"]
        {
            let head = request(&format!("GET / HTTP/1.1\r\n{headers}\r\n"));
            assert_eq!(head.unwrap_err(), HeadFault::Host, "{headers:?}");
        }
    }

    #[test]
    fn answers_say_where_they_end() {
        let length = |head: &str, to_head| {
            answer(&format!("HTTP/1.1 {head}\r\n\r\n"), to_head).map(|head| head.length)
        };
        assert_eq!(length("200 OK\r\nContent-Length: 3", false), Ok(BodyLength::Known(3)));
        assert_eq!(
            length("200 OK\r\nContent-Length: 3\r\nContent-Length: 3", false),
            Ok(BodyLength::Known(3))
        );
        let twice = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\ncontent-length: 3\r\n\r\n";
        assert_eq!(answer(twice, false).unwrap().fields.all(Name::ContentLength).count(), 1);
        assert_eq!(length("200 OK\r\nContent-Length: 3", true), Ok(BodyLength::Empty));
        assert_eq!(length("304 Not Modified\r\nContent-Length: 3", false), Ok(BodyLength::Empty));
        assert_eq!(length("200", false), Ok(BodyLength::UntilClose));
        assert_eq!(length("200 \r\nTransfer-Encoding: chunked", false), Ok(BodyLength::Streamed));
        for nonsense in [
            "20",
            "abc OK",
            "200 OK\r\nContent-Length: 3\r\nContent-Length: 4",
            "200 OK\r\nContent-Length: 3\r\nContent-Length: 03",
            "200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\nContent-Length: 3",
            "200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3",
        ] {
            assert!(length(nonsense, false).is_err(), "{nonsense}");
        }
        assert!(!answer("HTTP/1.1 200 OK\r\n\r\n", false).unwrap().keep_alive);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse_request(&bytes, &mut RequestHead::default());
            let _ = parse_response(&bytes, false, &mut ResponseHead::default());
        }
    }
}
