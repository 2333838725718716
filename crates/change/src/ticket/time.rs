//! Times as ticket systems write them.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use pilotage_spec::Timestamp;

/// A time with its offset (RFC 3339); Jira writes the offset without a colon.
pub(super) fn moment(text: &str) -> Option<Timestamp> {
    let with_colon = with_colon(text);
    let moment: jiff::Timestamp = with_colon.parse().ok()?;
    Some(Timestamp::from_micros(moment.as_microsecond()))
}

/// A time as ServiceNow keeps it: in UTC, without saying so.
pub(super) fn moment_in_utc(text: &str) -> Option<Timestamp> {
    let time: DateTime =
        text.parse().ok().filter(|_| text.contains(':') && !text.contains(['+', '[', 'Z']))?;
    let moment = TimeZone::UTC.to_timestamp(time).ok()?;
    Some(Timestamp::from_micros(moment.as_microsecond()))
}

/// `+0100` as `+01:00`.
fn with_colon(text: &str) -> String {
    let split = text.len().saturating_sub(4);
    match (text.get(..split), text.get(split..)) {
        (Some(front), Some(digits))
            if front.ends_with(['+', '-']) && front.contains('T') && is_digits(digits) =>
        {
            format!("{front}{}:{}", &digits[..2], &digits[2..])
        }
        _ => text.to_owned(),
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_the_offset_that_they_have() {
        let nine = Some(Timestamp::from_micros(1_795_420_800_000_000));
        for text in [
            "2026-11-23T08:00:00Z",
            "2026-11-23T09:00:00+01:00",
            "2026-11-23T09:00:00.000+0100",
            "2026-11-23T03:00:00.000-0500",
        ] {
            assert_eq!(moment(text), nine, "{text}");
        }
        for text in [
            "",
            "2026-11-23",
            "2026-11-23T09:00:00",
            "2026-11-23 09:00:00",
            "tomorrow",
            "1795420800",
            "2026-02-29T00:00:00Z",
        ] {
            assert_eq!(moment(text), None, "{text}");
        }
        assert_eq!(moment_in_utc("2026-11-23 08:00:00"), nine);
        for text in
            ["", "2026-11-23", "2026-11-23 08:00:00+01:00", "2026-11-23 08:00:00Z", "23.11.2026 08:00:00"]
        {
            assert_eq!(moment_in_utc(text), None, "{text}");
        }
    }
}
