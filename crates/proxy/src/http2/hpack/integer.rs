//! Numbers whose first bits share a byte with something else (RFC 7541, section 5.1).

use super::HpackFault;

/// Most bytes after the first one. Four of them carry 28 bits, more than any block is long; longer ones, zeros in front
/// included, are refused as the format asks.
const MOST_MORE_BYTES: u32 = 4;

/// What is left of a header block.
pub(super) struct Reader<'b> {
    rest: &'b [u8],
}

impl<'b> Reader<'b> {
    pub(super) fn new(block: &'b [u8]) -> Self {
        Self { rest: block }
    }

    /// The next byte, which stays.
    pub(super) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// The number in the last `bits` bits of the next byte, and in those after it if it does not fit.
    #[inline]
    pub(super) fn integer(&mut self, bits: u32) -> Result<usize, HpackFault> {
        let most = (1 << bits) - 1;
        let first = usize::from(self.byte()?) & most;
        if first < most { Ok(first) } else { self.more(most) }
    }

    fn more(&mut self, prefix: usize) -> Result<usize, HpackFault> {
        let mut value = 0;
        for place in 0..MOST_MORE_BYTES {
            let byte = self.byte()?;
            value |= usize::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                return Ok(prefix + value);
            }
        }
        Err(HpackFault::IntegerTooLarge)
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'b [u8], HpackFault> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(HpackFault::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, HpackFault> {
        let (byte, rest) = self.rest.split_first().ok_or(HpackFault::Truncated)?;
        self.rest = rest;
        Ok(*byte)
    }
}

/// Writes a number into the last `bits` bits of a byte whose first bits are those of `pattern`, and into bytes after it if
/// it does not fit.
#[inline]
pub(super) fn write(value: usize, bits: u32, pattern: u8, out: &mut Vec<u8>) {
    let most = (1u8 << bits) - 1;
    match u8::try_from(value) {
        Ok(value) if value < most => out.push(pattern | value),
        _ => write_more(value - usize::from(most), pattern | most, out),
    }
}

fn write_more(mut value: usize, first: u8, out: &mut Vec<u8>) {
    out.push(first);
    while value > 0x7f {
        out.push(0x80 | low_bits(value));
        value >>= 7;
    }
    out.push(low_bits(value));
}

fn low_bits(value: usize) -> u8 {
    (value & 0x7f) as u8
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(value: usize, bits: u32, pattern: u8) -> Vec<u8> {
        let mut out = Vec::new();
        write(value, bits, pattern, &mut out);
        out
    }

    /// RFC 7541, appendix C.1.
    #[test]
    fn the_examples_of_the_format() {
        for (value, bits, bytes) in [(10, 5, &[10][..]), (1337, 5, &[31, 154, 10]), (42, 7, &[42])] {
            assert_eq!(written(value, bits, 0), bytes);
            assert_eq!(Reader::new(bytes).integer(bits), Ok(value));
        }
    }

    #[test]
    fn what_is_too_long_or_cut_off_is_refused() {
        let read = |bytes: &[u8]| Reader::new(bytes).integer(5);
        assert_eq!(read(&[]), Err(HpackFault::Truncated));
        assert_eq!(read(&[31]), Err(HpackFault::Truncated));
        assert_eq!(read(&[31, 0xff, 0xff]), Err(HpackFault::Truncated));
        assert_eq!(read(&[31, 0xff, 0xff, 0xff, 0x7f]), Ok(31 + (1 << 28) - 1));
        assert_eq!(read(&[31, 0x80, 0x80, 0x80, 0x80, 0]), Err(HpackFault::IntegerTooLarge));
        assert_eq!(read(&[0xff; 40]), Err(HpackFault::IntegerTooLarge));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(value in 0usize..1 << 28, bits in 4u32..=7, pattern: u8) {
            let pattern = pattern & !((1 << bits) - 1);
            let mut bytes = written(value, bits, pattern);
            prop_assert_eq!(bytes[0] & !((1 << bits) - 1), pattern);
            bytes.push(7);
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!(reader.integer(bits), Ok(value));
            prop_assert_eq!(reader.peek(), Some(7), "not one byte more");
        }
    }
}
