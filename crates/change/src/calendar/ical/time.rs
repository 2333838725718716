//! Dates, times and durations (RFC 5545, section 3.3).

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use super::lines::Line;
use crate::calendar::error::IcalFault;
use crate::calendar::zone::{begin, named, similar};

/// The zones that a calendar's times are in.
pub(super) struct Zones {
    own: HashMap<String, TimeZone>,
    /// For whole days, and times without a zone.
    default: Option<TimeZone>,
}

impl Zones {
    pub fn new(own: HashMap<String, TimeZone>, default: Option<TimeZone>) -> Self {
        Self { own, default }
    }

    fn named(&self, line: &Line<'_>, name: &str) -> Result<TimeZone, IcalFault> {
        let found = named(name).or_else(|| self.own.get(name).cloned());
        found.ok_or_else(|| {
            let hint = similar(name).map(|name| format!(": did you mean `{name}`?")).unwrap_or_default();
            let shown: String = name.chars().filter(|c| !c.is_control()).take(80).collect();
            line.fault(format!("unknown time zone `{shown}`{hint}"))
        })
    }

    fn default(&self, line: &Line<'_>) -> Result<TimeZone, IcalFault> {
        self.default.clone().ok_or_else(|| {
            line.fault("it is not said whose clock is meant: write `{ ical: …, zone: Europe/Berlin }` in pilotage.yaml")
        })
    }
}

/// A date or time as a clock shows it, and which clock.
#[derive(Debug, Clone)]
pub(super) struct Local {
    pub time: DateTime,
    pub zone: TimeZone,
    /// A date alone: the whole day is meant.
    pub is_day: bool,
}

impl Local {
    /// The first moment at which the clock shows it.
    pub fn begin(&self, line: &Line<'_>) -> Result<Timestamp, IcalFault> {
        begin(&self.zone, self.time).ok_or_else(|| line.fault("the time is out of range"))
    }
}

/// The one date or time of a line.
pub(super) fn local(line: &Line<'_>, zones: &Zones) -> Result<Local, IcalFault> {
    one(line, line.value().trim(), zones)
}

/// The moment of a line.
pub(super) fn moment(line: &Line<'_>, zones: &Zones) -> Result<Timestamp, IcalFault> {
    local(line, zones)?.begin(line)
}

/// The dates or times of a line that may have several.
pub(super) fn list(line: &Line<'_>, zones: &Zones) -> Result<Vec<Local>, IcalFault> {
    line.value().split(',').map(|text| one(line, text.trim(), zones)).collect()
}

fn one(line: &Line<'_>, text: &str, zones: &Zones) -> Result<Local, IcalFault> {
    let malformed = || {
        let shown: String = text.chars().filter(|c| !c.is_control()).take(40).collect();
        line.fault(format!("`{shown}` is neither a date (`20261224`) nor a time (`20261224T180000`)"))
    };
    let (plain, is_utc) = match text.strip_suffix('Z') {
        Some(plain) => (plain, true),
        None => (text, false),
    };
    let (date, time) = match plain.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (plain, None),
    };
    let date = self::date(date).ok_or_else(malformed)?;
    let is_day = time.is_none();
    let said_to_be_day = line.parameter("VALUE").is_some_and(|value| value.eq_ignore_ascii_case("DATE"));
    if (said_to_be_day && !is_day) || (is_day && is_utc) {
        return Err(malformed());
    }
    let time = match time {
        Some(time) => clock(time).ok_or_else(malformed)?,
        None => Time::midnight(),
    };
    let zone = match line.parameter("TZID") {
        _ if is_utc => TimeZone::UTC,
        Some(name) if !is_day => zones.named(line, name)?,
        _ => zones.default(line)?,
    };
    Ok(Local { time: date.to_datetime(time), zone, is_day })
}

/// `YYYYMMDD`, in the years that calendars are made for.
pub(super) fn date(text: &str) -> Option<Date> {
    if text.len() != 8 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let date = Date::new(text[..4].parse().ok()?, text[4..6].parse().ok()?, text[6..].parse().ok()?).ok()?;
    (1600..=9000).contains(&date.year()).then_some(date)
}

/// `HHMMSS`; the second that is put in now and then is the one before it.
pub(super) fn clock(text: &str) -> Option<Time> {
    if text.len() != 6 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let second: i8 = text[4..].parse().ok()?;
    let second = if second == 60 { 59 } else { second };
    Time::new(text[..2].parse().ok()?, text[2..4].parse().ok()?, second, 0).ok()
}

/// A length: days that a calendar counts, and seconds that pass whatever the clock shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Length {
    pub calendar_seconds: i64,
    pub seconds: i64,
}

/// A duration such as `P7W`, `P1DT2H` or `PT30M`.
pub(super) fn duration(line: &Line<'_>) -> Result<Length, IcalFault> {
    let text = line.value().trim();
    length(text.strip_prefix('+').unwrap_or(text))
        .ok_or_else(|| line.fault("this is not a duration such as `P2D` or `PT90M`, of at most 366 days"))
}

fn length(text: &str) -> Option<Length> {
    const LIMIT_SECONDS: i64 = 366 * 86_400;
    let mut length = Length { calendar_seconds: 0, seconds: 0 };
    let mut rest = text.strip_prefix('P')?;
    let mut in_time = false;
    let mut parts = 0;
    while !rest.is_empty() {
        if let Some(time) = rest.strip_prefix('T').filter(|_| !in_time) {
            (in_time, rest) = (true, time);
            continue;
        }
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: i64 = rest[..end].parse().ok()?;
        let unit = rest[end..].chars().next()?;
        let unit_seconds = match (unit, in_time) {
            ('W', false) => 7 * 86_400,
            ('D', false) => 86_400,
            ('H', true) => 3_600,
            ('M', true) => 60,
            ('S', true) => 1,
            _ => return None,
        };
        let part = number.checked_mul(unit_seconds).filter(|seconds| *seconds <= LIMIT_SECONDS)?;
        let sum = if in_time { &mut length.seconds } else { &mut length.calendar_seconds };
        *sum += part;
        parts += 1;
        rest = &rest[end + unit.len_utf8()..];
    }
    let total = length.calendar_seconds + length.seconds;
    (parts > 0 && total <= LIMIT_SECONDS).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_count_days_by_the_calendar_and_hours_by_the_clock() {
        let days = |days: i64, seconds: i64| Some(Length { calendar_seconds: days * 86_400, seconds });
        for (text, expected) in [
            ("P1D", days(1, 0)),
            ("P2W", days(14, 0)),
            ("P1DT2H30M5S", days(1, 9_005)),
            ("PT90M", days(0, 5_400)),
            ("PT0S", days(0, 0)),
            ("P", None),
            ("PT", None),
            ("1D", None),
            ("P1H", None),
            ("PT1D", None),
            ("-P1D", None),
            ("P367D", None),
            ("P99999999999999999999D", None),
            ("P1DT", days(1, 0)),
            ("P1ü", None),
        ] {
            assert_eq!(length(text), expected, "{text}");
        }
    }
}
