//! Strings in the Huffman code of RFC 7541 (section 5.2 and appendix B), read.
//!
//! The code is canonical: codes of one length follow each other in the order of their symbols, and longer ones follow
//! shorter ones. So the lengths say everything, and the tables are made of them when this is compiled. Letters, digits and
//! most punctuation have codes of at most eight bits and are found in one step; the rest by its length.

use super::HpackFault;

/// Every byte, and the end of the string.
const SYMBOLS: usize = 257;

/// Bits of the shortest code.
const SHORTEST: usize = 5;

/// Bits of the longest code.
const LONGEST: usize = 30;

/// Longest codes that [`SHORT`] knows.
const SHORT_BITS: usize = 8;

/// Bits of each symbol's code (RFC 7541, appendix B).
#[rustfmt::skip]
const LENGTHS: [u8; SYMBOLS] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
    28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
     6, 10, 10, 12, 13,  6,  8, 11, 10, 10,  8, 11,  8,  6,  6,  6,
     5,  5,  5,  6,  6,  6,  6,  6,  6,  6,  7,  8, 15,  6, 12, 10,
    13,  6,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,
     7,  7,  7,  7,  7,  7,  7,  7,  8,  7,  8, 13, 19, 13, 14,  6,
    15,  5,  6,  5,  6,  5,  6,  6,  6,  5,  7,  7,  6,  6,  6,  5,
     6,  7,  6,  5,  5,  6,  7,  7,  7,  7,  7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    30,
];

/// A symbol and how many bits its code has.
#[derive(Debug, Clone, Copy)]
struct Coded {
    /// A byte, or 256 for the end of the string.
    symbol: u16,
    /// Zero where the code is longer than the table knows.
    bits: u32,
}

/// The codes of one length.
#[derive(Debug, Clone, Copy)]
struct Row {
    bits: u32,
    /// Where the symbols of this length begin in [`SORTED`].
    begins: usize,
    /// The first code, in the highest bits.
    first: u32,
    /// The last code, and ones after it: everything up to here is of this length or shorter.
    last: u32,
}

/// Symbols in the order of their codes.
static SORTED: [u16; SYMBOLS] = sorted();

/// The symbol that eight bits begin with.
static SHORT: [Coded; 1 << SHORT_BITS] = short();

/// By length, for codes that are longer.
static LONG: [Row; LONGEST - SHORT_BITS] = long();

const fn sorted() -> [u16; SYMBOLS] {
    let mut sorted = [0; SYMBOLS];
    let (mut at, mut bits) = (0, SHORTEST);
    while bits <= LONGEST {
        let mut symbol = 0;
        while symbol < SYMBOLS {
            if LENGTHS[symbol] as usize == bits {
                sorted[at] = symbol as u16;
                at += 1;
            }
            symbol += 1;
        }
        bits += 1;
    }
    sorted
}

const fn short() -> [Coded; 1 << SHORT_BITS] {
    let mut table = [Coded { symbol: 0, bits: 0 }; 1 << SHORT_BITS];
    let (mut at, mut next) = (0, 0);
    while next < SYMBOLS && LENGTHS[SORTED[next] as usize] as usize <= SHORT_BITS {
        let (symbol, bits) = (SORTED[next], LENGTHS[SORTED[next] as usize]);
        let end = at + (1 << (SHORT_BITS - bits as usize));
        while at < end {
            table[at] = Coded { symbol, bits: bits as u32 };
            at += 1;
        }
        next += 1;
    }
    table
}

const fn long() -> [Row; LONGEST - SHORT_BITS] {
    let mut rows = [Row { bits: 0, begins: 0, first: 0, last: 0 }; LONGEST - SHORT_BITS];
    // Where the code of the next symbol begins among all words of 32 bits; 64 bits, since the last code ends past them.
    let (mut code, mut next, mut bits) = (0u64, 0, SHORTEST);
    while bits <= LONGEST {
        let (begins, first) = (next, code);
        while next < SYMBOLS && LENGTHS[SORTED[next] as usize] as usize == bits {
            code += 1 << (32 - bits);
            next += 1;
        }
        if bits > SHORT_BITS {
            rows[bits - SHORT_BITS - 1] =
                Row { bits: bits as u32, begins, first: first as u32, last: (code - 1) as u32 };
        }
        bits += 1;
    }
    assert!(code == 1 << 32, "every word begins with a code");
    rows
}

/// Decodes a string into `out`, whose old content goes.
pub(super) fn decode(coded: &[u8], out: &mut Vec<u8>) -> Result<(), HpackFault> {
    out.clear();
    out.resize(coded.len() * 8 / SHORTEST, 0);
    let mut bits = Bits { window: 0, held: 0, rest: coded };
    let mut length = 0;
    for slot in out.iter_mut() {
        bits.fill();
        let coded = bits.next();
        if coded.bits > bits.held {
            break;
        }
        *slot = u8::try_from(coded.symbol).map_err(|_| HpackFault::EndOfString)?;
        bits.skip(coded.bits);
        length += 1;
    }
    out.truncate(length);
    if bits.are_padding() { Ok(()) } else { Err(HpackFault::Padding) }
}

/// The bits of a string, and zeros after its end.
struct Bits<'c> {
    /// The next bits, the first one highest.
    window: u64,
    /// How many bits of the window are of the string.
    held: u32,
    rest: &'c [u8],
}

