//! The short form of a range of every week: `Mon-Thu 09:00-16:00 Europe/Berlin`.

use std::collections::BTreeSet;
use std::fmt;

use thiserror::Error;

use super::{ClockTime, LocalTimeError, Range, Weekday, ZoneName};
use crate::NameError;
use crate::quote::quoted;

/// The short forms that are read, as a regular expression.
pub const WEEKLY_PATTERN: &str = "^ *([A-Z][a-z]{2}(-[A-Z][a-z]{2})?(,[A-Z][a-z]{2}(-[A-Z][a-z]{2})?)*|daily) +[0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9] +[A-Za-z][A-Za-z0-9_+/-]* *$";

/// A text that is no range of every week.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WeeklyError {
    /// Not days, times and zone with a space between each.
    #[error("{} is not a range; write days, times and zone: `Mon-Thu 09:00-16:00 Europe/Berlin`", quoted(.0))]
    Form(String),
    /// Not the name of a day.
    #[error("{} is not a day; write `Mon`, `Tue`, `Wed`, `Thu`, `Fri`, `Sat` or `Sun`, `Mon-Thu` for several, or `daily`", quoted(.0))]
    Day(String),
    /// A day named twice.
    #[error("{0} is named twice")]
    Twice(Weekday),
    /// Not two times with a `-` between them.
    #[error("{} is not two times of day; write, for example, `09:00-16:00`", quoted(.0))]
    Times(String),
    /// A time that no clock shows.
    #[error(transparent)]
    Time(#[from] LocalTimeError),
    /// Both ends are the same: nothing, or a whole day.
    #[error("it ends at the time at which it begins; write `00:00-24:00` for whole days")]
    Empty,
    /// The zone is not written like one.
    #[error(transparent)]
    Zone(#[from] NameError),
}

/// Reads the short form. A range whose end is before its beginning ends on the day after.
pub(super) fn weekly(text: &str) -> Result<Range, WeeklyError> {
    let mut parts = text.split_ascii_whitespace();
    let (Some(days), Some(times), Some(zone), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(WeeklyError::Form(text.to_owned()));
    };
    let days = weekdays(days)?;
    let (from, to) = times.split_once('-').ok_or_else(|| WeeklyError::Times(times.to_owned()))?;
    let (from, to): (ClockTime, ClockTime) = (from.parse()?, to.parse()?);
    // 24:00 is 00:00 of the next day, and a day begins at its own midnight.
    if from.minutes() == 24 * 60 {
        return Err(WeeklyError::Times(times.to_owned()));
    }
    if from == to {
        return Err(WeeklyError::Empty);
    }
    let zone: ZoneName = zone.parse()?;
    Ok(Range::Weekly { days, from, to, zone })
}

fn weekdays(text: &str) -> Result<BTreeSet<Weekday>, WeeklyError> {
    if text == "daily" {
        return Ok(Weekday::ALL.into());
    }
    let mut days = BTreeSet::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let last = weekday(last)?;
        let mut day = weekday(first)?;
        loop {
            if !days.insert(day) {
                return Err(WeeklyError::Twice(day));
            }
            if day == last {
                break;
            }
            day = day.next();
        }
    }
    Ok(days)
}

fn weekday(text: &str) -> Result<Weekday, WeeklyError> {
    let found = Weekday::ALL.into_iter().find(|day| day.name() == text);
    found.ok_or_else(|| WeeklyError::Day(text.to_owned()))
}

/// Days as they are written: neighbours as `Mon-Thu`.
pub(super) fn write_days(days: &BTreeSet<Weekday>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if days.len() == Weekday::ALL.len() {
        return f.write_str("daily");
    }
    let mut written = 0;
    let mut rest = days.iter().copied().peekable();
    while let Some(first) = rest.next() {
        let mut last = first;
        while let Some(day) = rest.next_if(|day| *day == last.next()) {
            last = day;
        }
        let comma = if written > 0 { "," } else { "" };
        match first == last {
            true => write!(f, "{comma}{first}")?,
            false => write!(f, "{comma}{first}-{last}")?,
        }
        written += 1;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_form_is_read_and_written() {
        for (text, written) in [
            ("Mon-Thu 09:00-16:00 Europe/Berlin", "Mon-Thu 09:00-16:00 Europe/Berlin"),
            ("  Fri  22:00-06:00   UTC ", "Fri 22:00-06:00 UTC"),
            ("daily 00:00-24:00 America/New_York", "daily 00:00-24:00 America/New_York"),
            ("Mon-Sun 18:00-24:00 UTC", "daily 18:00-24:00 UTC"),
            ("Sat-Mon 10:00-11:00 UTC", "Mon,Sat-Sun 10:00-11:00 UTC"),
            ("Wed,Mon 10:00-00:00 Etc/GMT+5", "Mon,Wed 10:00-00:00 Etc/GMT+5"),
        ] {
            assert_eq!(weekly(text).unwrap().to_string(), written);
            assert_eq!(weekly(written), weekly(text));
        }
    }

    #[test]
    fn other_texts_are_refused_with_the_reason() {
        for (text, reason) in [
            ("", "is not a range"),
            ("Mon-Thu 09:00-16:00", "is not a range"),
            ("Mon - Thu 09:00-16:00 UTC", "is not a range"),
            ("Monday 09:00-16:00 UTC", "is not a day"),
            ("mon 09:00-16:00 UTC", "is not a day"),
            ("Mon- 09:00-16:00 UTC", "is not a day"),
            ("Mon,Mon 09:00-16:00 UTC", "named twice"),
            ("Mon-Wed,Tue 09:00-16:00 UTC", "named twice"),
            ("Mon 09:00 UTC", "is not two times"),
            ("Mon 9-17 UTC", "is not a time of day"),
            ("Mon 09:00-24:30 UTC", "is not a time of day"),
            ("Mon 09:00-09:00 UTC", "ends at the time"),
            ("Mon 24:00-00:00 UTC", "is not two times"),
            ("Mon 24:00-06:00 UTC", "is not two times"),
            ("Mon 09:00-16:00 ../../etc/localtime", "zone"),
            ("Mon 09:00-16:00 Europe//Berlin", "zone"),
        ] {
            let error = weekly(text).unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
