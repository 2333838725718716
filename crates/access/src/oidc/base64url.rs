//! Base 64 for URLs, without padding (RFC 4648, section 5).

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Writes bytes in the 64 digits.
pub(super) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let padded = three.iter().copied().chain([0, 0]).take(3);
        let number = padded.fold(0_usize, |number, byte| (number << 8) | usize::from(byte));
        let digits = [18, 12, 6, 0].into_iter().take(three.len() + 1);
        text.extend(
            digits.filter_map(|shift| DIGITS.get((number >> shift) & 63)).map(|digit| char::from(*digit)),
        );
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_published_vectors_come_out() {
        // RFC 4648, section 10, without the padding.
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(super::encode(bytes.as_bytes()), text);
        }
        assert_eq!(super::encode(&[0xfb, 0xff]), "-_8");
    }
}
