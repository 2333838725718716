//! From lines to events whose values have not been looked at yet.

use std::collections::HashMap;

use jiff::tz::TimeZone;

use super::lines::{Line, lines};
use crate::calendar::error::IcalFault;
use crate::calendar::zone::named;

/// Components in components: RFC 5545 needs three.
const DEPTH_LIMIT: usize = 16;

/// What of a calendar matters here.
#[derive(Debug, Default)]
pub(super) struct Calendar<'a> {
    pub events: Vec<RawEvent<'a>>,
    /// Names that the calendar has for zones, each with the zone.
    pub zones: HashMap<String, TimeZone>,
    /// The zone that the calendar says is meant where an event has none.
    pub default_zone: Option<TimeZone>,
}

/// An event as it is written.
#[derive(Debug)]
pub(super) struct RawEvent<'a> {
    /// The line in which it begins.
    pub number: usize,
    /// What its occurrences have in common.
    pub uid: Option<Line<'a>>,
    pub is_cancelled: bool,
    pub start: Option<Line<'a>>,
    pub end: Option<Line<'a>>,
    pub duration: Option<Line<'a>>,
    /// Which occurrence it stands for.
    pub recurrence_id: Option<Line<'a>>,
    pub rules: Vec<Line<'a>>,
    pub dates: Vec<Line<'a>>,
    pub except: Vec<Line<'a>>,
    pub summary: Option<Line<'a>>,
}

impl<'a> RawEvent<'a> {
    fn new(number: usize) -> Self {
        Self {
            number,
            uid: None,
            is_cancelled: false,
            start: None,
            end: None,
            duration: None,
            recurrence_id: None,
            rules: Vec::new(),
            dates: Vec::new(),
            except: Vec::new(),
            summary: None,
        }
    }

    fn take(&mut self, line: Line<'a>) -> Result<(), IcalFault> {
        let is = |name: &str| line.name().eq_ignore_ascii_case(name);
        if is("EXRULE") {
            return Err(line.fault("EXRULE is not supported: name the exceptions by EXDATE"));
        }
        if is("RECURRENCE-ID") && line.parameter("RANGE").is_some() {
            return Err(line.fault(
                "a change of all later occurrences (RANGE) is not supported: end the old event and begin a new one",
            ));
        }
        if is("STATUS") {
            self.is_cancelled = line.value().trim().eq_ignore_ascii_case("CANCELLED");
        } else if is("RRULE") {
            self.rules.push(line);
        } else if is("RDATE") {
            self.dates.push(line);
        } else if is("EXDATE") {
            self.except.push(line);
        } else if let Some(place) = self.place(line.name()) {
            if place.is_some() {
                return Err(line.fault(format!("{} is there twice", line.name())));
            }
            *place = Some(line);
        }
        Ok(())
    }

    /// Where a property belongs that an event has once at most.
    fn place(&mut self, name: &str) -> Option<&mut Option<Line<'a>>> {
        let is = |wanted: &str| name.eq_ignore_ascii_case(wanted);
        match () {
            () if is("DTSTART") => Some(&mut self.start),
            () if is("DTEND") => Some(&mut self.end),
            () if is("DURATION") => Some(&mut self.duration),
            () if is("RECURRENCE-ID") => Some(&mut self.recurrence_id),
            () if is("UID") => Some(&mut self.uid),
            () if is("SUMMARY") => Some(&mut self.summary),
            () => None,
        }
    }
}

/// Reads all events, at most so many.
pub(super) fn read(text: &str, event_limit: usize) -> Result<Calendar<'_>, IcalFault> {
    let mut reader = Reader::default();
    for line in lines(text) {
        reader.take(line?, event_limit)?;
    }
    if let Some((name, number)) = reader.open.last() {
        return Err(IcalFault::new(
            *number,
            format!("the file ends within this {name}: is part of it missing?"),
        ));
    }
    if !reader.has_calendar {
        return Err(IcalFault::new(1, "there is no calendar in it: it must begin with `BEGIN:VCALENDAR`"));
    }
    Ok(reader.calendar)
}

#[derive(Default)]
struct Reader<'a> {
    calendar: Calendar<'a>,
    /// The components that have begun and not ended, each with its line.
    open: Vec<(String, usize)>,
    has_calendar: bool,
    event: Option<RawEvent<'a>>,
    /// The names of the zone that is being read: the calendar's, and that of the IANA database.
    zone: (Option<String>, Option<String>),
}

impl<'a> Reader<'a> {
    fn take(&mut self, line: Line<'a>, event_limit: usize) -> Result<(), IcalFault> {
        if line.name().eq_ignore_ascii_case("BEGIN") {
            return self.begin(&line, event_limit);
        }
        if line.name().eq_ignore_ascii_case("END") {
            return self.end(&line);
        }
        match self.open.as_slice() {
            [] => Err(line.fault("this stands outside of a calendar: it must begin with `BEGIN:VCALENDAR`")),
            [_] => {
                self.calendar_property(&line);
                Ok(())
            }
            [_, (kind, _)] if kind == "VEVENT" => match &mut self.event {
                Some(event) => event.take(line),
                None => Ok(()),
            },
            [_, (kind, _)] if kind == "VTIMEZONE" => {
                self.zone_property(&line);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self, line: &Line<'a>, event_limit: usize) -> Result<(), IcalFault> {
        let name = line.value().trim().to_ascii_uppercase();
        match self.open.len() {
            0 if name == "VCALENDAR" => self.has_calendar = true,
            0 => return Err(line.fault("a calendar must begin with `BEGIN:VCALENDAR`")),
            1 if name == "VEVENT" => {
                if self.calendar.events.len() >= event_limit {
                    return Err(line.fault(format!("there are more than {event_limit} events")));
                }
                self.event = Some(RawEvent::new(line.number));
            }
            1 if name == "VTIMEZONE" => self.zone = (None, None),
            DEPTH_LIMIT.. => return Err(line.fault("components are nested too deep")),
            _ => {}
        }
        self.open.push((name, line.number));
        Ok(())
    }

    fn end(&mut self, line: &Line<'a>) -> Result<(), IcalFault> {
        let name = line.value().trim();
        match self.open.pop() {
            Some((open, _)) if open.eq_ignore_ascii_case(name) => {}
            Some((open, number)) => {
                return Err(line.fault(format!("END:{open} is expected for line {number}")));
            }
            None => return Err(line.fault("nothing has begun that could end here")),
        }
        if self.open.len() == 1 {
            self.calendar.events.extend(self.event.take());
            if let (Some(name), Some(zone)) = std::mem::take(&mut self.zone)
                && let Some(zone) = named(&zone)
            {
                self.calendar.zones.insert(name, zone);
            }
        }
        Ok(())
    }

    fn calendar_property(&mut self, line: &Line<'a>) {
        if line.name().eq_ignore_ascii_case("X-WR-TIMEZONE") {
            self.calendar.default_zone = named(line.value().trim());
        }
    }

    fn zone_property(&mut self, line: &Line<'a>) {
        let value = || Some(line.value().trim().to_owned());
        match line.name().to_ascii_uppercase().as_str() {
            "TZID" => self.zone.0 = value(),
            "X-LIC-LOCATION" => self.zone.1 = value(),
            _ => {}
        }
    }
}
