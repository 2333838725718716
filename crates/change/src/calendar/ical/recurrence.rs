//! When an event comes again (RFC 5545, section 3.3.10).
//!
//! Rules speak of what the clock on the wall shows, so they are followed there, and each time is made a moment afterwards.

use chrono::{Datelike, TimeZone as _, Timelike};
use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use rrule::{Frequency, RRule, RRuleSet, Tz, Unvalidated, Validated};

use super::lines::Line;
use super::time::{clock, date};
use crate::calendar::error::IcalFault;

/// A rule by which an event comes again.
pub(super) struct Rule {
    rule: RRule<Validated>,
    /// The last time at which it may begin.
    until: Option<DateTime>,
}

impl Rule {
    /// Reads a rule of an event that begins first at `start` in `zone`.
    pub fn new(line: &Line<'_>, start: DateTime, zone: &TimeZone) -> Result<Self, IcalFault> {
        let (mut kept, mut until) = (Vec::new(), None);
        for part in line.value().trim().split(';').filter(|part| !part.is_empty()) {
            match part.split_once('=') {
                Some((name, value)) if name.eq_ignore_ascii_case("UNTIL") => {
                    let time = self::until(value, zone);
                    until = Some(time.ok_or_else(|| line.fault("UNTIL is neither a date nor a time"))?);
                }
                _ => kept.push(part),
            }
        }
        let cannot = |error: rrule::RRuleError| line.fault(format!("the rule cannot be used: {error}"));
        let rule: RRule<Unvalidated> = kept.join(";").parse().map_err(cannot)?;
        if matches!(rule.get_freq(), Frequency::Hourly | Frequency::Minutely | Frequency::Secondly) {
            return Err(line.fault("rules of less than a day are not supported: use a cron window"));
        }
        if !(1..=INTERVAL_LIMIT).contains(&rule.get_interval()) {
            return Err(line.fault(format!("INTERVAL must be from 1 to {INTERVAL_LIMIT}")));
        }
        if rule.get_count().is_some_and(|count| count > COUNT_LIMIT) {
            return Err(line.fault(format!("COUNT must be {COUNT_LIMIT} at most: use UNTIL")));
        }
        let rule = rule
            .validate(plain(start).ok_or_else(|| line.fault("DTSTART is out of range"))?)
            .map_err(cannot)?;
        Ok(Self { rule, until })
    }

    /// The times at which it begins, from one to another, as the clock shows them; perhaps some before.
    pub fn times(
        &self,
        start: DateTime,
        from: DateTime,
        to: DateTime,
    ) -> impl Iterator<Item = Result<DateTime, &'static str>> + use<> {
        let last = self.until.map_or(to, |until| until.min(to));
        let is_over = last < from || start > last;
        let begin = if self.rule.get_count().is_some() { start } else { self.skipped(start, from) };
        let set = plain(begin)
            .filter(|_| !is_over)
            .map(|begin| RRuleSet::new(begin).rrule(self.rule.clone()).limit());
        let mut times = set.map(|set| (&set).into_iter());
        let mut expected = self.rule.get_count();
        std::iter::from_fn(move || {
            let Some(time) = times.as_mut()?.next() else {
                times = None;
                // Only a rule with a count ends; the others stop when no day fits in a very long time.
                return (expected != Some(0)).then_some(Err("its rule names days that never come"));
            };
            expected = expected.map(|expected| expected.saturating_sub(1));
            let time = local(&time)?;
            (time <= last).then_some(Ok(time))
        })
    }

    /// A beginning that gives the same times from `from` on, so that the years in between are not gone through: whole intervals
    /// later, and one interval before it matters.
    fn skipped(&self, start: DateTime, from: DateTime) -> DateTime {
        let interval = i64::from(self.rule.get_interval());
        let whole = |passed: i64, unit: i64| (passed / (unit * interval) - 1).max(0) * interval;
        let days = from.date().duration_since(start.date()).as_secs() / 86_400;
        let months = (i64::from(from.year()) - i64::from(start.year())) * 12 + i64::from(from.month())
            - i64::from(start.month());
        let later = match self.rule.get_freq() {
            Frequency::Daily => start.saturating_add(whole(days, 1).days()),
            Frequency::Weekly => start.saturating_add(whole(days, 7).weeks()),
            Frequency::Monthly => match whole(months, 1) {
                0 => start,
                skipped => {
                    start.date().first_of_month().saturating_add(skipped.months()).to_datetime(start.time())
                }
            },
            Frequency::Yearly => match whole(months, 12) {
                0 => start,
                skipped => {
                    start.date().first_of_year().saturating_add(skipped.years()).to_datetime(start.time())
                }
            },
            // Refused when the rule was read.
            Frequency::Hourly | Frequency::Minutely | Frequency::Secondly => start,
        };
        later.max(start)
    }
}

/// Longer intervals would be rules for nobody alive.
const INTERVAL_LIMIT: u16 = 1_000;

/// All occurrences of a rule with a count are gone through.
const COUNT_LIMIT: u32 = 5_000;

/// The last time: of a date its whole day, of a time in UTC what the clock shows then.
fn until(text: &str, zone: &TimeZone) -> Option<DateTime> {
    let (plain, is_utc) = match text.strip_suffix('Z') {
        Some(plain) => (plain, true),
        None => (text, false),
    };
    let Some((day, time)) = plain.split_once('T') else {
        let end = Time::constant(23, 59, 59, 0);
        return if is_utc { None } else { Some(date(plain)?.to_datetime(end)) };
    };
    let time = date(day)?.to_datetime(clock(time)?);
    match is_utc {
        true => Some(TimeZone::UTC.to_timestamp(time).ok()?.to_zoned(zone.clone()).datetime()),
        false => Some(time),
    }
}

/// What the clock shows, as if it were that of Greenwich, which is never put forward or back.
fn plain(time: DateTime) -> Option<chrono::DateTime<Tz>> {
    let part = |part: i8| u32::try_from(part).ok();
    let (month, day) = (part(time.month())?, part(time.day())?);
    let (hour, minute, second) = (part(time.hour())?, part(time.minute())?, part(time.second())?);
    Tz::UTC.with_ymd_and_hms(time.year().into(), month, day, hour, minute, second).single()
}

fn local(time: &chrono::DateTime<Tz>) -> Option<DateTime> {
    let part = |part: u32| i8::try_from(part).ok();
    let date = Date::new(i16::try_from(time.year()).ok()?, part(time.month())?, part(time.day())?).ok()?;
    Some(date.to_datetime(Time::new(part(time.hour())?, part(time.minute())?, part(time.second())?, 0).ok()?))
}
