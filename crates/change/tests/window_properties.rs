//! Windows against a slow reckoning that looks at the clock on the wall minute by minute.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a broken helper should fail its test"
)]

mod support;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::civil::DateTime;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, ToSpan};
use pilotage_change::calendar::state;
use pilotage_spec::{ClockTime, LocalTime, Range, Weekday, Windows};
use proptest::prelude::*;
use support::no_calendar;

const MINUTE_MICROS: i64 = 60_000_000;

/// The days before and after a change of the clock, of each zone.
const ZONES: [(&str, [&str; 2]); 4] = [
    ("Europe/Berlin", ["2026-03-28T00:00:00Z", "2026-10-24T00:00:00Z"]),
    ("America/New_York", ["2026-03-07T00:00:00Z", "2026-10-31T00:00:00Z"]),
    ("Australia/Lord_Howe", ["2026-04-03T12:00:00Z", "2026-10-02T12:00:00Z"]),
    ("Asia/Kathmandu", ["2026-03-28T00:00:00Z", "2024-02-28T00:00:00Z"]),
];

/// The clocks around each change: they take longer to make than to ask.
static CLOCKS: LazyLock<BTreeMap<(&'static str, &'static str), Clock>> = LazyLock::new(|| {
    let changes = ZONES.iter().flat_map(|(zone, changes)| changes.iter().map(move |near| (*zone, *near)));
    changes
        .map(|(zone, near)| {
            let clock = TimeZoneDatabase::bundled().get(zone).unwrap();
            ((zone, near), Clock::around(near.parse().unwrap(), &clock))
        })
        .collect()
});

fn clock(zone: &'static str, near: &'static str) -> &'static Clock {
    &CLOCKS[&(zone, near)]
}

/// What the clock of a zone shows in each minute of some days.
struct Clock {
    start: Timestamp,
    shown: Vec<DateTime>,
}

impl Clock {
    /// From three days before a moment, for ten days.
    fn around(moment: Timestamp, zone: &TimeZone) -> Self {
        let start = moment.checked_sub(72.hours()).unwrap();
        let minute = |index: i64| start.checked_add(index.minutes()).unwrap();
        let shown = (0..10 * 1440).map(|index| minute(index).to_zoned(zone.clone()).datetime()).collect();
        Self { start, shown }
    }

    fn minute(&self, moment: Timestamp) -> usize {
        usize::try_from((moment.as_second() - self.start.as_second()) / 60).unwrap()
    }

    /// The first minute from which on the clock has shown a time or a later one.
    fn reached(&self, time: DateTime) -> usize {
        self.shown.iter().position(|shown| *shown >= time).unwrap_or(self.shown.len())
    }

    /// The last minute in which the clock comes to a time; where it never does, the one after the last that shows an earlier time.
    fn left(&self, time: DateTime) -> usize {
        let shown = self.shown.iter().rposition(|shown| *shown == time);
        let earlier = || self.shown.iter().rposition(|shown| *shown < time).map_or(0, |index| index + 1);
        shown.unwrap_or_else(earlier)
    }

    /// Whether a range covers each of the minutes.
    fn covered(&self, range: &Range) -> Vec<bool> {
        let mut covered = vec![false; self.shown.len()];
        for (from, to) in self.occurrences(range) {
            let (first, last) = (self.reached(from), self.left(to));
            (first..last).for_each(|minute| covered[minute] = true);
        }
        covered
    }

    fn occurrences(&self, range: &Range) -> Vec<(DateTime, DateTime)> {
        match range {
            Range::Weekly { days, from, to, .. } => {
                let first = self.shown[0].date();
                let last = self.shown[self.shown.len() - 1].date();
                let dates = first.series(1.day()).skip(1).take_while(|date| *date < last);
                let chosen = dates.filter(|date| {
                    days.contains(
                        &Weekday::ALL[usize::try_from(date.weekday().to_monday_zero_offset()).unwrap()],
                    )
                });
                let at = |date: jiff::civil::Date, clock: ClockTime| {
                    date.to_datetime(jiff::civil::Time::midnight()) + i64::from(clock.minutes()).minutes()
                };
                chosen
                    .map(|date| {
                        let end_date = if to <= from { date.tomorrow().unwrap() } else { date };
                        (at(date, *from), at(end_date, *to))
                    })
                    .collect()
            }
            Range::Absolute { from, to, .. } => {
                vec![(from.to_string().parse().unwrap(), to.to_string().parse().unwrap())]
            }
            _ => panic!("the reckoning knows no such range"),
        }
    }
}

/// Whether it is open in each of the minutes.
fn reckoned(windows: &Windows, clock: &Clock) -> Vec<bool> {
    let any = |ranges: &[Range]| {
        let covers: Vec<Vec<bool>> = ranges.iter().map(|range| clock.covered(range)).collect();
        (0..clock.shown.len()).map(|minute| covers.iter().any(|cover| cover[minute])).collect::<Vec<bool>>()
    };
    let (allow, freeze) = (any(&windows.allow), any(&windows.freeze));
    let is_free = windows.allow.is_empty();
    allow.iter().zip(&freeze).map(|(allow, freeze)| (is_free || *allow) && !freeze).collect()
}

