//! Why it is not known whether a window is open.

use pilotage_spec::{CronText, RelativePath, ZoneName};
use thiserror::Error;

/// Why it is not known whether a window is open; it is taken as closed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CalendarError {
    /// No zone has this name.
    #[error("unknown time zone `{zone}`{}", hint(.nearest))]
    Zone {
        /// What is written.
        zone: ZoneName,
        /// The name that was probably meant.
        nearest: Option<String>,
    },
    /// The expression has no meaning.
    #[error("the cron expression `{cron}` cannot be used: {reason}")]
    Cron {
        /// What is written.
        cron: CronText,
        /// Why.
        reason: String,
    },
    /// No day fits the expression, such as 30 February.
    #[error("the cron expression `{cron}` never happens")]
    CronNever {
        /// What is written.
        cron: CronText,
    },
    /// A calendar's file cannot be read.
    #[error("cannot read the calendar {path}: {reason}")]
    Unreadable {
        /// The file.
        path: RelativePath,
        /// Why.
        reason: String,
    },
    /// A calendar says what cannot be understood for certain.
    #[error("the calendar {path} cannot be used: {fault}")]
    Calendar {
        /// The file.
        path: RelativePath,
        /// What is wrong, and in which line.
        fault: IcalFault,
    },
    /// More times than are looked at.
    #[error("`{range}` has more than {limit} times within a few days: use fewer, longer ones")]
    TooMany {
        /// The range.
        range: String,
        /// How many are looked at.
        limit: usize,
    },
    /// A time for which no calendar is made.
    #[error("the time {0} µs after 1970 is none that calendars know: is the clock of this machine right?")]
    Time(i64),
}

/// What is wrong with a calendar's file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: {reason}")]
pub struct IcalFault {
    /// The line, from 1.
    pub line: usize,
    /// Why it cannot be used.
    pub reason: String,
}

impl IcalFault {
    pub(crate) fn new(line: usize, reason: impl Into<String>) -> Self {
        Self { line, reason: reason.into() }
    }
}

fn hint(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|name| format!(": did you mean `{name}`?")).unwrap_or_default()
}
