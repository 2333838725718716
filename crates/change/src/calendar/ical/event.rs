//! An event: when it begins first, how long it lasts, and when it comes again.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::lines::Line;
use super::parts::RawEvent;
use super::recurrence::Rule;
use super::time::{Length, Local, Zones, duration, list, local};
use crate::calendar::error::IcalFault;
use crate::calendar::span::{Exhausted, Finds};
use crate::calendar::zone::{begin, end};

/// An event of a calendar.
pub(in crate::calendar) struct Event {
    /// The line in which it begins.
    line: usize,
    /// What it is called, as written: hardly any of many events is ever named.
    summary: Option<Box<str>>,
    start: DateTime,
    zone: TimeZone,
    length: Length,
    rules: Vec<Rule>,
    /// Further beginnings.
    dates: Vec<DateTime>,
    /// Beginnings that are none.
    except: HashSet<Timestamp>,
}

impl Event {
    /// Reads the values. `moved` are the occurrences for which other events stand.
    pub(super) fn new(
        raw: &RawEvent<'_>,
        zones: &Zones,
        moved: Option<&HashSet<Timestamp>>,
    ) -> Result<Self, IcalFault> {
        let line =
            raw.start.as_ref().ok_or_else(|| IcalFault::new(raw.number, "this event has no DTSTART"))?;
        let start = local(line, zones)?;
        let length = length(raw, line, &start, zones)?;
        let rules = raw.rules.iter().map(|line| Rule::new(line, start.time, &start.zone));
        let rules = rules.collect::<Result<_, _>>()?;
        let mut except = moved.cloned().unwrap_or_default();
        for line in &raw.except {
            for time in like(list(line, zones)?, &start, line)? {
                except.insert(time.begin(line)?);
            }
        }
        let mut dates = Vec::new();
        for line in &raw.dates {
            for time in like(list(line, zones)?, &start, line)? {
                dates.push(time.begin(line)?.to_zoned(start.zone.clone()).datetime());
            }
        }
        let summary = raw.summary.as_ref().map(|line| line.value().into());
        Ok(Self {
            line: raw.number,
            summary,
            start: start.time,
            zone: start.zone,
            length,
            rules,
            dates,
            except,
        })
    }

    /// The spans that touch the period; `path` is the calendar of which messages speak. The outer error says that too much was looked at, the inner one what is wrong.
    pub fn find(&self, path: &str, finds: &mut Finds) -> Result<Result<(), IcalFault>, Exhausted> {
        for time in std::iter::once(&self.start).chain(&self.dates) {
            finds.count()?;
            self.keep(*time, path, finds);
        }
        for rule in &self.rules {
            if let Err(fault) = self.follow(rule, path, finds)? {
                return Ok(Err(fault));
            }
        }
        Ok(Ok(()))
    }

    fn follow(&self, rule: &Rule, path: &str, finds: &mut Finds) -> Result<Result<(), IcalFault>, Exhausted> {
        let period = finds.period();
        let local = |moment: Timestamp| moment.to_zoned(self.zone.clone()).datetime();
        // A day more at both ends than any change of the clock can take.
        let longest = self.length.calendar_seconds + self.length.seconds;
        let from = local(period.from).saturating_sub(longest.seconds()).saturating_sub(2.days());
        let to = local(period.to).saturating_add(2.days());
        for time in rule.times(self.start, from, to) {
            finds.count()?;
            match time {
                Ok(time) => self.keep(time, path, finds),
                Err(reason) => return Ok(Err(IcalFault::new(self.line, reason))),
            }
        }
        Ok(Ok(()))
    }

    fn keep(&self, time: DateTime, path: &str, finds: &mut Finds) {
        let Some(start) = begin(&self.zone, time) else { return };
        if self.except.contains(&start) {
            return;
        }
        let Length { calendar_seconds, seconds } = self.length;
        // Without whole days, only the time that passes counts.
        let end = match calendar_seconds {
            0 => Some(start),
            days => end(&self.zone, time.saturating_add(days.seconds())),
        };
        let end = end.and_then(|end| end.checked_add(SignedDuration::from_secs(seconds)).ok());
        if let Some(end) = end.filter(|end| finds.wants(start, *end)) {
            finds.keep(start, end, &self.name(path));
        }
    }

    /// What it is called, on one line and not for long, and where it stands.
    fn name(&self, path: &str) -> Arc<str> {
        match self.summary.as_deref().map(shown).filter(|summary| !summary.is_empty()) {
            Some(summary) => format!("`{summary}` of {path}").into(),
            None => path.into(),
        }
    }
}

/// How long an event lasts (RFC 5545, section 3.6.1): up to DTEND, for DURATION, for the whole day, or not at all.
fn length(raw: &RawEvent<'_>, line: &Line<'_>, start: &Local, zones: &Zones) -> Result<Length, IcalFault> {
    let length = match (&raw.end, &raw.duration) {
        (Some(_), Some(duration)) => return Err(duration.fault("an event has DTEND or DURATION, not both")),
        (Some(end), None) => until(end, line, start, zones)?,
        (None, Some(line)) => duration(line)?,
        (None, None) if start.is_day => Length { calendar_seconds: 86_400, seconds: 0 },
        (None, None) => Length { calendar_seconds: 0, seconds: 0 },
    };
    if start.is_day && length.seconds != 0 {
        return Err(line.fault("an event of whole days lasts whole days"));
    }
    Ok(length)
}

fn until(line: &Line<'_>, start_line: &Line<'_>, start: &Local, zones: &Zones) -> Result<Length, IcalFault> {
    let end = local(line, zones)?;
    if end.is_day != start.is_day {
        return Err(line.fault("DTSTART and DTEND must both be dates, or both be times"));
    }
    let length = if end.zone == start.zone {
        let calendar_seconds = end.time.duration_since(start.time).as_secs();
        Length { calendar_seconds, seconds: 0 }
    } else {
        let passed = end.begin(line)?.duration_since(start.begin(start_line)?);
        Length { calendar_seconds: 0, seconds: passed.as_secs() }
    };
    if length.calendar_seconds < 0 || length.seconds < 0 {
        return Err(line.fault("the event ends before it begins"));
    }
    Ok(length)
}

/// Refuses days for an event with times, and times for one of whole days: it would not be sure which occurrence is meant.
fn like(times: Vec<Local>, start: &Local, line: &Line<'_>) -> Result<Vec<Local>, IcalFault> {
    match times.iter().all(|time| time.is_day == start.is_day) {
        true => Ok(times),
        false => Err(line.fault(format!("{} must hold dates if DTSTART is one, else times", line.name()))),
    }
}

/// A text of a calendar (RFC 5545, section 3.3.11) without what would turn or hide what stands beside it.
fn shown(summary: &str) -> String {
    const LIMIT: usize = 80;
    let text = summary.replace("\\n", " ").replace("\\N", " ").replace('\\', "");
    let shown = text.chars().filter(|c| !c.is_control() && !is_invisible(*c) && *c != '`');
    shown.take(LIMIT).collect::<String>().trim().to_owned()
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}
