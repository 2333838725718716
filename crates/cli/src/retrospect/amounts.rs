//! The fields of a record, each by its own grammar. What is wrong is said with its mend, without its place.

use pilotage_spec::Timestamp;
use pilotage_views::parse_rfc3339;

use super::fault::quoted;

/// More requests than this have no place in one interval, nor in a counter: sums of them must fit.
const MOST: u64 = 1_000_000_000_000_000;
/// Longer than a year is no time that a request takes.
const LONGEST_MS: f64 = 1e10;
/// Seconds beyond the year 5000 are milliseconds.
const LATEST_SECONDS: f64 = 1e11;

/// A whole number of requests.
pub fn count(text: &str) -> Result<u64, String> {
    let number = match text.parse::<u64>() {
        Ok(number) => number,
        Err(_) => whole(text)?,
    };
    if number > MOST {
        return Err(format!("{} is more than any service can have had", quoted(text)));
    }
    Ok(number)
}

/// What other programs write for whole numbers: `12.0`, `1e6`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "whole, and from zero to the limit"
)]
fn whole(text: &str) -> Result<u64, String> {
    let number = finite(text)?;
    if number.fract() != 0.0 {
        let mend =
            "take the counters themselves, with --cumulative, rather than an estimate of their increase";
        return Err(format!("{} is not a whole number; {mend}", quoted(text)));
    }
    // Whatever does not fit becomes the greatest number there is, and that is above the limit.
    Ok(number as u64)
}

/// A number from zero up.
fn finite(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_nan() => {
            Err(format!("{} says nothing; leave the field empty where it is not known", quoted(text)))
        }
        Ok(number) if number < 0.0 => {
            Err(format!("{} is negative; counts and times begin at zero", quoted(text)))
        }
        Ok(number) if number.is_finite() => Ok(number),
        Ok(_) => Err(format!(
            "{} is no number that can be; leave the field empty where it is not known",
            quoted(text)
        )),
        Err(_) => {
            Err(format!("{} is not a number; leave the field empty where it is not known", quoted(text)))
        }
    }
}

/// Milliseconds as microseconds.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from zero to the limit")]
pub fn micros(text: &str) -> Result<u64, String> {
    let millis = finite(text)?;
    if millis > LONGEST_MS {
        return Err(format!("{} is longer than a request can take; write milliseconds", quoted(text)));
    }
    Ok((millis * 1_000.0).round() as u64)
}

/// A percentage in hundredths of a percent.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from zero to 10,000")]
pub fn share(text: &str) -> Result<u32, String> {
    let percent = finite(text.strip_suffix('%').unwrap_or(text).trim_end())?;
    if percent > 100.0 {
        return Err(format!("{} is more than all; write a percentage from 0 to 100", quoted(text)));
    }
    Ok((percent * 100.0).round() as u32)
}

/// A point in time.
#[expect(clippy::cast_possible_truncation, reason = "below the limit, in microseconds far below 2^63")]
pub fn time(text: &str) -> Result<Timestamp, String> {
    let mend = "write it as 2026-07-01T09:30:00Z, or in seconds since 1970";
    if let Ok(seconds) = text.parse::<f64>() {
        return match seconds {
            _ if !(0.0..f64::INFINITY).contains(&seconds) => {
                Err(format!("{} is no time; {mend}", quoted(text)))
            }
            _ if seconds >= LATEST_SECONDS => {
                Err(format!("{} is far from now: these may be milliseconds; {mend}", quoted(text)))
            }
            _ => Ok(Timestamp::from_micros((seconds * 1e6).round() as i64)),
        };
    }
    if let Some(time) = parse_rfc3339(text) {
        return Ok(time);
    }
    match parse_rfc3339(&format!("{text}Z")) {
        Some(_) => Err(format!(
            "{} has no time zone; add Z if it is UTC, else an offset such as +02:00",
            quoted(text)
        )),
        None => Err(format!("{} is not a time; {mend}", quoted(text))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_many_writers_are_read() {
        assert_eq!(["0", "12", "12.0", "1e6"].map(count), [Ok(0), Ok(12), Ok(12), Ok(1_000_000)]);
        assert_eq!(["1.5", "0"].map(micros), [Ok(1_500), Ok(0)]);
        assert_eq!(["5", "12.5%", "100 %"].map(share), [Ok(500), Ok(1_250), Ok(10_000)]);
        let at = Timestamp::from_micros(1_782_898_200_500_000);
        for text in ["1782898200.5", "2026-07-01T09:30:00.5Z", "2026-07-01T11:30:00.5+02:00"] {
            assert_eq!(time(text), Ok(at), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_said_with_its_mend() {
        let told = [
            count("NaN"),
            count("-3"),
            count("1.5"),
            count("many"),
            count("inf"),
            count("99999999999999999999999999"),
            count("1000000000000001"),
            micros("-1"),
            micros("1e300"),
            share("101%").map(u64::from),
            share("nan").map(u64::from),
            time("1782898200000").map(|_| 0),
            time("2026-07-01T09:30:00").map(|_| 0),
            time("yesterday").map(|_| 0),
            time("-5").map(|_| 0),
            time("NaN").map(|_| 0),
        ];
        insta::assert_snapshot!(told.map(Result::unwrap_err).join("\n"));
    }
}
