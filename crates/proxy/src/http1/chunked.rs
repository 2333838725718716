//! Chunked bodies (RFC 9112, section 7.1), taken apart as they come.

use super::scan::HeadFault;
use crate::message::Fields;

/// Longest line with the size of a chunk; what follows a semicolon are extensions, which nobody uses and which are dropped.
const LONGEST_SIZE_LINE: usize = 256;

/// Longest part with trailers.
const LONGEST_TRAILERS: usize = 16 * 1024;

/// Most trailer fields.
const MOST_TRAILERS: usize = 64;

/// The framing of a body cannot be understood, or could be in two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the chunks of the body cannot be read, or can be read in more than one way")]
pub(crate) struct ChunkFault;

impl From<ChunkFault> for HeadFault {
    fn from(_: ChunkFault) -> Self {
        Self::Malformed
    }
}

/// What a stretch of bytes turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Framing, or nothing: so many bytes are done with, and more may follow.
    Skip(usize),
    /// So many bytes are part of the body. They are done with when they are taken.
    Data(usize),
    /// So many bytes end the body.
    End(usize),
}

/// Takes one chunked body apart.
#[derive(Debug, Default)]
pub(crate) struct ChunkedDecoder {
    expects: Expects,
    /// The beginning of a line, or of the trailers, whose end has not come yet.
    partial: Vec<u8>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Expects {
    #[default]
    Size,
    Data(u64),
    DataEnd,
    Trailers,
    Nothing,
}

impl ChunkedDecoder {
    /// What the first of these bytes are. Called again with the rest, until it skips everything: then more is needed.
    /// Trailers are put into `trailers` with the end.
    pub(crate) fn next(&mut self, bytes: &[u8], trailers: &mut Fields) -> Result<Step, ChunkFault> {
        match self.expects {
            Expects::Data(left) => {
                let here = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                Ok(if here == 0 { Step::Skip(0) } else { Step::Data(here) })
            }
            Expects::Nothing => Ok(Step::End(0)),
            Expects::Size | Expects::DataEnd | Expects::Trailers => self.line(bytes, trailers),
        }
    }

    /// So many bytes of the data that [`ChunkedDecoder::next`] spoke of are done with.
    pub(crate) fn take(&mut self, bytes: usize) {
        if let Expects::Data(left) = self.expects {
            let left = left.saturating_sub(bytes as u64);
            self.expects = if left == 0 { Expects::DataEnd } else { Expects::Data(left) };
        }
    }

    fn line(&mut self, bytes: &[u8], trailers: &mut Fields) -> Result<Step, ChunkFault> {
        let Some(end) = memchr::memchr(b'\n', bytes) else {
            self.keep(bytes)?;
            return Ok(Step::Skip(bytes.len()));
        };
        let used = end + 1;
        if self.partial.is_empty() && self.expects != Expects::Trailers {
            self.understand(&bytes[..used])?;
            return Ok(Step::Skip(used));
        }
        self.keep(&bytes[..used])?;
        if self.expects == Expects::Trailers {
            return self.trailer_line(used, trailers);
        }
        let line = std::mem::take(&mut self.partial);
        self.understand(&line)?;
        Ok(Step::Skip(used))
    }

    /// A whole line with its end.
    fn understand(&mut self, line: &[u8]) -> Result<(), ChunkFault> {
        let line = line.strip_suffix(b"\r\n").ok_or(ChunkFault)?;
        if line.contains(&b'\r') {
            return Err(ChunkFault);
        }
        self.expects = match self.expects {
            Expects::DataEnd if line.is_empty() => Expects::Size,
            Expects::Size => match chunk_size(line).ok_or(ChunkFault)? {
                0 => Expects::Trailers,
                size => Expects::Data(size),
            },
            _ => return Err(ChunkFault),
        };
        Ok(())
    }

