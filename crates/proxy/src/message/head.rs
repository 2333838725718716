//! Heads of requests and answers.

use super::fields::{Fields, Place};

/// What a message is spoken in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// HTTP/1.0.
    Http10,
    /// HTTP/1.1.
    #[default]
    Http11,
    /// HTTP/2.
    Http2,
}

impl Protocol {
    /// As in `Via` and in the access log.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Http10 => "1.0",
            Self::Http11 => "1.1",
            Self::Http2 => "2",
        }
    }
}

/// How a body is delimited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum BodyLength {
    /// There is none.
    #[default]
    Empty,
    /// So many bytes.
    Known(u64),
    /// Its end comes with it: chunks, or the frames of HTTP/2.
    Streamed,
    /// It ends with the connection; answers of old servers only.
    UntilClose,
}

/// The head of a request. Host and target are those that were asked for, wherever the protocol says them.
#[derive(Debug, Clone, Default)]
pub(crate) struct RequestHead {
    pub(crate) protocol: Protocol,
    pub(crate) fields: Fields,
    pub(crate) length: BodyLength,
    /// Whether the client keeps the connection for another request.
    pub(crate) keep_alive: bool,
    method: Place,
    target: Place,
    host: Option<Place>,
}

impl RequestHead {
    pub(crate) fn method(&self) -> &[u8] {
        self.method.in_text(&self.fields.text)
    }

    /// Path and query, beginning with `/`, or `*`.
    pub(crate) fn target(&self) -> &[u8] {
        self.target.in_text(&self.fields.text)
    }

    /// The host that is asked for, with its port if it was named; none if a client of HTTP/1.0 named none.
    pub(crate) fn host(&self) -> Option<&[u8]> {
        Some(self.host?.in_text(&self.fields.text))
    }

    pub(crate) fn is_head(&self) -> bool {
        self.method() == b"HEAD"
    }

    /// Whether the method promises to change nothing (RFC 9110, section 9.2.1).
    pub(crate) fn is_safe(&self) -> bool {
        matches!(self.method(), b"GET" | b"HEAD" | b"OPTIONS" | b"TRACE")
    }

    /// Whether sending it twice is as good as once: a safe method, and no body.
    pub(crate) fn is_repeatable(&self) -> bool {
        self.length == BodyLength::Empty && self.is_safe()
    }

    /// Forgets everything and takes over the text of a head, with the parts of its first line as slices of it. The fields
    /// are marked afterwards.
    pub(crate) fn load(
        &mut self,
        text: &[u8],
        protocol: Protocol,
        method: &[u8],
        target: &[u8],
        host: Option<&[u8]>,
    ) {
        self.fields.load(text);
        self.protocol = protocol;
        self.method = Place::of(method, text);
        self.target = Place::of(target, text);
        self.host = host.map(|host| Place::of(host, text));
    }

    /// Forgets everything and begins a head whose parts are said one by one.
    pub(crate) fn begin(&mut self, protocol: Protocol) {
        self.fields.clear();
        self.protocol = protocol;
        (self.method, self.target, self.host) = (Place::default(), Place::default(), None);
        self.length = BodyLength::Empty;
        self.keep_alive = true;
    }

    pub(crate) fn set_method(&mut self, method: &[u8]) {
        self.method = self.fields.append(method);
    }

    pub(crate) fn set_target(&mut self, target: &[u8]) {
        self.target = self.fields.append(target);
    }

    pub(crate) fn set_host(&mut self, host: &[u8]) {
        self.host = Some(self.fields.append(host));
    }
}

/// The head of an answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct ResponseHead {
    pub(crate) protocol: Protocol,
    pub(crate) status: u16,
    pub(crate) fields: Fields,
    pub(crate) length: BodyLength,
    /// Whether the connection that it came on can take another request.
    pub(crate) keep_alive: bool,
    reason: Place,
}

impl ResponseHead {
    /// Of a head that was begun.
    pub(crate) fn set_status(&mut self, status: u16, reason: &[u8]) {
        self.status = status;
        self.reason = self.fields.append(reason);
    }

    /// The words after the status; may be empty.
    pub(crate) fn reason(&self) -> &[u8] {
        self.reason.in_text(&self.fields.text)
    }

    /// Forgets everything and takes over the text of a head. The fields are marked afterwards.
    pub(crate) fn load(&mut self, text: &[u8], protocol: Protocol, status: u16, reason: &[u8]) {
        self.fields.load(text);
        self.protocol = protocol;
        self.status = status;
        self.reason = Place::of(reason, text);
    }

    /// Forgets everything and begins a head whose fields are pushed one by one.
    pub(crate) fn begin(&mut self, protocol: Protocol, status: u16, reason: &[u8]) {
        self.fields.clear();
        self.protocol = protocol;
        self.status = status;
        self.reason = self.fields.append(reason);
        self.length = BodyLength::Empty;
        self.keep_alive = true;
    }
}
