//! A range of the file, made ready to be looked at: its zone is known, its calendar has been read.

use std::sync::Arc;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use pilotage_spec::{ClockTime, LocalTime, Range, RelativePath, Weekday};

use super::cron::Cron;
use super::error::CalendarError;
use super::file::check_length;
use super::ical::{self, Event};
use super::span::{CANDIDATE_LIMIT, Exhausted, Finds, Period, Span};
use super::zone::{begin, end, zone};

/// A range that is ready to be looked at.
pub(super) struct Source {
    name: Arc<str>,
    /// The zone in which it is written.
    pub zone: Option<TimeZone>,
    kind: Kind,
}

enum Kind {
    Weekly { days: [bool; 7], from: ClockTime, to: ClockTime, zone: TimeZone },
    Cron(Box<Cron>),
    Once { start: Timestamp, end: Timestamp },
    Events { path: RelativePath, events: Vec<Event> },
}

impl Source {
    /// Makes a range ready; `calendars` gives the text of a calendar's file.
    pub fn new(
        range: &Range,
        calendars: &impl Fn(&RelativePath) -> Result<String, String>,
    ) -> Result<Self, CalendarError> {
        let name: Arc<str> = range.to_string().into();
        let written_in = range.zone().map(zone).transpose()?;
        let clock = || written_in.clone().unwrap_or(TimeZone::UTC);
        let kind = match range {
            Range::Weekly { days, from, to, .. } => {
                let days = Weekday::ALL.map(|day| days.contains(&day));
                Kind::Weekly { days, from: *from, to: *to, zone: clock() }
            }
            Range::Cron { cron, lasts, .. } => Kind::Cron(Box::new(Cron::new(cron, *lasts, clock())?)),
            Range::Absolute { from, to, .. } => once(*from, *to, &clock())?,
            Range::Calendar { path, .. } => {
                Kind::Events { path: path.clone(), events: events(path, written_in.as_ref(), calendars)? }
            }
        };
        Ok(Self { name, zone: written_in, kind })
    }

    /// All of its spans that touch a period.
    pub fn spans(&self, period: Period) -> Result<Vec<Span>, CalendarError> {
        let mut finds = Finds::new(period);
        let exhausted =
            |Exhausted| CalendarError::TooMany { range: self.name.to_string(), limit: CANDIDATE_LIMIT };
        match &self.kind {
            Kind::Weekly { days, from, to, zone } => weekly(*days, *from, *to, zone, &self.name, &mut finds),
            Kind::Cron(cron) => cron.find(&self.name, &mut finds)?,
            Kind::Once { start, end } => finds.keep(*start, *end, &self.name),
            Kind::Events { path, events } => {
                for event in events {
                    let found = event.find(path.as_str(), &mut finds).map_err(exhausted)?;
                    found.map_err(|fault| CalendarError::Calendar { path: path.clone(), fault })?;
                }
            }
        }
        Ok(finds.spans)
    }
}

fn once(from: LocalTime, to: LocalTime, zone: &TimeZone) -> Result<Kind, CalendarError> {
    let start = civil(from).and_then(|from| begin(zone, from));
    let end = civil(to).and_then(|to| end(zone, to));
    match (start, end) {
        (Some(start), Some(end)) => Ok(Kind::Once { start, end }),
        _ => Err(CalendarError::Time(i64::MAX)),
    }
}

fn events(
    path: &RelativePath,
    zone: Option<&TimeZone>,
    calendars: &impl Fn(&RelativePath) -> Result<String, String>,
) -> Result<Vec<Event>, CalendarError> {
    let unreadable = |reason| CalendarError::Unreadable { path: path.clone(), reason };
    let text = calendars(path).map_err(unreadable)?;
    check_length(text.len() as u64).map_err(unreadable)?;
    ical::events(&text, zone).map_err(|fault| CalendarError::Calendar { path: path.clone(), fault })
}

fn weekly(
    days: [bool; 7],
    from: ClockTime,
    to: ClockTime,
    zone: &TimeZone,
    name: &Arc<str>,
    finds: &mut Finds,
) {
    let period = finds.period();
    let date = |moment: Timestamp| moment.to_zoned(zone.clone()).date();
    // A range of the day before may reach into the first day.
    let first = date(period.from).saturating_sub(2.days());
    let last = date(period.to).saturating_add(1.day());
    let ends_next_day = to <= from;
    for day in first.series(1.day()).take_while(|day| *day <= last) {
        let index = usize::try_from(day.weekday().to_monday_zero_offset()).unwrap_or(0);
        if !days[index] {
            continue;
        }
        let last_day = if ends_next_day { day.saturating_add(1.day()) } else { day };
        if let (Some(start), Some(end)) = (begin(zone, at(day, from)), end(zone, at(last_day, to))) {
            finds.keep(start, end, name);
        }
    }
}

/// A time of a day; 24:00 is 00:00 of the next.
fn at(day: Date, clock: ClockTime) -> DateTime {
    day.to_datetime(Time::midnight()).saturating_add(i64::from(clock.minutes()).minutes())
}

fn civil(time: LocalTime) -> Option<DateTime> {
    let (year, month, day) = time.date();
    let date = Date::new(year.cast_signed(), month.cast_signed(), day.cast_signed()).ok()?;
    Some(date.to_datetime(Time::midnight()).saturating_add(i64::from(time.minutes()).minutes()))
}
