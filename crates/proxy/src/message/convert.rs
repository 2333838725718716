//! Between our heads and those of the `http` crate, which HTTP/2 speaks.

use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Uri};

use super::{BodyLength, Fields, Name, Protocol, RequestHead, ResponseHead};
use crate::http1::{HeadFault, is_host};

/// Takes over the head of a request. `ended`: no body follows.
pub(crate) fn read_request(
    request: &http::request::Parts,
    ended: bool,
    head: &mut RequestHead,
) -> Result<(), HeadFault> {
    let host = host_of(&request.uri, &request.headers)?;
    let target = request.uri.path_and_query().map_or("/", |target| target.as_str());
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

fn length_of(fields: &Fields, ended: bool) -> Result<BodyLength, HeadFault> {
    if ended {
        return Ok(BodyLength::Empty);
    }
    let Some(length) = fields.get(Name::ContentLength) else { return Ok(BodyLength::Streamed) };
    let length = std::str::from_utf8(length).ok().and_then(|length| length.parse().ok());
    match (length, fields.all(Name::ContentLength).count()) {
        (Some(length), 1) => Ok(BodyLength::Known(length)),
        _ => Err(HeadFault::Malformed),
    }
}
