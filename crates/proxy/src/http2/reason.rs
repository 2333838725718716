//! Why a stream or a connection is broken off.

use std::fmt;

/// An error code of HTTP/2 (RFC 9113, section 7).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reason(pub(super) u32);

macro_rules! reasons {
    ($($name:ident = $code:literal: $meaning:literal,)*) => {
        impl Reason {
            $(#[doc = $meaning] pub(crate) const $name: Self = Self($code);)*
        }

        impl fmt::Debug for Reason {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.0 {
                    $($code => formatter.write_str(stringify!($name)),)*
                    code => write!(formatter, "error code {code}"),
                }
            }
        }
    };
}

reasons! {
    NO_ERROR = 0: "Nothing went wrong.",
    PROTOCOL_ERROR = 1: "The other end does not keep to the protocol.",
    INTERNAL_ERROR = 2: "This end cannot go on.",
    FLOW_CONTROL_ERROR = 3: "More was sent than was allowed.",
    STREAM_CLOSED = 5: "Something was sent on a stream that had ended.",
    FRAME_SIZE_ERROR = 6: "A frame has an impossible length.",
    REFUSED_STREAM = 7: "The request has not been begun with; it may be sent again.",
    CANCEL = 8: "The stream is not needed any more.",
    COMPRESSION_ERROR = 9: "The compression of heads is out of step.",
    ENHANCE_YOUR_CALM = 11: "The other end makes more work than it should.",
}
