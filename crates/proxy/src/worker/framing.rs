//! Where one message of a client ends and the next begins, followed byte by byte beside hyper's own parser.
//!
//! hyper is lenient in places where another server may read the same bytes differently: of `Content-Length` and
//! `Transfer-Encoding` together it quietly drops the first, and it takes a bare line feed for the end of a line. Requests
//! are smuggled through such differences, so whatever can be read in two ways is a fault here (RFC 9112, sections 2.2,
//! 5.2, 6.1 and 6.3). This parser only ever refuses more than hyper does.

/// Longest line that is looked at; hyper answers a longer head with 431 before it is complete.
const LONGEST_LINE: usize = 64 * 1024;

/// Something that can be read in two ways, or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// In the head of the message with this number, counted from 0.
    Head(u64),
    /// In the framing of a body.
    Body,
}

/// Follows the messages of one connection.
#[derive(Debug, Default)]
pub(super) struct Framing {
    expects: Expects,
    /// The beginning of a line whose end has not come yet.
    partial: Vec<u8>,
    head: Head,
    heads_ended: u64,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Expects {
    #[default]
    RequestLine,
    HeaderLine,
    Body {
        left: u64,
    },
    ChunkSize,
    ChunkData {
        left: u64,
    },
    ChunkEnd,
    TrailerLine,
}

/// What of a head decides where its body ends.
#[derive(Debug, Default, Clone, Copy)]
struct Head {
    length: Option<u64>,
    chunked: bool,
}

impl Framing {
    /// Whether a head has begun and not ended.
    pub(super) fn is_within_head(&self) -> bool {
        match self.expects {
            Expects::RequestLine => !self.partial.is_empty(),
            Expects::HeaderLine => true,
            _ => false,
        }
    }

    /// Follows the next bytes of the connection. After a fault nothing that follows has a meaning.
    pub(super) fn follow(&mut self, mut bytes: &[u8]) -> Result<(), Fault> {
        while !bytes.is_empty() {
            bytes = match self.expects {
                Expects::Body { left } => {
                    self.skip(bytes, left, Expects::RequestLine, |left| Expects::Body { left })
                }
                Expects::ChunkData { left } => {
                    self.skip(bytes, left, Expects::ChunkEnd, |left| Expects::ChunkData { left })
                }
                _ => self.take_line(bytes)?,
            };
        }
        Ok(())
    }

    fn skip<'b>(&mut self, bytes: &'b [u8], left: u64, after: Expects, more: fn(u64) -> Expects) -> &'b [u8] {
        let here = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        let left = left - here as u64;
        self.expects = if left == 0 { after } else { more(left) };
        &bytes[here..]
    }

    fn take_line<'b>(&mut self, bytes: &'b [u8]) -> Result<&'b [u8], Fault> {
        let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
            if self.partial.len() + bytes.len() > LONGEST_LINE {
                return Err(self.fault());
            }
            self.partial.extend_from_slice(bytes);
            return Ok(&[]);
        };
        let (line, rest) = (&bytes[..end], &bytes[end + 1..]);
        if self.partial.is_empty() {
            self.line(line)?;
        } else {
            let mut whole = std::mem::take(&mut self.partial);
            whole.extend_from_slice(line);
            self.line(&whole)?;
        }
        Ok(rest)
    }

    /// A line without its line feed.
    fn line(&mut self, line: &[u8]) -> Result<(), Fault> {
        let line = line.strip_suffix(b"\r").ok_or_else(|| self.fault())?;
        if line.contains(&b'\r') {
            return Err(self.fault());
        }
        let understood = match self.expects {
            // Empty lines before a request line are to be ignored (RFC 9112, section 2.2).
            Expects::RequestLine if line.is_empty() => Some(()),
            Expects::RequestLine => self.begin_head(),
            Expects::HeaderLine if line.is_empty() => self.end_head(),
            Expects::HeaderLine => self.header(line),
            Expects::ChunkSize => self.chunk_size(line),
            Expects::ChunkEnd => line.is_empty().then(|| self.expects = Expects::ChunkSize),
            Expects::TrailerLine => self.trailer(line),
            Expects::Body { .. } | Expects::ChunkData { .. } => None,
        };
        understood.ok_or_else(|| self.fault())
    }

    fn begin_head(&mut self) -> Option<()> {
        self.head = Head::default();
        self.expects = Expects::HeaderLine;
        Some(())
    }

    fn header(&mut self, line: &[u8]) -> Option<()> {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        // White space here is a folded line, or a name that others may or may not trim.
        if name.is_empty() || name.iter().any(u8::is_ascii_whitespace) {
            return None;
        }
        if name.eq_ignore_ascii_case(b"content-length") {
            let length = number(value, 10)?;
            return self.head.length.replace(length).is_none().then_some(());
        }
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            let again = std::mem::replace(&mut self.head.chunked, true);
            return (!again && value.eq_ignore_ascii_case(b"chunked")).then_some(());
        }
        Some(())
    }

    fn end_head(&mut self) -> Option<()> {
        self.expects = match self.head {
            Head { chunked: true, length: Some(_) } => return None,
            Head { chunked: true, length: None } => Expects::ChunkSize,
            Head { length: Some(left @ 1..), .. } => Expects::Body { left },
            Head { .. } => Expects::RequestLine,
        };
        self.heads_ended += 1;
        Some(())
    }

    fn chunk_size(&mut self, line: &[u8]) -> Option<()> {
        // What follows a semicolon are extensions, which nobody uses and hyper drops.
        let size = line.split(|byte| *byte == b';').next()?;
        self.expects = match number(size.trim_ascii_end(), 16)? {
            0 => Expects::TrailerLine,
            left => Expects::ChunkData { left },
        };
        Some(())
    }

    fn trailer(&mut self, line: &[u8]) -> Option<()> {
        if line.is_empty() {
            self.expects = Expects::RequestLine;
        }
        Some(())
    }

    fn fault(&self) -> Fault {
        match self.expects {
            Expects::RequestLine | Expects::HeaderLine => Fault::Head(self.heads_ended),
            _ => Fault::Body,
        }
    }
}

