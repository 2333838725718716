//! Between our heads and those of the `http` crate, which HTTP/2 speaks.

use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Method, Uri};

use super::{BodyLength, Fields, Name, Protocol, RequestHead, ResponseHead};
use crate::http1::{HeadFault, is_host, number};

/// Takes over the head of a request. `ended`: no body follows.
pub(crate) fn read_request(
    request: &http::request::Parts,
    ended: bool,
    head: &mut RequestHead,
) -> Result<(), HeadFault> {
    let host = host_of(&request.uri, &request.headers)?;
    let target = request.uri.path_and_query().map_or("/", |target| target.as_str());
    // Anything else, such as `http://other/path`, would be a target of another form in HTTP/1 (RFC 9112, section 3.2).
    let asks_for_all = target == "*" && request.method == Method::OPTIONS;
    if !target.starts_with('/') && !asks_for_all {
        return Err(HeadFault::Malformed);
    }
    head.begin(Protocol::Http2, request.method.as_str().as_bytes(), target.as_bytes(), host);
    let fields = &mut head.fields;
    let mut cookies = Vec::new();
    for (name, value) in &request.headers {
        match Name::of(name.as_str().as_bytes()) {
            Name::Host => {}
            // Clients may cut it up for better compression; in HTTP/1 it is one field (RFC 9113, section 8.2.3).
            Name::Cookie => {
                if !cookies.is_empty() {
                    cookies.extend_from_slice(b"; ");
                }
                cookies.extend_from_slice(value.as_bytes());
            }
            _ => fields.push(name.as_str().as_bytes(), value.as_bytes()),
        }
    }
    if !cookies.is_empty() {
        fields.push(b"cookie", &cookies);
    }
    head.length = length_of(&head.fields, ended)?;
    Ok(())
}

/// Takes over the head of an answer. `ended`: no body follows.
pub(crate) fn read_response(
    response: &http::response::Parts,
    ended: bool,
    head: &mut ResponseHead,
) -> Result<(), HeadFault> {
    let reason = response.status.canonical_reason().unwrap_or_default();
    head.begin(Protocol::Http2, response.status.as_u16(), reason.as_bytes());
    read_fields(&response.headers, &mut head.fields);
    head.length = length_of(&head.fields, ended)?;
    Ok(())
}

/// Adds all fields of a map.
pub(crate) fn read_fields(map: &HeaderMap, fields: &mut Fields) {
    for (name, value) in map {
        fields.push(name.as_str().as_bytes(), value.as_bytes());
    }
}

/// Puts a field into a map. One that cannot be said in HTTP/2 is left out: its name or value has bytes that no field may
/// have.
pub(crate) fn write_field(map: &mut HeaderMap, name: &[u8], value: &[u8]) {
    if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
        map.append(name, value);
    }
}

/// One host, wherever it is said.
fn host_of<'r>(uri: &'r Uri, headers: &'r HeaderMap) -> Result<Option<&'r [u8]>, HeadFault> {
    let mut hosts = headers.get_all(http::header::HOST).iter().map(HeaderValue::as_bytes);
    let (authority, host) = (uri.authority().map(|authority| authority.as_str().as_bytes()), hosts.next());
    let differ = authority.zip(host).is_some_and(|(authority, host)| !authority.eq_ignore_ascii_case(host));
    match authority.or(host) {
        Some(host) if is_host(host) && !differ && hosts.next().is_none() => Ok(Some(host)),
        _ => Err(HeadFault::Host),
    }
}

/// `ended`: no body follows. A length that is said twice would be passed on to a reader that may take either.
fn length_of(fields: &Fields, ended: bool) -> Result<BodyLength, HeadFault> {
    let mut lengths = fields.all(Name::ContentLength);
    let length = lengths.next().map(|length| number(length).ok_or(HeadFault::Malformed)).transpose()?;
    if lengths.next().is_some() {
        return Err(HeadFault::Malformed);
    }
    Ok(match length {
        _ if ended => BodyLength::Empty,
        Some(length) => BodyLength::Known(length),
        None => BodyLength::Streamed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(request: http::request::Builder, ended: bool) -> Result<RequestHead, HeadFault> {
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let mut head = RequestHead::default();
        read_request(&parts, ended, &mut head).map(|()| head)
    }

    fn asking() -> http::request::Builder {
        http::Request::post("http://a.test/x?y")
    }

    #[test]
    fn a_length_is_said_once_and_in_digits() {
        assert_eq!(read(asking(), false).unwrap().length, BodyLength::Streamed);
        assert_eq!(read(asking(), true).unwrap().length, BodyLength::Empty);
        let five = || asking().header("content-length", "5");
        assert_eq!(read(five(), false).unwrap().length, BodyLength::Known(5));
        for ended in [true, false] {
            for lengths in [&["0", "5"][..], &["5", "5"], &["+5"], &["5, 5"], &[""]] {
                let request = lengths
                    .iter()
                    .fold(asking(), |request, length| request.header("content-length", *length));
                assert_eq!(read(request, ended).unwrap_err(), HeadFault::Malformed, "{lengths:?}");
            }
        }
    }

    #[test]
    fn a_target_is_a_path() {
        let target = |method: &str, target: &'static str| {
            let target = http::uri::PathAndQuery::from_static(target);
            let uri =
                Uri::builder().scheme("http").authority("a.test").path_and_query(target).build().unwrap();
            let head = read(http::Request::builder().method(method).uri(uri), true)?;
            Ok::<_, HeadFault>(String::from_utf8(head.target().to_vec()).unwrap())
        };
        assert_eq!(target("GET", "/x?y").unwrap(), "/x?y");
        assert_eq!(target("OPTIONS", "*").unwrap(), "*");
        assert_eq!(target("GET", "*"), Err(HeadFault::Malformed));
    }
}
