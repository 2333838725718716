//! An entry as a line of JSON. `docs/observing-the-edge.md` explains the fields.

use std::borrow::Cow;
use std::net::IpAddr;

use jiff::Timestamp;
use serde::Serialize;

use super::AccessEntry;

/// The line, in the order of its fields. What a request does not have is left out.
#[derive(Serialize)]
struct Line<'a> {
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    client: IpAddr,
    #[serde(skip_serializing_if = "str::is_empty")]
    method: Cow<'a, str>,
    scheme: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    host: Cow<'a, str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    path: Cow<'a, str>,
    protocol: &'a str,
    tls: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<&'a str>,
    outcome: &'a str,
    duration_micros: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_byte_micros: Option<u64>,
    bytes_in: u64,
    bytes_out: u64,
    retries: u32,
}

/// Appends an entry's line. Bytes that are not UTF-8 become U+FFFD, so that every line is JSON.
pub(super) fn append(text: &mut Vec<u8>, entry: &AccessEntry) {
    let request = &entry.request;
    let line = Line {
        time: time(entry.time_micros),
        trace_id: (entry.trace_id != [0; 16])
            .then(|| format!("{:032x}", u128::from_be_bytes(entry.trace_id))),
        client: entry.client,
        method: String::from_utf8_lossy(request.method()),
        scheme: entry.scheme,
        host: String::from_utf8_lossy(request.host()),
        path: String::from_utf8_lossy(request.path()),
        protocol: entry.protocol,
        tls: entry.tls,
        status: entry.status,
        route: entry.route.as_deref(),
        version: entry.version.as_deref(),
        instance: entry.instance.as_deref(),
        outcome: entry.outcome.as_str(),
        duration_micros: entry.duration_micros,
        first_byte_micros: entry.first_byte_micros,
        bytes_in: entry.bytes_in,
        bytes_out: entry.bytes_out,
        retries: entry.retries,
    };
    // Numbers and strings always serialize, and a vector takes every byte.
    let _ = serde_json::to_writer(&mut *text, &line);
    text.push(b'\n');
}

/// RFC 3339 in UTC, always with microseconds.
fn time(micros: i64) -> String {
    let time = Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{time:.6}")
}

#[cfg(test)]
mod tests {
    use super::super::entry::example;
    use super::super::{RequestOutcome, RequestText};
    use super::*;

    fn line(entry: &AccessEntry) -> String {
        let mut text = Vec::new();
        append(&mut text, entry);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn a_line_has_all_that_is_known() {
        let expected = "{\"time\":\"2025-11-21T11:03:20.123456Z\",\
            \"trace_id\":\"4bf92f3577b34da6a3ce929d0e0e4736\",\"client\":\"203.0.113.9\",\"method\":\"GET\",\
            \"scheme\":\"https\",\"host\":\"shop.example.com\",\"path\":\"/cart\",\"protocol\":\"2\",\"tls\":true,\
            \"status\":200,\"route\":\"production/web\",\"version\":\"1.4.0\",\"instance\":\"web-1.4.0-1\",\
            \"outcome\":\"answered\",\"duration_micros\":5120,\"first_byte_micros\":4870,\"bytes_in\":0,\
            \"bytes_out\":18213,\"retries\":1}\n";
        assert_eq!(line(&example()), expected);
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let entry = AccessEntry {
            time_micros: 1_000_000,
            trace_id: [0; 16],
            request: RequestText::new(b"", b"", b""),
            status: None,
            route: None,
            version: None,
            instance: None,
            first_byte_micros: None,
            outcome: RequestOutcome::ClientGone,
            ..example()
        };
        let expected = "{\"time\":\"1970-01-01T00:00:01.000000Z\",\"client\":\"203.0.113.9\",\"scheme\":\"https\",\
            \"protocol\":\"2\",\"tls\":true,\"outcome\":\"client_gone\",\"duration_micros\":5120,\"bytes_in\":0,\
            \"bytes_out\":18213,\"retries\":1}\n";
        assert_eq!(line(&entry), expected);
    }

    #[test]
    fn nothing_in_a_request_can_break_a_line() {
        let path = b"/\"\\\n\r\t\x00\x1b\xff\xc3\xa9{}\xf0\x9f";
        let request = RequestText::new(b"GE\"T", b"\xff\xfe", path);
        let line = line(&AccessEntry { request, ..example() });
        assert_eq!(line.matches('\n').count(), 1, "{line}");
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["method"], "GE\"T");
        assert_eq!(read["host"], "\u{fffd}\u{fffd}");
        assert_eq!(read["path"], "/\"\\\n\r\t\0\u{1b}\u{fffd}é{}\u{fffd}");
    }

    #[test]
    fn long_parts_are_cut_and_the_query_is_not_written() {
        let (host, path) = ([b'h'; 5_000], [&[b'/'; 5_000][..], b"?password=x"].concat());
        let line = line(&AccessEntry { request: RequestText::new(b"GET", &host, &path), ..example() });
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(
            (read["host"].as_str().unwrap().len(), read["path"].as_str().unwrap().len()),
            (255, 1_024)
        );
        assert!(!line.contains("password"), "{line}");
    }
}
