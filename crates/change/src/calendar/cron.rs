//! Ranges that begin when a cron expression says so.

use std::sync::Arc;
use std::time::Duration;

use croner::errors::CronError;
use croner::parser::{CronParser, Seconds, Year};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use pilotage_spec::CronText;

use super::error::CalendarError;
use super::span::Finds;

/// So many times are looked at within one period.
const TIME_LIMIT: usize = 20_000;

/// A cron expression with the length of what it begins.
pub(super) struct Cron {
    text: CronText,
    cron: croner::Cron,
    lasts: Duration,
    zone: TimeZone,
}

impl Cron {
    /// Five fields, as cron(5) has them: if both days are restricted, either may fit.
    pub fn new(text: &CronText, lasts: Duration, zone: TimeZone) -> Result<Self, CalendarError> {
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser
            .parse(text.as_str())
            .map_err(|error| CalendarError::Cron { cron: text.clone(), reason: error.to_string() })?;
        let cron = Self { text: text.clone(), cron, lasts, zone };
        // Any moment will do: the days of all months have come after at most eight years.
        cron.next(Timestamp::UNIX_EPOCH)?;
        Ok(cron)
    }

    /// The spans that touch the period. A time that the clock leaves out begins after the gap, and one that it shows twice
    /// begins once, unless the expression is for every so many minutes or hours.
    pub fn find(&self, name: &Arc<str>, finds: &mut Finds) -> Result<(), CalendarError> {
        let period = finds.period();
        let mut moment = period.from.checked_sub(self.lasts).map_err(|_| CalendarError::Time(i64::MIN))?;
        for _ in 0..TIME_LIMIT {
            moment = self.next(moment)?;
            if moment > period.to {
                return Ok(());
            }
            let end = moment.checked_add(self.lasts).map_err(|_| CalendarError::Time(i64::MAX))?;
            finds.keep(moment, end, name);
        }
        Err(CalendarError::TooMany { range: name.to_string(), limit: TIME_LIMIT })
    }

    fn next(&self, after: Timestamp) -> Result<Timestamp, CalendarError> {
        let found = self.cron.find_next_occurrence(&after.to_zoned(self.zone.clone()), false);
        found.map(|next| next.timestamp()).map_err(|error| match error {
            CronError::TimeSearchLimitExceeded => CalendarError::CronNever { cron: self.text.clone() },
            error => CalendarError::Cron { cron: self.text.clone(), reason: error.to_string() },
        })
    }
}
