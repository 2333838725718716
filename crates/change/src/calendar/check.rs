//! What of windows can be seen to be wrong without knowing the time.

use pilotage_spec::{Range, RelativePath, Windows};

use super::source::Source;

/// The faults of zones and cron expressions, in words; none if all is well.
pub fn check(windows: &Windows) -> Vec<String> {
    let written = ranges(windows).filter(|range| !matches!(range, Range::Calendar { .. }));
    let calendars = ranges(windows).filter(|range| matches!(range, Range::Calendar { .. }));
    let zones = calendars.filter_map(|range| super::zone::zone(range.zone()?).err());
    let unread = |_: &RelativePath| Err(String::new());
    let faults = written.filter_map(|range| Source::new(range, &unread).err());
    faults.chain(zones).map(|error| error.to_string()).collect()
}

/// The faults of calendars, in words; none if all can be read. `calendars` gives the text of a calendar's file.
pub fn check_calendars(
    windows: &Windows,
    calendars: &impl Fn(&RelativePath) -> Result<String, String>,
) -> Vec<String> {
    let files = ranges(windows).filter(|range| matches!(range, Range::Calendar { .. }));
    files.filter_map(|range| Source::new(range, calendars).err()).map(|error| error.to_string()).collect()
}

fn ranges(windows: &Windows) -> impl Iterator<Item = &Range> {
    windows.allow.iter().chain(&windows.freeze)
}
