//! The deadline of a gRPC client: the header `grpc-timeout`.

use std::time::Duration;

/// Most digits that the format allows.
const MOST_DIGITS: usize = 8;

/// Reads `grpc-timeout`: up to eight digits and a unit, `H`, `M`, `S`, `m`, `u` or `n` (gRPC over HTTP/2, "Requests").
/// `None` if it is anything else.
pub(crate) fn grpc_timeout(value: &[u8]) -> Option<Duration> {
    let (unit, digits) = value.split_last()?;
    if digits.is_empty() || digits.len() > MOST_DIGITS || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = digits.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
    match unit {
        b'H' => Some(Duration::from_secs(number * 3_600)),
        b'M' => Some(Duration::from_secs(number * 60)),
        b'S' => Some(Duration::from_secs(number)),
        b'm' => Some(Duration::from_millis(number)),
        b'u' => Some(Duration::from_micros(number)),
        b'n' => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_are_read_in_every_unit() {
        for (text, expected) in [
            ("1H", Duration::from_secs(3_600)),
            ("99999999H", Duration::from_secs(99_999_999 * 3_600)),
            ("2M", Duration::from_secs(120)),
            ("3S", Duration::from_secs(3)),
            ("100m", Duration::from_millis(100)),
            ("0u", Duration::ZERO),
            ("00000007n", Duration::from_nanos(7)),
        ] {
            assert_eq!(grpc_timeout(text.as_bytes()), Some(expected), "{text}");
        }
        for text in ["", "S", "1", "1s", "123456789S", "-1S", "1.5S", " 1S", "1S ", "1SS"] {
            assert_eq!(grpc_timeout(text.as_bytes()), None, "{text}");
        }
    }
}
