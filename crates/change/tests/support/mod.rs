//! Windows and moments as texts.

#![allow(dead_code, reason = "not every test needs every helper")]

use pilotage_spec::{Range, RelativePath, Timestamp, Windows, parse_duration};

/// A moment in UTC.
pub fn at(text: &str) -> Timestamp {
    let moment: jiff::Timestamp = text.parse().unwrap();
    Timestamp::from_micros(moment.as_microsecond())
}

/// A moment as text in UTC.
pub fn utc(time: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(time.as_micros()).unwrap().to_string()
}

/// Windows of ranges as they are named in messages; cron ones with the word in front.
pub fn windows(allow: &[&str], freeze: &[&str]) -> Windows {
    let ranges = |texts: &[&str]| texts.iter().map(|text| range(text)).collect();
    Windows { allow: ranges(allow), freeze: ranges(freeze) }
}

fn range(text: &str) -> Range {
    let (rest, zone) = text.rsplit_once(' ').unwrap_or((text, ""));
    if let Some(cron) = rest.strip_prefix("cron ") {
        let (cron, lasts) = cron.rsplit_once(" for ").unwrap();
        let lasts = parse_duration(lasts).unwrap();
        return Range::Cron { cron: cron.parse().unwrap(), lasts, zone: zone.parse().unwrap() };
    }
    if let Some((from, to)) = rest.split_once(" to ") {
        return Range::Absolute {
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            zone: zone.parse().unwrap(),
        };
    }
    if text.ends_with(".ics") {
        return Range::Calendar { path: text.parse().unwrap(), zone: None };
    }
    text.parse().unwrap()
}

/// For windows without a calendar.
pub fn no_calendar(_: &RelativePath) -> Result<String, String> {
    Err("no file is here".to_owned())
}
