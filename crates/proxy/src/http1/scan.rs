//! Where a head ends.

use thiserror::Error;

/// Longest head that is accepted.
pub(crate) const LONGEST_HEAD: usize = 64 * 1024;

/// Empty lines that may stand before a request line (RFC 9112, section 2.2), in bytes.
const LONGEST_PADDING: usize = 8;

/// Why a head is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum HeadFault {
    /// It can be read in two ways, or not at all.
    #[error("the head cannot be read, or can be read in more than one way")]
    Malformed,
    /// It is longer than [`LONGEST_HEAD`], or has more fields than are accepted.
    #[error("the head is too large")]
    TooLarge,
    /// A transfer coding that is not known here.
    #[error("the transfer coding is not known")]
    UnknownCoding,
    /// A version that is not spoken here.
    #[error("the version of HTTP is not spoken here")]
    Version,
    /// No host, or more than one.
    #[error("the request has no usable host")]
    Host,
}

/// Looks for the end of a head in bytes that come piece by piece, each byte once.
#[derive(Debug, Default)]
pub(crate) struct HeadScanner {
    /// How far the bytes have been looked at; what lies before ends in whole lines or not at all.
    seen: usize,
    /// Where the last line began.
    line: usize,
    /// Where the head begins, behind empty lines.
    start: usize,
}

impl HeadScanner {
    /// The head's place in `bytes`, which begin where they began with the calls before: `Ok(None)` if its end has not
    /// come yet. After a head was found, a new scanner is needed.
    pub(crate) fn find(&mut self, bytes: &[u8]) -> Result<Option<std::ops::Range<usize>>, HeadFault> {
        while let Some(offset) = memchr::memchr(b'\n', &bytes[self.seen..]) {
            let end = self.seen + offset + 1;
            // A bare line feed ends a line for some readers and not for others.
            if end - self.line < 2 || bytes[end - 2] != b'\r' {
                return Err(HeadFault::Malformed);
            }
            let empty = end - self.line == 2;
            (self.seen, self.line) = (end, end);
            if !empty {
                continue;
            }
            if end - 2 > self.start {
                return self.within(end).map(|()| Some(self.start..end));
            }
            self.start = end;
            if self.start > LONGEST_PADDING {
                return Err(HeadFault::Malformed);
            }
        }
        self.seen = bytes.len();
        self.within(bytes.len()).map(|()| None)
    }

    /// Whether anything of a head has come.
    pub(crate) fn has_begun(&self) -> bool {
        self.seen > self.start
    }

    fn within(&self, end: usize) -> Result<(), HeadFault> {
        if end - self.start > LONGEST_HEAD { Err(HeadFault::TooLarge) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

    #[test]
    fn a_head_ends_with_an_empty_line() {
        assert_eq!(HeadScanner::default().find(GET), Ok(Some(0..GET.len())));
        assert_eq!(HeadScanner::default().find(&GET[..GET.len() - 1]), Ok(None));
        let padded = [b"\r\n", GET, b"rest"].concat();
        assert_eq!(HeadScanner::default().find(&padded), Ok(Some(2..2 + GET.len())));
    }

    #[test]
    fn bare_line_feeds_endless_padding_and_giants_are_refused() {
        for text in ["GET / HTTP/1.1\n", "\n", "GET / HTTP/1.1\r\nA: b\n\r\n", "\r\n\r\n\r\n\r\n\r\n"] {
            assert_eq!(HeadScanner::default().find(text.as_bytes()), Err(HeadFault::Malformed), "{text:?}");
        }
        let giant = vec![b'a'; LONGEST_HEAD + 1];
        assert_eq!(HeadScanner::default().find(&giant), Err(HeadFault::TooLarge));
    }

    proptest! {
        #[test]
        fn how_the_bytes_are_cut_does_not_matter(text in "[a\r\n]{0,40}(\r\n\r\n)?", cut in 1usize..7) {
            let bytes = text.as_bytes();
            let whole = HeadScanner::default().find(bytes);
            let mut scanner = HeadScanner::default();
            let mut outcome = Ok(None);
            for end in (cut..bytes.len()).step_by(cut).chain([bytes.len()]) {
                outcome = scanner.find(&bytes[..end]);
                if outcome != Ok(None) {
                    break;
                }
            }
            prop_assert_eq!(whole, outcome);
        }
    }
}
