//! The parts of a question, and words about an answer.

use bytes::Bytes;
use http::Request;
use http::header::{ACCEPT, AUTHORIZATION, HeaderValue, InvalidHeaderValue};
use http_body_util::Full;

/// A question for JSON.
///
/// # Errors
/// Fails if the address is none.
pub fn request(uri: &str, authorization: Option<&HeaderValue>) -> http::Result<Request<Full<Bytes>>> {
    let mut request = Request::get(uri).header(ACCEPT, "application/json");
    if let Some(authorization) = authorization {
        request = request.header(AUTHORIZATION, authorization);
    }
    request.body(Full::default())
}

/// A bearer token as a header, marked as sensitive.
///
/// # Errors
/// Fails if the token holds what no header can.
pub fn bearer(token: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut value = HeaderValue::from_str(&format!("Bearer {token}"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// What an answer that is not JSON looks like, in a few words.
pub fn described(body: &[u8]) -> String {
    let start = String::from_utf8_lossy(&body[..body.len().min(200)]);
    match start.trim_start().chars().next() {
        None => "its answer is empty".to_owned(),
        Some('<') => "it answers with a web page".to_owned(),
        Some(_) => "its answer is not JSON".to_owned(),
    }
}

/// The URL without what could be a password.
pub fn without_user(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => format!("{}://…{}", &url[..scheme], &url[at..]),
        (None, Some(at)) => format!("…{}", &url[at..]),
        _ => url.to_owned(),
    }
}

/// Percent-encodes everything but the unreserved characters (RFC 3986, section 2.3).
pub fn percent_encoded(text: &str) -> String {
    let mut result = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => result.push(byte.into()),
            _ => result.push_str(&format!("%{byte:02X}")),
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_encoded_byte_by_byte() {
        assert_eq!(percent_encoded("a{b=\"ü\"}+1 &c"), "a%7Bb%3D%22%C3%BC%22%7D%2B1%20%26c");
    }
}