fn clock_text(minutes: u16) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// A range of the week; most edges lie where clocks are changed.
fn weekly(zone: &'static str) -> impl Strategy<Value = Range> {
    let edge = || prop_oneof![3 => (0u16..16).prop_map(|quarter| quarter * 15), 1 => 0u16..1440];
    (1u8..128, edge(), edge(), any::<bool>()).prop_filter_map(
        "both ends are the same",
        move |(days, from, to, to_end)| {
            let to = if to_end && from > 0 { 1440 } else { to };
            let days = Weekday::ALL.into_iter().enumerate().filter(|(index, _)| days & (1 << index) != 0);
            let days: Vec<&str> = days.map(|(_, day)| day.name()).collect();
            let text = format!("{} {}-{} {zone}", days.join(","), clock_text(from), clock_text(to));
            text.parse().ok()
        },
    )
}

/// A range of dates that begins near a moment.
fn absolute(zone: &'static str, near: &'static str) -> impl Strategy<Value = Range> {
    (0u32..4 * 96, 1u32..2 * 96).prop_map(move |(begin, length)| {
        let near: Timestamp = near.parse().unwrap();
        let start = near.to_zoned(TimeZone::UTC).datetime() + i64::from(begin * 15).minutes();
        let local =
            |time: DateTime| time.strftime("%Y-%m-%dT%H:%M").to_string().parse::<LocalTime>().unwrap();
        Range::Absolute {
            from: local(start),
            to: local(start + i64::from(length * 15).minutes()),
            zone: zone.parse().unwrap(),
        }
    })
}

fn cases() -> impl Strategy<Value = (&'static str, &'static str, Windows, u32)> {
    (0..ZONES.len(), 0usize..2).prop_flat_map(|(zone, change)| {
        let (zone, changes) = ZONES[zone];
        let near = changes[change];
        let range = move || prop_oneof![3 => weekly(zone).boxed(), 1 => absolute(zone, near).boxed()];
        let windows = (prop::collection::vec(range(), 0..3), prop::collection::vec(range(), 0..3));
        let windows = windows.prop_map(|(allow, freeze)| Windows { allow, freeze });
        (Just(zone), Just(near), windows, 0u32..3 * 1440)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_state_is_what_a_clock_on_the_wall_says((zone, near, windows, minute) in cases()) {
        let clock = clock(zone, near);
        let near: Timestamp = near.parse().unwrap();
        let reckoned = reckoned(&windows, clock);
        let now = near.checked_add(i64::from(minute).minutes()).unwrap();
        let first = clock.minute(now);
        let state = state(&windows, &no_calendar, pilotage_spec::Timestamp::from_micros(now.as_microsecond())).unwrap();
        prop_assert_eq!(state.open, reckoned[first], "{:?} at {}", windows, now);

        // The reckoning ends where ranges of days that it does not know would begin.
        let known = reckoned.len() - 2 * 1440;
        let change = (first..known).find(|minute| reckoned[*minute] != state.open);
        let said = state.until.map(|until| {
            let minutes = (until.as_micros() - clock.start.as_microsecond()) / MINUTE_MICROS;
            usize::try_from(minutes).unwrap()
        });
        prop_assert_eq!(change, said.filter(|said| *said < known), "{:?} at {}", windows, now);
    }

    #[test]
    fn until_is_the_next_change((_, near, windows, minute) in cases()) {
        let near: Timestamp = near.parse().unwrap();
        let now = near.checked_add(i64::from(minute).minutes()).unwrap();
        let now = pilotage_spec::Timestamp::from_micros(now.as_microsecond());
        let look = |time| state(&windows, &no_calendar, time).unwrap();
        let first = look(now);
        if let Some(until) = first.until {
            prop_assert!(until > now);
            prop_assert_eq!(look(until).open, !first.open);
            prop_assert_eq!(look(until.shifted(-1)).open, first.open);
            let half_way = now.shifted((until.as_micros() - now.as_micros()) / 2);
            prop_assert_eq!(look(half_way).open, first.open);
            prop_assert_eq!(look(half_way).until, Some(until));
        }
    }

    #[test]
    fn more_allowed_ranges_allow_more_and_more_freezes_less((_, near, windows, minute) in cases(), (_, _, more, _) in cases()) {
        let near: Timestamp = near.parse().unwrap();
        let now = near.checked_add(i64::from(minute).minutes()).unwrap();
        let now = pilotage_spec::Timestamp::from_micros(now.as_microsecond());
        let open = |windows: &Windows| state(windows, &no_calendar, now).unwrap().open;
        let mut wider = windows.clone();
        if !wider.allow.is_empty() {
            wider.allow.extend(more.allow.clone());
            prop_assert!(!open(&windows) || open(&wider));
        }
        let mut frozen = windows.clone();
        frozen.freeze.extend(more.freeze);
        prop_assert!(open(&windows) || !open(&frozen));
        let mut turned = windows.clone();
        turned.allow.reverse();
        turned.freeze.reverse();
        prop_assert_eq!(open(&turned), open(&windows));
    }
}
