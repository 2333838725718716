//! Whether a window is open.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use pilotage_spec::{Range, RelativePath, Windows};
use serde::{Deserialize, Serialize};

use super::error::CalendarError;
use super::moment::{in_words, moment, recorded};
use super::source::Source;
use super::span::{Period, Span};
use super::timeline::Timeline;

/// So many days ahead the next change is looked for.
pub const SEARCH_DAYS: i32 = 400;

/// The search goes this many days ahead at first, and farther only if nothing changes until then.
const STEPS_DAYS: [i32; 3] = [8, 64, SEARCH_DAYS];

/// Whether deployments are allowed at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowState {
    /// Whether one may begin.
    pub open: bool,
    /// Why, with the time of the next change as a clock on the wall shows it.
    pub why: String,
    /// When that changes; `None` if it does not within [`SEARCH_DAYS`], or changes too often before to be sure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<pilotage_spec::Timestamp>,
    /// What freezes it, whether or not it would be allowed otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frozen_by: Option<String>,
}

/// Whether a window is open at a moment: within any of the allowed ranges, if there are some, and in no freeze. `calendars`
/// gives the text of a calendar's file.
///
/// # Errors
/// Fails if anything is not known for certain: the window is to be taken as closed then.
pub fn state(
    windows: &Windows,
    calendars: &impl Fn(&RelativePath) -> Result<String, String>,
    now: pilotage_spec::Timestamp,
) -> Result<WindowState, CalendarError> {
    let now = moment(now)?;
    let sources = |ranges: &[Range]| -> Result<Vec<Source>, CalendarError> {
        ranges.iter().map(|range| Source::new(range, calendars)).collect()
    };
    let sources = Sources { allow: sources(&windows.allow)?, freeze: sources(&windows.freeze)? };
    let mut timeline = sources.timeline(now, STEPS_DAYS[0])?;
    let mut until = timeline.next_change(now);
    for days in &STEPS_DAYS[1..] {
        if until.is_some() {
            break;
        }
        match sources.timeline(now, *days) {
            Ok(farther) => timeline = farther,
            // Of the days ahead is known what matters: that nothing changes soon.
            Err(CalendarError::TooMany { .. }) => break,
            Err(error) => return Err(error),
        }
        until = timeline.next_change(now);
    }
    Ok(described(&timeline, now, until, &sources.zone()))
}

struct Sources {
    allow: Vec<Source>,
    freeze: Vec<Source>,
}

impl Sources {
    /// What is allowed and frozen in so many days. Behind its end the timeline says nothing, so edges there are no changes.
    fn timeline(&self, now: Timestamp, days: i32) -> Result<Timeline, CalendarError> {
        let hours = i64::from(days) * 24;
        let to = now.checked_add(hours.hours()).map_err(|_| CalendarError::Time(now.as_microsecond()))?;
        let period = Period { from: now, to };
        let allow = if self.allow.is_empty() { None } else { Some(spans(&self.allow, period)?) };
        Ok(Timeline::new(allow, spans(&self.freeze, period)?, to))
    }

    /// The zone in which people think of this window: the first that is written down.
    fn zone(&self) -> TimeZone {
        let zones = self.allow.iter().chain(&self.freeze).filter_map(|source| source.zone.clone());
        zones.into_iter().next().unwrap_or(TimeZone::UTC)
    }
}

fn spans(sources: &[Source], period: Period) -> Result<Vec<Span>, CalendarError> {
    let mut all = Vec::new();
    for source in sources {
        all.append(&mut source.spans(period)?);
    }
    Ok(all)
}

fn described(timeline: &Timeline, now: Timestamp, until: Option<Timestamp>, zone: &TimeZone) -> WindowState {
    let open = timeline.is_open(now);
    let frozen = timeline.frozen_by(now);
    let reason = match (frozen, timeline.allowed_by(now)) {
        (Some(freeze), _) => format!("frozen by {}", freeze.name),
        (None, Some(allowed)) => format!("within {}", allowed.name),
        (None, None) if open => "in no freeze".to_owned(),
        (None, None) => "outside of all allowed times".to_owned(),
    };
    let change = if open { "closes" } else { "opens" };
    let next = match until {
        Some(until) => format!("{change} {}", in_words(until, zone)),
        None => format!("no time within {SEARCH_DAYS} days is known when it {change}"),
    };
    WindowState {
        open,
        why: format!("{reason}; {next}"),
        until: until.map(recorded),
        frozen_by: frozen.map(|freeze| freeze.name.to_string()),
    }
}
