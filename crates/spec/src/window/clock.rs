//! Times as a clock on the wall shows them, without the zone that makes them moments.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::quote::quoted;

/// A text that is no time of a clock or calendar.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LocalTimeError {
    /// Not `HH:MM`, or later than `24:00`.
    #[error("{} is not a time of day; write `HH:MM`, from `00:00` to `24:00`", quoted(.0))]
    Clock(String),
    /// Not `YYYY-MM-DDTHH:MM`, or a day that no calendar has.
    #[error("{} is not a date with a time; write, for example, `2026-12-24T18:00`", quoted(.0))]
    Calendar(String),
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Weekday {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl Weekday {
    /// All of them, from Monday on.
    pub const ALL: [Self; 7] = [Self::Mon, Self::Tue, Self::Wed, Self::Thu, Self::Fri, Self::Sat, Self::Sun];

    /// Its name in the file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mon => "Mon",
            Self::Tue => "Tue",
            Self::Wed => "Wed",
            Self::Thu => "Thu",
            Self::Fri => "Fri",
            Self::Sat => "Sat",
            Self::Sun => "Sun",
        }
    }

    /// The day after it.
    #[must_use]
    pub fn next(self) -> Self {
        Self::ALL[(self as usize + 1) % Self::ALL.len()]
    }
}

impl fmt::Display for Weekday {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A time of day, from `00:00` to `24:00`, which is the midnight at the end of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClockTime {
    minutes: u16,
}

impl ClockTime {
    /// Whole minutes since midnight, 1440 at most.
    pub fn minutes(self) -> u16 {
        self.minutes
    }
}

impl FromStr for ClockTime {
    type Err = LocalTimeError;

    fn from_str(text: &str) -> Result<Self, LocalTimeError> {
        clock_minutes(text)
            .filter(|minutes| *minutes <= 24 * 60)
            .map(|minutes| Self { minutes })
            .ok_or_else(|| LocalTimeError::Clock(text.to_owned()))
    }
}

impl fmt::Display for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.minutes / 60, self.minutes % 60)
    }
}

/// A date with a time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LocalTime {
    /// From 1970 to 9000.
    year: u16,
    month: u8,
    day: u8,
    minutes: u16,
}

impl LocalTime {
    /// Year, month (from 1) and day (from 1).
    pub fn date(self) -> (u16, u8, u8) {
        (self.year, self.month, self.day)
    }

    /// Whole minutes since midnight, 1439 at most.
    pub fn minutes(self) -> u16 {
        self.minutes
    }
}

impl FromStr for LocalTime {
    type Err = LocalTimeError;

    fn from_str(text: &str) -> Result<Self, LocalTimeError> {
        local_time(text).ok_or_else(|| LocalTimeError::Calendar(text.to_owned()))
    }
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day, minutes } = self;
        write!(f, "{year:04}-{month:02}-{day:02}T{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

macro_rules! as_text {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = LocalTimeError;

            fn try_from(text: String) -> Result<Self, LocalTimeError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(time: $name) -> Self {
                time.to_string()
            }
        }
    };
}
as_text!(ClockTime);
as_text!(LocalTime);

fn local_time(text: &str) -> Option<LocalTime> {
    let (date, time) = text.split_once('T')?;
    let mut parts = date.split('-');
    let year = number(parts.next()?, 4)?;
    let month = u8::try_from(number(parts.next()?, 2)?).ok()?;
    let day = u8::try_from(number(parts.next()?, 2)?).ok()?;
    let minutes = clock_minutes(time).filter(|minutes| *minutes < 24 * 60)?;
    let exists = (1970..=9000).contains(&year) && (1..=days_in_month(year, month)).contains(&day);
    (parts.next().is_none() && exists).then_some(LocalTime { year, month, day, minutes })
}

/// The minutes of `HH:MM`, where hours may be anything up to 24.
fn clock_minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes) = (number(hours, 2)?, number(minutes, 2)?);
    (hours <= 24 && minutes < 60).then_some(hours * 60 + minutes)
}

fn number(text: &str, digits: usize) -> Option<u16> {
    let fits = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}

fn days_in_month(year: u16, month: u8) -> u8 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day_end_with_the_midnight_after() {
        for (text, minutes) in [("00:00", 0), ("09:30", 570), ("23:59", 1439), ("24:00", 1440)] {
            let time: ClockTime = text.parse().unwrap();
            assert_eq!((time.minutes(), time.to_string().as_str()), (minutes, text));
        }
        for text in ["", "9:00", "24:01", "25:00", "10:60", "10", "10:00:00", "+1:00", "1٠:00"] {
            assert!(text.parse::<ClockTime>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_days_that_a_calendar_has_are_read() {
        for text in ["2026-12-24T00:00", "2028-02-29T23:59", "2000-02-29T12:00"] {
            assert_eq!(text.parse::<LocalTime>().unwrap().to_string(), text);
        }
        for text in [
            "2026-02-29T00:00",
            "2100-02-29T00:00",
            "2026-04-31T00:00",
            "2026-13-01T00:00",
            "2026-00-01T00:00",
            "2026-01-00T00:00",
            "2026-12-24T24:00",
            "2026-12-24",
            "2026-12-24 00:00",
            "2026-12-24T00:00Z",
            "1969-12-31T00:00",
            "9999-01-01T00:00",
            "2026-1-1T00:00",
            "2026-12-24-01T00:00",
        ] {
            assert!(text.parse::<LocalTime>().is_err(), "{text}");
        }
    }
}
