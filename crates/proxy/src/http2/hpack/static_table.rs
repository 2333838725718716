//! The fields that both ends know from the start (RFC 7541, appendix A), and how we write each.

/// How many fields the format has; indexes of the dynamic table follow.
pub(super) const STATIC_FIELDS: usize = 61;

/// What becomes of a field when it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Habit {
    /// Comes again as it is: worth a place in the table.
    Repeats,
    /// Is another one each time: would only push others out of the table.
    Changes,
    /// Could be guessed by whoever makes us send fields and sees how long they get, so that it is kept out of all tables,
    /// also of those behind the peer (RFC 7541, section 7.1.3).
    Secret,
}

/// A name, with a value if it is in the static table.
#[derive(Debug, Clone, Copy)]
pub(super) struct KnownField {
    pub(super) name: &'static str,
    pub(super) value: &'static str,
    pub(super) habit: Habit,
}

/// The static table, whose first field has the index 1; names after it are known for their habit alone.
pub(super) static KNOWN_FIELDS: [KnownField; STATIC_FIELDS + 18] = [
    repeats(":authority", ""),
    repeats(":method", "GET"),
    repeats(":method", "POST"),
    changes(":path", "/"),
    changes(":path", "/index.html"),
    repeats(":scheme", "http"),
    repeats(":scheme", "https"),
    repeats(":status", "200"),
    repeats(":status", "204"),
    repeats(":status", "206"),
    repeats(":status", "304"),
    repeats(":status", "400"),
    repeats(":status", "404"),
    repeats(":status", "500"),
    repeats("accept-charset", ""),
    repeats("accept-encoding", "gzip, deflate"),
    repeats("accept-language", ""),
    repeats("accept-ranges", ""),
    repeats("accept", ""),
    repeats("access-control-allow-origin", ""),
    changes("age", ""),
    repeats("allow", ""),
    secret("authorization", ""),
    repeats("cache-control", ""),
    repeats("content-disposition", ""),
    repeats("content-encoding", ""),
    repeats("content-language", ""),
    changes("content-length", ""),
    changes("content-location", ""),
    changes("content-range", ""),
    repeats("content-type", ""),
    secret("cookie", ""),
    changes("date", ""),
    changes("etag", ""),
    repeats("expect", ""),
    changes("expires", ""),
    repeats("from", ""),
    repeats("host", ""),
    repeats("if-match", ""),
    changes("if-modified-since", ""),
    changes("if-none-match", ""),
    changes("if-range", ""),
    changes("if-unmodified-since", ""),
    changes("last-modified", ""),
    repeats("link", ""),
    changes("location", ""),
    repeats("max-forwards", ""),
    repeats("proxy-authenticate", ""),
    secret("proxy-authorization", ""),
    changes("range", ""),
    changes("referer", ""),
    repeats("refresh", ""),
    repeats("retry-after", ""),
    repeats("server", ""),
    secret("set-cookie", ""),
    repeats("strict-transport-security", ""),
    repeats("transfer-encoding", ""),
    repeats("user-agent", ""),
    repeats("vary", ""),
    repeats("via", ""),
    repeats("www-authenticate", ""),
    // Not in the format.
    changes("content-md5", ""),
    changes("forwarded", ""),
    changes("grpc-message", ""),
    changes("grpc-timeout", ""),
    changes("traceparent", ""),
    changes("tracestate", ""),
    changes("x-amzn-trace-id", ""),
    secret("x-api-key", ""),
    secret("x-auth-token", ""),
    changes("x-b3-spanid", ""),
    changes("x-b3-traceid", ""),
    changes("x-correlation-id", ""),
    secret("x-csrf-token", ""),
    changes("x-forwarded-for", ""),
    changes("x-real-ip", ""),
    changes("x-request-id", ""),
    changes("x-request-start", ""),
    secret("x-xsrf-token", ""),
];

const fn repeats(name: &'static str, value: &'static str) -> KnownField {
    KnownField { name, value, habit: Habit::Repeats }
}

const fn changes(name: &'static str, value: &'static str) -> KnownField {
    KnownField { name, value, habit: Habit::Changes }
}

const fn secret(name: &'static str, value: &'static str) -> KnownField {
    KnownField { name, value, habit: Habit::Secret }
}

/// A field of the static table. `index`: from 1.
pub(super) fn static_field(index: usize) -> Option<(&'static [u8], &'static [u8])> {
    let field = KNOWN_FIELDS[..STATIC_FIELDS].get(index.checked_sub(1)?)?;
    Some((field.name.as_bytes(), field.value.as_bytes()))
}
