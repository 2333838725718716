//! The header fields that the edge has to know, told apart once, when a head is read.

macro_rules! names {
    ($($variant:ident = $text:literal,)*) => {
        /// A header field that means something to the edge, or any other.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Name {
            $(#[doc = $text] $variant,)*
            /// Passed on unread.
            Other,
        }

        impl Name {
            /// Which one it is, whatever the case of its letters.
            pub(crate) fn of(name: &[u8]) -> Self {
                $(if name.len() == $text.len() && name.eq_ignore_ascii_case($text.as_bytes()) {
                    return Self::$variant;
                })*
                Self::Other
            }
        }
    };
}

names! {
    Host = "host",
    Connection = "connection",
    ContentLength = "content-length",
    TransferEncoding = "transfer-encoding",
    Upgrade = "upgrade",
    Expect = "expect",
    Te = "te",
    Trailer = "trailer",
    KeepAlive = "keep-alive",
    ProxyConnection = "proxy-connection",
    ProxyAuthenticate = "proxy-authenticate",
    ProxyAuthorization = "proxy-authorization",
    Http2Settings = "http2-settings",
    Via = "via",
    Forwarded = "forwarded",
    XForwardedFor = "x-forwarded-for",
    XForwardedHost = "x-forwarded-host",
    XForwardedProto = "x-forwarded-proto",
    Cookie = "cookie",
    Traceparent = "traceparent",
    Tracestate = "tracestate",
    GrpcTimeout = "grpc-timeout",
    PilotageVersion = "pilotage-version",
}

impl Name {
    /// Whether the field concerns one connection only (RFC 9110, section 7.6.1), or once did. `Trailer` is meant for both
    /// ends, and so is `TE` if it says `trailers`.
    pub(crate) fn is_hop_by_hop(self) -> bool {
        matches!(
            self,
            Self::Connection
                | Self::TransferEncoding
                | Self::Upgrade
                | Self::Te
                | Self::KeepAlive
                | Self::ProxyConnection
                | Self::ProxyAuthenticate
                | Self::ProxyAuthorization
                | Self::Http2Settings
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart_in_any_case() {
        assert_eq!(Name::of(b"Content-LENGTH"), Name::ContentLength);
        assert_eq!(Name::of(b"te"), Name::Te);
        assert_eq!(Name::of(b"tee"), Name::Other);
        assert_eq!(Name::of(b""), Name::Other);
    }
}
