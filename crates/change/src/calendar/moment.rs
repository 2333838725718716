//! Moments: from the project's numbers and back, and in words.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::error::CalendarError;

/// The moment of a recorded time. Calendars are only asked about the centuries that they are made for.
pub(super) fn moment(time: pilotage_spec::Timestamp) -> Result<Timestamp, CalendarError> {
    const LAST_YEAR: i16 = 9000;
    let micros = time.as_micros();
    let found = Timestamp::from_microsecond(micros).ok();
    found
        .filter(|moment| micros >= 0 && moment.to_zoned(TimeZone::UTC).year() <= LAST_YEAR)
        .ok_or(CalendarError::Time(micros))
}

/// The time as it is recorded.
pub(super) fn recorded(moment: Timestamp) -> pilotage_spec::Timestamp {
    pilotage_spec::Timestamp::from_micros(moment.as_microsecond())
}

/// A moment as the clock of a zone shows it, with the zone and what it differs from UTC: no time of day is shown twice then.
pub(super) fn in_words(moment: Timestamp, zone: &TimeZone) -> String {
    let local = moment.to_zoned(zone.clone());
    let name = zone.iana_name().unwrap_or("UTC");
    let clock = if local.second() == 0 { "%H:%M" } else { "%H:%M:%S" };
    format!("{} {name}", local.strftime(&format!("%a %Y-%m-%d {clock} %:z")))
}
