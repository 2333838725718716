//! Durations as people write them: `500ms`, `10s`, `5m`, `1h30m`, `2d`.

use std::time::Duration;

use thiserror::Error;

use crate::quote::quoted;

/// The units, longest first, each with its length in milliseconds.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// The longest duration that can be written: a year and a day.
pub const LONGEST_DURATION: Duration = Duration::from_secs(366 * 86_400);

/// The durations that [`parse_duration`] accepts, as a regular expression.
pub const DURATION_PATTERN: &str = "^(?=[0-9])([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$";

/// A text that is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{fault}; {mend}")]
pub struct DurationError {
    pub(crate) fault: String,
    pub(crate) mend: String,
}

/// Reads a duration: whole numbers, each with a unit (`d`, `h`, `m`, `s`, `ms`), the longer unit first.
///
/// # Errors
/// If a unit is missing, unknown, repeated or out of order, a number is not whole, or the sum is above
/// [`LONGEST_DURATION`].
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let error = |reason: &str, mend: String| DurationError {
        fault: format!("{} is not a duration: {reason}", quoted(text)),
        mend,
    };
    let usual = || "write whole numbers with units, for example `500ms`, `10s`, `5m` or `1h30m`".to_owned();
    if text.is_empty() {
        return Err(error("nothing is written", usual()));
    }
    let mut sum: u64 = 0;
    let mut units = UNITS.iter();
    let mut rest = text;
    while !rest.is_empty() {
        let (digits, behind) = split_where(rest, |c| !c.is_ascii_digit());
        let (unit, behind) = split_where(behind, |c| c.is_ascii_digit());
        if digits.is_empty() {
            return Err(error("it does not start with a digit", usual()));
        }
        if unit.is_empty() {
            return Err(error(
                "the unit is missing",
                format!("write `{rest}s` for seconds, `{rest}m` for minutes"),
            ));
        }
        let Some((_, millis)) = units.by_ref().find(|(name, _)| *name == unit) else {
            return Err(error(unit_fault(unit), usual()));
        };
        let part = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(*millis));
        let total = part.and_then(|part| sum.checked_add(part));
        sum = match total {
            Some(total) if Duration::from_millis(total) <= LONGEST_DURATION => total,
            _ => return Err(error("it is longer than 366 days", "write a shorter one".to_owned())),
        };
        rest = behind;
    }
    Ok(Duration::from_millis(sum))
}

fn split_where(text: &str, stop: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(stop).unwrap_or(text.len()))
}

fn unit_fault(unit: &str) -> &'static str {
    if UNITS.iter().any(|(name, _)| *name == unit) {
        "the longer unit comes first, and each only once"
    } else if unit.starts_with(['.', ',']) {
        "only whole numbers can be used"
    } else {
        "the units are `d`, `h`, `m`, `s` and `ms`"
    }
}

/// Writes a duration so that [`parse_duration`] reads the same back, to the millisecond.
pub fn format_duration(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if rest == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (unit, millis) in UNITS {
        if rest >= millis {
            text.push_str(&format!("{}{unit}", rest / millis));
            rest %= millis;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_sums_of_units() {
        for (text, millis) in [
            ("0s", 0),
            ("500ms", 500),
            ("10s", 10_000),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("1d", 86_400_000),
            ("1d2h3m4s5ms", 93_784_005),
            ("90m", 5_400_000),
            ("366d", 31_622_400_000),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused_with_the_reason() {
        for (text, reason) in [
            ("", "nothing is written"),
            ("10", "the unit is missing"),
            ("1h30", "the unit is missing"),
            ("s", "does not start with a digit"),
            ("-5s", "does not start with a digit"),
            ("∞", "does not start with a digit"),
            ("1.5s", "only whole numbers"),
            ("5 m", "the units are"),
            ("5min", "the units are"),
            ("30m1h", "the longer unit comes first"),
            ("1s1s", "the longer unit comes first"),
            ("367d", "longer than 366 days"),
            ("99999999999999999999h", "longer than 366 days"),
            ("18446744073709551615d", "longer than 366 days"),
        ] {
            let error = parse_duration(text).unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn written_durations_are_short() {
        for (millis, text) in [(0, "0s"), (1_500, "1s500ms"), (300_000, "5m"), (5_400_000, "1h30m")] {
            assert_eq!(format_duration(Duration::from_millis(millis)), text);
        }
    }
}
