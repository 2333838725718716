//! Ranges of time, as the file says them.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::weekly::{WeeklyError, weekly, write_days};
use super::{ClockTime, LocalTime, Weekday};
use crate::name::text_type;
use crate::{NameError, RelativePath, duration_ms, format_duration};

text_type!(
    /// The name of a time zone of the IANA database, such as `Europe/Berlin`. Whether there is one of that name is known to
    /// those alone who have the database.
    ZoneName, "name of a time zone", check_zone
);
text_type!(
    /// Minutes, hours, days of the month, months and days of the week in the manner of cron(5).
    CronText, "cron expression", check_cron
);

/// When deployments are allowed. A freeze wins over what is allowed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Windows {
    /// Allowed within any of these; always if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<Range>,
    /// Never within any of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub freeze: Vec<Range>,
}

/// A range of time that may come again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Range {
    /// On some days of every week.
    Weekly {
        /// The days on which it begins.
        days: BTreeSet<Weekday>,
        /// When it begins.
        from: ClockTime,
        /// When it ends: on the day after if that is before `from`.
        to: ClockTime,
        /// Whose clock.
        zone: ZoneName,
    },
    /// From each time that a cron expression names.
    Cron {
        /// When it begins.
        cron: CronText,
        /// For how long, in time that passes whatever the clock shows.
        #[serde(with = "duration_ms", rename = "lasts_ms")]
        lasts: Duration,
        /// Whose clock.
        zone: ZoneName,
    },
    /// Once.
    Absolute {
        /// When it begins.
        from: LocalTime,
        /// When it ends.
        to: LocalTime,
        /// Whose clock.
        zone: ZoneName,
    },
    /// The events of a calendar (RFC 5545).
    Calendar {
        /// The file, below the project's folder.
        path: RelativePath,
        /// Whose clock, for events that do not say it: whole days, and times without a zone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        zone: Option<ZoneName>,
    },
}

impl Range {
    /// The zone in which it is written, where it is.
    pub fn zone(&self) -> Option<&ZoneName> {
        match self {
            Self::Weekly { zone, .. } | Self::Cron { zone, .. } | Self::Absolute { zone, .. } => Some(zone),
            Self::Calendar { zone, .. } => zone.as_ref(),
        }
    }
}

impl FromStr for Range {
    type Err = WeeklyError;

    /// Reads the short form of a weekly range.
    fn from_str(text: &str) -> Result<Self, WeeklyError> {
        weekly(text)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Weekly { days, from, to, zone } => {
                write_days(days, f)?;
                write!(f, " {from}-{to} {zone}")
            }
            Self::Cron { cron, lasts, zone } => write!(f, "{cron} for {} {zone}", format_duration(*lasts)),
            Self::Absolute { from, to, zone } => write!(f, "{from} to {to} {zone}"),
            Self::Calendar { path, .. } => write!(f, "{path}"),
        }
    }
}

fn check_zone(kind: &'static str, text: &str) -> Result<(), NameError> {
    const LIMIT: usize = 64;
    if text.is_empty() {
        return Err(NameError::Empty { kind });
    }
    let word = |part: &str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '-');
        part.starts_with(|c: char| c.is_ascii_alphabetic()) && part.chars().all(allowed)
    };
    if !text.split('/').all(word) {
        return Err(NameError::malformed(kind, text, "write, for example, `Europe/Berlin` or `UTC`"));
    }
    if text.len() > LIMIT {
        return Err(NameError::TooLong { kind, length: text.len(), limit: LIMIT });
    }
    Ok(())
}

/// Five fields of the characters that cron knows; what they mean is read where they are used.
fn check_cron(kind: &'static str, text: &str) -> Result<(), NameError> {
    const LIMIT: usize = 256;
    if text.trim().is_empty() {
        return Err(NameError::Empty { kind });
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '*' | ',' | '-' | '/' | '#' | ' ');
    if !text.chars().all(allowed) || text.split(' ').filter(|field| !field.is_empty()).count() != 5 {
        return Err(NameError::malformed(
            kind,
            text,
            "write five fields: minute, hour, day of the month, month and day of the week, for example `0 9 * * 1-4`",
        ));
    }
    if text.len() > LIMIT {
        return Err(NameError::TooLong { kind, length: text.len(), limit: LIMIT });
    }
    Ok(())
}
