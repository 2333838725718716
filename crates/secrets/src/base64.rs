//! Base64 (RFC 4648): decoding, and what is certain of a text somewhere inside an encoded one.

use base64::Engine;
use base64::engine::general_purpose;

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The two alphabets.
pub(crate) const ALPHABETS: [&[u8; 64]; 2] = [STANDARD, URL_SAFE];

/// Decodes the standard alphabet, padded; `None` if it is not that. Line breaks are skipped.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')).collect();
    general_purpose::STANDARD.decode(digits).ok()
}

/// The digits that bytes become when `offset` (0, 1 or 2) other bytes stand before them in their group of three, and anything
/// behind: those that hold bits of these bytes alone.
pub(crate) fn inside(bytes: &[u8], offset: usize, alphabet: &[u8; 64]) -> Vec<u8> {
    let end = (offset + bytes.len()) * 8 / 6;
    digits(bytes, offset, alphabet, end)
}

/// The same where nothing stands behind them: with the last digit, but without padding.
pub(crate) fn at_end(bytes: &[u8], offset: usize, alphabet: &[u8; 64]) -> Vec<u8> {
    let end = ((offset + bytes.len()) * 8).div_ceil(6);
    digits(bytes, offset, alphabet, end)
}

/// From the first digit that holds no bit of the bytes before, up to `end`.
fn digits(bytes: &[u8], offset: usize, alphabet: &[u8; 64], end: usize) -> Vec<u8> {
    let first = (offset * 8).div_ceil(6);
    let bit = |at: usize| {
        let byte = (at / 8).checked_sub(offset).and_then(|index| bytes.get(index));
        byte.map_or(0, |byte| usize::from(byte >> (7 - at % 8) & 1))
    };
    let digit = |index: usize| (0..6).fold(0, |value, place| value << 1 | bit(index * 6 + place));
    (first..end).map(|index| alphabet[digit(index)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_standard_are_decoded() {
        // RFC 4648, section 10.
        for (plain, encoded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(decode(encoded).as_deref(), Some(plain.as_bytes()), "{encoded}");
            let (whole, padded) = (at_end(plain.as_bytes(), 0, STANDARD), encoded.trim_end_matches('='));
            assert_eq!(whole, padded.as_bytes());
        }
        assert_eq!(decode("Zm9v\nYmFy\n").as_deref(), Some(b"foobar".as_slice()));
        for wrong in ["Zg", "Zg=", "Z===", "Zm9-", "Zm 9"] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_certain_is_found_at_every_offset() {
        for offset in 0..3 {
            for behind in 0..3 {
                let whole = format!("{}secret{}", &"ab"[..offset.min(2)], &"yz"[..behind]);
                let encoded = at_end(whole.as_bytes(), 0, STANDARD);
                let certain = inside(b"secret", offset, STANDARD);
                assert!(certain.len() >= 7, "{offset}");
                assert!(encoded.windows(certain.len()).any(|part| part == certain), "{offset} {behind}");
            }
        }
    }
}
