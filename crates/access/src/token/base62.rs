//! Numbers in 62 digits that no shell, URL or header minds.

/// The digits, by their value.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A number, most significant byte first, in so many digits; a number with more of them loses the first ones.
pub(super) fn encode(number: &[u8], digits: usize) -> String {
    let mut rest = number.to_vec();
    let mut text: Vec<char> = Vec::with_capacity(digits);
    for _ in 0..digits {
        let remainder = divide(&mut rest);
        text.push(DIGITS.get(remainder).copied().map_or('0', char::from));
    }
    text.iter().rev().collect()
}

/// Divides a number by 62 in place, and says what remains.
fn divide(number: &mut [u8]) -> usize {
    let mut remainder = 0;
    for byte in number {
        let value = remainder * 256 + usize::from(*byte);
        // The remainder is below 62, and so the value below 62 · 256.
        *byte = u8::try_from(value / 62).unwrap_or(u8::MAX);
        remainder = value % 62;
    }
    remainder
}

/// Whether a text has these digits alone.
pub(super) fn is_encoded(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_with_leading_zeros() {
        assert_eq!(encode(&[0], 3), "000");
        assert_eq!(encode(&[61], 2), "0z");
        assert_eq!(encode(&[62], 2), "10");
        assert_eq!(encode(&[0xff, 0xff], 3), "H31");
        assert_eq!(encode(&u32::MAX.to_be_bytes(), 6), "4gfFC3");
    }

    #[test]
    fn the_digits_that_are_given_hold_every_number() {
        // 62⁴³ > 2²⁵⁶, 62¹¹ > 2⁶⁴, 62⁶ > 2³²: one digit more is a zero.
        for (number, digits) in [(vec![0xff; 32], 43), (vec![0xff; 8], 11), (vec![0xff; 4], 6)] {
            assert!(encode(&number, digits + 1).starts_with('0'));
            assert!(!encode(&number, digits).starts_with('0'));
        }
    }
}