impl Bits<'_> {
    /// Makes sure that the next code is in the window, unless the string ends before.
    fn fill(&mut self) {
        if self.held >= LONGEST as u32 {
            return;
        }
        if let Some((word, rest)) = self.rest.split_first_chunk() {
            self.window |= u64::from(u32::from_be_bytes(*word)) << (32 - self.held);
            (self.held, self.rest) = (self.held + 32, rest);
            return;
        }
        for byte in self.rest {
            self.window |= u64::from(*byte) << (56 - self.held);
            self.held += 8;
        }
        self.rest = &[];
    }

    fn next(&self) -> Coded {
        let short = SHORT[(self.window >> (64 - SHORT_BITS)) as usize];
        if short.bits == 0 { self.next_long() } else { short }
    }

    fn next_long(&self) -> Coded {
        let word = (self.window >> 32) as u32;
        // The last row takes every word.
        let row = LONG.iter().find(|row| word <= row.last).unwrap_or(&LONG[LONG.len() - 1]);
        let nth = (word - row.first) >> (32 - row.bits);
        Coded { symbol: SORTED[row.begins + nth as usize], bits: row.bits }
    }

    fn skip(&mut self, bits: u32) {
        self.window <<= bits;
        self.held -= bits;
    }

    /// Whether the rest is the beginning of the code that ends a string, which is all ones, and less than a byte.
    fn are_padding(&self) -> bool {
        self.held < 8 && self.window.leading_ones() == self.held
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Each symbol's code as it stands in the format, counted up rather than looked up.
    fn codes() -> [(u32, u8); SYMBOLS] {
        let mut codes = [(0, 0); SYMBOLS];
        let mut code = 0u32;
        for bits in 1..=30 {
            code <<= 1;
            for symbol in (0..SYMBOLS).filter(|symbol| LENGTHS[*symbol] == bits) {
                codes[symbol] = (code, bits);
                code += 1;
            }
        }
        codes
    }

    /// Symbols as bits, padded with ones.
    pub(in super::super) fn encode(symbols: impl IntoIterator<Item = u16>) -> Vec<u8> {
        let codes = codes();
        let mut text = String::new();
        for symbol in symbols {
            let (code, bits) = codes[usize::from(symbol)];
            text.push_str(&format!("{code:0width$b}", width = usize::from(bits)));
        }
        while !text.len().is_multiple_of(8) {
            text.push('1');
        }
        (0..text.len()).step_by(8).map(|at| u8::from_str_radix(&text[at..at + 8], 2).unwrap()).collect()
    }

    fn decoded(coded: &[u8]) -> Result<Vec<u8>, HpackFault> {
        let mut out = b"what was there before".to_vec();
        decode(coded, &mut out).map(|()| out)
    }

    /// Some rows of appendix B, of every kind of length.
    #[test]
    fn codes_are_those_of_the_format() {
        let codes = codes();
        for (symbol, code, bits) in [
            (0, 0x1ff8, 13),
            (9, 0xff_ffea, 24),
            (10, 0x3fff_fffc, 30),
            (22, 0x3fff_fffe, 30),
            (32, 0x14, 6),
            (48, 0x0, 5),
            (60, 0x7ffc, 15),
            (92, 0x7fff0, 19),
            (97, 0x3, 5),
            (122, 0x7b, 7),
            (127, 0xfff_fffc, 28),
            (143, 0x7f_ffdf, 23),
            (207, 0x1ff_ffed, 25),
            (249, 0xfff_fffe, 28),
            (255, 0x3ff_ffee, 26),
            (256, 0x3fff_ffff, 30),
        ] {
            assert_eq!(codes[symbol], (code, bits), "{symbol}");
        }
    }

    #[test]
    fn every_byte_is_read_at_every_place() {
        for byte in 0..=255u8 {
            for before in 0..8 {
                let text = [&b"00000000"[..before], &[byte], b"a"].concat();
                assert_eq!(decoded(&encode(text.iter().map(|byte| u16::from(*byte)))), Ok(text));
            }
        }
        assert_eq!(decoded(&[]), Ok(Vec::new()));
    }

    #[test]
    fn padding_is_of_ones_and_shorter_than_a_byte() {
        // "a" is 00011, so three bits are left.
        assert_eq!(decoded(&[0b0001_1111]), Ok(b"a".to_vec()));
        for wrong in [0b0001_1000, 0b0001_1110, 0b0001_1011] {
            assert_eq!(decoded(&[wrong]), Err(HpackFault::Padding), "{wrong:b}");
        }
        assert_eq!(decoded(&[0b0001_1111, 0xff]), Err(HpackFault::Padding));
        assert_eq!(decoded(&[0xff]), Err(HpackFault::Padding));
        assert_eq!(decoded(&[0xff, 0xff, 0xff]), Err(HpackFault::Padding));
        // "w" is 1111000: a code of ones and zeros that begins as padding does.
        assert_eq!(decoded(&[0b1111_0001]), Ok(b"w".to_vec()));
        // The beginning of a long code.
        assert_eq!(decoded(&[0b1111_1110]), Err(HpackFault::Padding));
    }

    #[test]
    fn no_string_has_its_end_within() {
        assert_eq!(decoded(&[0xff; 4]), Err(HpackFault::EndOfString));
        assert_eq!(decoded(&encode([97, 256])), Err(HpackFault::EndOfString));
        assert_eq!(decoded(&encode([97, 256, 97])), Err(HpackFault::EndOfString));
    }

    proptest! {
        #[test]
        fn what_is_coded_is_read(text: Vec<u8>) {
            prop_assert_eq!(decoded(&encode(text.iter().map(|byte| u16::from(*byte)))), Ok(text));
        }

        /// Whatever is accepted is the one way to code it.
        #[test]
        fn there_is_one_way_to_code_a_string(coded: Vec<u8>) {
            if let Ok(text) = decoded(&coded) {
                prop_assert_eq!(encode(text.into_iter().map(u16::from)), coded);
            }
        }
    }
}