/// Digits and nothing else: no sign, no space, no list.
fn number(digits: &[u8], radix: u32) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |number, digit| {
        let digit = char::from(*digit).to_digit(radix)?;
        number.checked_mul(u64::from(radix))?.checked_add(u64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

    fn followed(text: &str) -> Result<u64, Fault> {
        let mut framing = Framing::default();
        framing.follow(text.as_bytes())?;
        assert!(!framing.is_within_head(), "{text:?} is not complete");
        Ok(framing.heads_ended)
    }

    fn with_headers(headers: &str) -> String {
        format!("POST / HTTP/1.1\r\nHost: a\r\n{headers}\r\n")
    }

    #[test]
    fn sound_messages_are_told_apart() {
        assert_eq!(followed(GET), Ok(1));
        assert_eq!(followed(&format!("\r\n{GET}\r\n{GET}")), Ok(2));
        assert_eq!(followed(&format!("{}\nG{GET}", with_headers("Content-Length: 2\r\n"))), Ok(2));
        let chunked = with_headers("transfer-encoding: Chunked\r\n");
        assert_eq!(
            followed(&format!("{chunked}2\r\n\n\n\r\nA;x=\"y\"\r\n0123456789\r\n0\r\nT: v\r\n\r\n{GET}")),
            Ok(2)
        );
    }

    #[test]
    fn whatever_can_be_read_in_two_ways_is_a_fault() {
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
            "Transfer-Encoding: xchunked\r\n",
            "Transfer-Encoding: chunked, identity\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding : chunked\r\n",
            "X: a\r\n b\r\n",
            " X: a\r\n",
            "X: a\n",
            "X: a\rContent-Length: 5\r\n",
            "no colon\r\n",
            ": no name\r\n",
        ] {
            assert_eq!(followed(&with_headers(headers)), Err(Fault::Head(0)), "{headers:?}");
            assert_eq!(
                followed(&format!("{GET}{}", with_headers(headers))),
                Err(Fault::Head(1)),
                "{headers:?}"
            );
        }
        assert_eq!(followed("GET / HTTP/1.1\nHost: a\r\n\r\n"), Err(Fault::Head(0)));
        let chunked = with_headers("Transfer-Encoding: chunked\r\n");
        for body in ["2\nab\r\n0\r\n\r\n", "2\r\nabc\r\n", "x\r\n", "\r\n", "-1\r\n", "10000000000000000\r\n"]
        {
            assert_eq!(followed(&format!("{chunked}{body}")), Err(Fault::Body), "{body:?}");
        }
    }

    proptest! {
        #[test]
        fn how_the_bytes_are_cut_does_not_matter(
            pieces in proptest::collection::vec(prop_oneof![
                Just(GET.to_owned()),
                Just(with_headers("Content-Length: 3\r\n") + "abc"),
                Just(with_headers("Transfer-Encoding: chunked\r\n") + "3\r\nabc\r\n0\r\n\r\n"),
                "[a-c: \r\n]{0,12}",
            ], 1..6),
            cut in 1usize..9,
        ) {
            let text = pieces.concat();
            let (mut whole, mut cut_up) = (Framing::default(), Framing::default());
            let outcome = whole.follow(text.as_bytes());
            let outcome_cut_up = text.as_bytes().chunks(cut).try_for_each(|piece| cut_up.follow(piece));
            prop_assert_eq!(outcome, outcome_cut_up);
            prop_assert_eq!(whole.heads_ended, cut_up.heads_ended);
        }

        #[test]
        fn arbitrary_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Framing::default().follow(&bytes);
        }
    }
}