    /// A line of the trailers has come; an empty one ends the body.
    fn trailer_line(&mut self, used: usize, trailers: &mut Fields) -> Result<Step, ChunkFault> {
        if !self.partial.ends_with(b"\r\n") {
            return Err(ChunkFault);
        }
        if self.partial != b"\r\n" && !self.partial.ends_with(b"\r\n\r\n") {
            return Ok(Step::Skip(used));
        }
        let text = std::mem::take(&mut self.partial);
        let mut parsed = [httparse::EMPTY_HEADER; MOST_TRAILERS];
        let Ok(httparse::Status::Complete((_, fields))) = httparse::parse_headers(&text, &mut parsed) else {
            return Err(ChunkFault);
        };
        trailers.clear();
        fields.iter().for_each(|field| trailers.push(field.name.as_bytes(), field.value.trim_ascii()));
        self.expects = Expects::Nothing;
        Ok(Step::End(used))
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), ChunkFault> {
        let longest = if self.expects == Expects::Trailers { LONGEST_TRAILERS } else { LONGEST_SIZE_LINE };
        if self.partial.len() + bytes.len() > longest {
            return Err(ChunkFault);
        }
        self.partial.extend_from_slice(bytes);
        Ok(())
    }
}

/// Hexadecimal digits and nothing else, before a semicolon. Spaces and tabs may stand between them, no other white space.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let size = line.split(|byte| *byte == b';').next()?;
    let digits = size.iter().rposition(|byte| !matches!(byte, b' ' | b'\t'))?;
    let size = &size[..=digits];
    if line.len() > LONGEST_SIZE_LINE {
        return None;
    }
    size.iter().try_fold(0u64, |number, digit| {
        let digit = char::from(*digit).to_digit(16)?;
        number.checked_mul(16)?.checked_add(u64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The body, the number of its trailers, and what follows it; none if its end has not come.
    type Decoded = Option<(Vec<u8>, usize, Vec<u8>)>;

    fn decoded(text: &[u8], cut: usize) -> Result<Decoded, ChunkFault> {
        let (mut decoder, mut trailers, mut body) =
            (ChunkedDecoder::default(), Fields::default(), Vec::new());
        let mut at = 0;
        let mut ends = (cut..text.len()).step_by(cut).chain([text.len()]);
        let mut end = 0;
        loop {
            match decoder.next(&text[at..end], &mut trailers)? {
                Step::Skip(used) if at + used == end => {
                    at = end;
                    match ends.next() {
                        Some(next) => end = next,
                        None => return Ok(None),
                    }
                }
                Step::Skip(used) => at += used,
                Step::Data(length) => {
                    // Less than there is, as a slow reader takes it.
                    let taken = length.min(3);
                    body.extend_from_slice(&text[at..at + taken]);
                    decoder.take(taken);
                    at += taken;
                }
                Step::End(used) => {
                    return Ok(Some((body, trailers.iter().count(), text[at + used..].to_vec())));
                }
            }
        }
    }

    #[test]
    fn chunks_are_put_together_and_trailers_kept() {
        let text = b"2\r\n\n\n\r\nA;x=\"y\"\r\n0123456789\r\n0\r\nT: v\r\n\r\nGET";
        for cut in 1..=text.len() {
            let (body, trailers, rest) = decoded(text, cut).unwrap().unwrap();
            assert_eq!((&body[..], trailers), (&b"\n\n0123456789"[..], 1));
            assert_eq!(rest, b"GET");
        }
        assert_eq!(decoded(b"0\r\n\r\n", 9), Ok(Some((vec![], 0, vec![]))));
        assert_eq!(decoded(b"5\r\nabc", 9), Ok(None));
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        for text in [
            "2\nab\r\n0\r\n\r\n",
            "2\r\nabc\r\n",
            "x\r\n",
            "\r\n",
            "-1\r\n",
            "10000000000000000\r\n",
            "0x2\r\nab\r\n",
            "2 2\r\n",
            "2\x0c\r\nab\r\n",
            " \r\n",
            "0\r\nT: v\n\r\n",
            "0\r\n bad\r\n\r\n",
        ] {
            assert_eq!(decoded(text.as_bytes(), 99), Err(ChunkFault), "{text:?}");
        }
        assert_eq!(decoded(&[b'0'; 1_000], 7), Err(ChunkFault));
    }

    proptest! {
        #[test]
        fn how_the_bytes_are_cut_does_not_matter(text in "([0-3a-c;\r\n:]|\r\n){0,40}", cut in 1usize..7) {
            let whole = decoded(text.as_bytes(), text.len().max(1));
            prop_assert_eq!(whole, decoded(text.as_bytes(), cut));
        }

        #[test]
        fn arbitrary_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = decoded(&bytes, 5);
        }
    }
}
