//! Time zones, and what a clock on the wall means in them.
//!
//! The database is part of the program: the same file means the same on every machine.

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use pilotage_spec::{ZoneName, nearest};

use super::error::CalendarError;

static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// The zone of a name.
pub(super) fn zone(name: &ZoneName) -> Result<TimeZone, CalendarError> {
    named(name.as_str())
        .ok_or_else(|| CalendarError::Zone { zone: name.clone(), nearest: similar(name.as_str()) })
}

/// The zone of a name, if there is one.
pub(super) fn named(name: &str) -> Option<TimeZone> {
    DATABASE.get(name).ok()
}

/// The name of a zone that was probably meant.
pub(super) fn similar(name: &str) -> Option<String> {
    let names: Vec<String> = DATABASE.available().map(|name| name.to_string()).collect();
    // `Berlin` is as good a guess as `Europe/Berln`.
    let city = names.iter().find(|known| known.rsplit('/').next() == Some(name));
    city.map(String::as_str).or_else(|| nearest(name, names.iter().map(String::as_str))).map(str::to_owned)
}

/// The first moment at which the clock shows this time or a later one: where it is shown twice the first, where it is never
/// shown the moment after the gap.
pub(super) fn begin(zone: &TimeZone, time: DateTime) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(time);
    match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } => ambiguous.unambiguous().ok(),
        AmbiguousOffset::Fold { .. } => ambiguous.earlier().ok(),
        AmbiguousOffset::Gap { .. } => after_gap(zone, time),
    }
}

/// The last moment at which the clock comes to this time: where it is shown twice the second, where it is never shown the moment
/// after the gap.
pub(super) fn end(zone: &TimeZone, time: DateTime) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(time);
    match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } => ambiguous.unambiguous().ok(),
        AmbiguousOffset::Fold { .. } => ambiguous.later().ok(),
        AmbiguousOffset::Gap { .. } => after_gap(zone, time),
    }
}

/// When the clock is put forward over a time.
fn after_gap(zone: &TimeZone, time: DateTime) -> Option<Timestamp> {
    // Reading the time with the offset after the gap gives a moment before it.
    let before = zone.to_ambiguous_timestamp(time).earlier().ok()?;
    zone.following(before).next().map(|transition| transition.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(zone: &str, time: &str) -> (String, String) {
        let zone = named(zone).unwrap();
        let time: DateTime = time.parse().unwrap();
        (begin(&zone, time).unwrap().to_string(), end(&zone, time).unwrap().to_string())
    }

    fn both(zone: &str, time: &str) -> String {
        let (begin, end) = times(zone, time);
        assert_eq!(begin, end, "{time} {zone}");
        begin
    }

    #[test]
    fn a_time_that_no_clock_shows_is_the_moment_after_the_gap() {
        for time in ["2026-03-29T02:00", "2026-03-29T02:30", "2026-03-29T02:59"] {
            assert_eq!(both("Europe/Berlin", time), "2026-03-29T01:00:00Z");
        }
        assert_eq!(both("Europe/Berlin", "2026-03-29T03:00"), "2026-03-29T01:00:00Z");
        assert_eq!(both("America/New_York", "2026-03-08T02:30"), "2026-03-08T07:00:00Z");
        assert_eq!(both("Australia/Lord_Howe", "2026-10-04T02:15"), "2026-10-03T15:30:00Z");
        assert_eq!(
            both("Pacific/Apia", "2011-12-30T12:00"),
            "2011-12-30T10:00:00Z",
            "a whole day is missing"
        );
    }

    #[test]
    fn a_time_that_is_shown_twice_begins_at_the_first_and_ends_at_the_second() {
        let pair = |begin: &str, end: &str| (begin.to_owned(), end.to_owned());
        let berlin = times("Europe/Berlin", "2026-10-25T02:30");
        assert_eq!(berlin, pair("2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"));
        let lord_howe = times("Australia/Lord_Howe", "2026-04-05T01:45");
        assert_eq!(lord_howe, pair("2026-04-04T14:45:00Z", "2026-04-04T15:15:00Z"));
        assert_eq!(both("Europe/Berlin", "2026-10-25T03:00"), "2026-10-25T02:00:00Z");
    }

    #[test]
    fn the_name_that_was_meant_is_found() {
        assert_eq!(similar("Europe/Berln").as_deref(), Some("Europe/Berlin"));
        assert_eq!(similar("Berlin").as_deref(), Some("Europe/Berlin"));
        assert_eq!(similar("Mars/Olympus_Mons"), None);
    }
}
