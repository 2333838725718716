//! Calendars (RFC 5545): of their events only when they are, and what they are called.
//!
//! What is not understood for certain is refused: an event that is left out would be a freeze that nobody keeps. Whether an
//! event blocks time (`TRANSP`) makes no difference; a cancelled one (`STATUS`) is none.

mod event;
mod lines;
mod parts;
mod recurrence;
mod time;

pub(super) use event::Event;

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::error::IcalFault;
use parts::{Calendar, RawEvent};
use time::Zones;

/// More events than this are not looked at.
const EVENT_LIMIT: usize = 50_000;

/// The events of a calendar. `zone` is whose clock is meant where an event does not say it.
pub(super) fn events(text: &str, zone: Option<&TimeZone>) -> Result<Vec<Event>, IcalFault> {
    let Calendar { events: raw, zones, default_zone } = parts::read(text, EVENT_LIMIT)?;
    let zones = Zones::new(zones, zone.cloned().or(default_zone));
    let mut replaced: HashMap<&str, HashSet<Timestamp>> = HashMap::new();
    for (event, identity) in raw.iter().filter_map(|event| Some((event, event.recurrence_id.as_ref()?))) {
        let uid = event.uid.as_ref().ok_or_else(|| {
            identity.fault("it is not said of which event this is an occurrence: UID is missing")
        })?;
        replaced.entry(uid.value()).or_default().insert(time::moment(identity, &zones)?);
    }
    let lasting = raw.iter().filter(|event| !event.is_cancelled);
    lasting.map(|event| built(event, &zones, &replaced)).collect()
}

fn built(
    raw: &RawEvent<'_>,
    zones: &Zones,
    replaced: &HashMap<&str, HashSet<Timestamp>>,
) -> Result<Event, IcalFault> {
    // What replaces one occurrence stands for itself.
    let is_series = raw.recurrence_id.is_none();
    let uid = raw.uid.as_ref().filter(|_| is_series);
    Event::new(raw, zones, uid.and_then(|uid| replaced.get(uid.value())))
}
