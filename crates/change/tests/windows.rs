//! When a window is open, as a person with a calendar and a clock on the wall would say.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a broken helper should fail its test"
)]

mod support;

use pilotage_change::calendar::{CalendarError, check, state};
use support::{at, no_calendar, windows};

/// The next change as UTC, with what is the case now.
fn seen(allow: &[&str], freeze: &[&str], now: &str) -> (bool, String) {
    let state = state(&windows(allow, freeze), &no_calendar, at(now)).unwrap();
    (state.open, state.until.map(support::utc).unwrap_or_default())
}

#[track_caller]
fn expect(allow: &[&str], freeze: &[&str], now: &str, open: bool, until: &str) {
    assert_eq!(seen(allow, freeze, now), (open, until.to_owned()), "{allow:?} {freeze:?} at {now}");
}

const OFFICE: &str = "Mon-Thu 09:00-16:00 Europe/Berlin";

#[test]
fn a_weekly_window_opens_and_closes_by_its_own_clock() {
    expect(&[OFFICE], &[], "2026-11-23T07:59:59Z", false, "2026-11-23T08:00:00Z");
    expect(&[OFFICE], &[], "2026-11-23T08:00:00Z", true, "2026-11-23T15:00:00Z");
    expect(&[OFFICE], &[], "2026-11-23T14:59:59.999999Z", true, "2026-11-23T15:00:00Z");
    expect(&[OFFICE], &[], "2026-11-23T15:00:00Z", false, "2026-11-24T08:00:00Z");
    expect(&[OFFICE], &[], "2026-11-26T15:00:00Z", false, "2026-11-30T08:00:00Z");
    // The same wall clock in summer is another moment.
    expect(&[OFFICE], &[], "2026-07-06T07:00:00Z", true, "2026-07-06T14:00:00Z");
}

#[test]
fn the_words_name_the_range_and_the_moment_with_its_zone() {
    let say = |allow: &[&str], freeze: &[&str], now: &str| {
        let state = state(&windows(allow, freeze), &no_calendar, at(now)).unwrap();
        (state.why, state.frozen_by)
    };
    let (why, frozen) = say(&[OFFICE], &[], "2026-11-23T10:00:00Z");
    assert_eq!(
        why,
        "within Mon-Thu 09:00-16:00 Europe/Berlin; closes Mon 2026-11-23 16:00 +01:00 Europe/Berlin"
    );
    assert_eq!(frozen, None);
    let (why, _) = say(&[OFFICE], &[], "2026-11-27T10:00:00Z");
    assert_eq!(why, "outside of all allowed times; opens Mon 2026-11-30 09:00 +01:00 Europe/Berlin");
    let christmas = "2026-12-24T00:00 to 2026-12-27T00:00 Europe/Berlin";
    let (why, frozen) = say(&[OFFICE], &[christmas], "2026-12-24T10:00:00Z");
    assert_eq!(why, format!("frozen by {christmas}; opens Mon 2026-12-28 09:00 +01:00 Europe/Berlin"));
    assert_eq!(frozen.as_deref(), Some(christmas));
    let (why, _) = say(&[], &[christmas], "2026-11-23T10:00:00Z");
    assert_eq!(why, "in no freeze; closes Thu 2026-12-24 00:00 +01:00 Europe/Berlin");
    let (why, _) = say(&[], &[christmas], "2027-11-23T10:00:00Z");
    assert_eq!(why, "in no freeze; no time within 400 days is known when it closes");
}

#[test]
fn a_freeze_wins_over_what_is_allowed_and_hands_back_to_it() {
    let lunch = "daily 12:00-13:00 Europe/Berlin";
    expect(&[OFFICE], &[lunch], "2026-11-23T10:00:00Z", true, "2026-11-23T11:00:00Z");
    expect(&[OFFICE], &[lunch], "2026-11-23T11:30:00Z", false, "2026-11-23T12:00:00Z");
    expect(&[OFFICE], &[lunch], "2026-11-23T12:00:00Z", true, "2026-11-23T15:00:00Z");
    // A freeze that begins while it is closed anyway changes nothing.
    expect(
        &[OFFICE],
        &["daily 18:00-19:00 Europe/Berlin"],
        "2026-11-23T16:00:00Z",
        false,
        "2026-11-24T08:00:00Z",
    );
    // One that reaches into allowed time puts off its beginning.
    expect(
        &[OFFICE],
        &["daily 08:00-09:30 Europe/Berlin"],
        "2026-11-23T16:00:00Z",
        false,
        "2026-11-24T08:30:00Z",
    );
}

#[test]
fn allowed_times_that_overlap_or_touch_are_one() {
    let (early, late) = ("Mon 08:00-12:00 UTC", "Mon 10:00-16:00 UTC");
    expect(&[early, late], &[], "2026-11-23T09:00:00Z", true, "2026-11-23T16:00:00Z");
    expect(&[late, early], &[], "2026-11-23T11:00:00Z", true, "2026-11-23T16:00:00Z");
    let inner = "Mon 09:00-10:00 UTC";
    expect(&[early, inner], &[], "2026-11-23T09:30:00Z", true, "2026-11-23T12:00:00Z");
    expect(&[early, "Mon 12:00-13:00 UTC"], &[], "2026-11-23T11:00:00Z", true, "2026-11-23T13:00:00Z");
    // Across zones as well.
    expect(
        &[early, "Mon 13:00-15:00 Europe/Berlin"],
        &[],
        "2026-11-23T11:00:00Z",
        true,
        "2026-11-23T14:00:00Z",
    );
    expect(&["daily 00:00-24:00 UTC"], &[], "2026-11-23T11:00:00Z", true, "");
}

#[test]
fn a_window_over_midnight_belongs_to_the_day_on_which_it_begins() {
    let night = "Fri 22:00-06:00 Europe/Berlin";
    expect(&[night], &[], "2026-11-27T21:00:00Z", true, "2026-11-28T05:00:00Z");
    expect(&[night], &[], "2026-11-28T04:59:00Z", true, "2026-11-28T05:00:00Z");
    expect(&[night], &[], "2026-11-28T21:30:00Z", false, "2026-12-04T21:00:00Z");
    expect(&[night], &[], "2026-11-27T04:00:00Z", false, "2026-11-27T21:00:00Z");
    // Up to midnight, and whole days one after the other.
    expect(&["Fri 22:00-24:00 UTC"], &[], "2026-11-27T23:00:00Z", true, "2026-11-28T00:00:00Z");
    expect(&["Fri 22:00-00:00 UTC"], &[], "2026-11-27T23:00:00Z", true, "2026-11-28T00:00:00Z");
    expect(&["Sat-Sun 00:00-24:00 UTC"], &[], "2026-11-28T12:00:00Z", true, "2026-11-30T00:00:00Z");
}

#[test]
fn an_edge_that_no_clock_shows_is_the_moment_after_the_gap() {
    // At 02:00 the clock of Berlin is put forward to 03:00, which is 01:00 UTC.
    expect(&["Sun 02:30-05:00 Europe/Berlin"], &[], "2026-03-29T00:00:00Z", false, "2026-03-29T01:00:00Z");
    expect(&["Sun 00:00-02:30 Europe/Berlin"], &[], "2026-03-29T00:00:00Z", true, "2026-03-29T01:00:00Z");
    // A window within the gap does not happen.
    expect(&["Sun 02:00-03:00 Europe/Berlin"], &[], "2026-03-29T00:00:00Z", false, "2026-04-05T00:00:00Z");
    // Half an hour on Lord Howe Island: 02:00 to 02:30.
    expect(
        &["Sun 02:15-05:00 Australia/Lord_Howe"],
        &[],
        "2026-10-03T15:00:00Z",
        false,
        "2026-10-03T15:30:00Z",
    );
}

#[test]
fn an_edge_that_is_shown_twice_begins_at_the_first_and_ends_at_the_second() {
    // At 03:00 the clock of Berlin is put back to 02:00, which is 01:00 UTC.
    expect(&["Sun 02:30-05:00 Europe/Berlin"], &[], "2026-10-25T00:00:00Z", false, "2026-10-25T00:30:00Z");
    expect(&["Sun 00:00-02:30 Europe/Berlin"], &[], "2026-10-25T00:00:00Z", true, "2026-10-25T01:30:00Z");
    expect(&[], &["Sun 02:00-03:00 Europe/Berlin"], "2026-10-25T00:00:00Z", false, "2026-10-25T02:00:00Z");
    expect(&["Sun 01:00-01:30 America/New_York"], &[], "2026-11-01T05:00:00Z", true, "2026-11-01T06:30:00Z");
    expect(
        &["Sun 01:30-01:45 Australia/Lord_Howe"],
        &[],
        "2026-04-04T14:30:00Z",
        true,
        "2026-04-04T15:15:00Z",
    );
}

#[test]
fn a_zone_may_differ_by_quarters_of_an_hour() {
    expect(&["Mon 09:00-16:00 Asia/Kathmandu"], &[], "2026-11-23T03:14:59Z", false, "2026-11-23T03:15:00Z");
    expect(&["Mon 09:00-16:00 Asia/Kathmandu"], &[], "2026-11-23T03:15:00Z", true, "2026-11-23T10:15:00Z");
}

#[test]
fn a_cron_window_lasts_as_long_as_it_says_whatever_the_clock_shows() {
    let weekend = "cron 0 18 * * 5 for 60h Europe/Berlin";
    expect(&[], &[weekend], "2026-11-27T16:59:00Z", true, "2026-11-27T17:00:00Z");
    expect(&[], &[weekend], "2026-11-29T12:00:00Z", false, "2026-11-30T05:00:00Z");
    // The night in which the clock is put forward: 60 hours end an hour later by the clock.
    expect(&[], &[weekend], "2026-03-28T12:00:00Z", false, "2026-03-30T05:00:00Z");
    // Longer than until it comes again: it never ends.
    expect(&["cron 0 9 * * * for 25h UTC"], &[], "2026-11-23T12:00:00Z", true, "");
    expect(&["cron 0 0 29 2 * for 1d UTC"], &[], "2027-11-23T12:00:00Z", false, "2028-02-29T00:00:00Z");
    expect(&["cron 0 0 29 2 * for 1d UTC"], &[], "2026-11-23T12:00:00Z", false, "");
    expect(&["cron 0 9 1 * 1 for 1h UTC"], &[], "2026-11-23T12:00:00Z", false, "2026-11-30T09:00:00Z");
}

#[test]
fn a_cron_time_in_a_gap_begins_after_it_and_one_that_is_shown_twice_begins_once() {
    expect(
        &["cron 30 2 * * * for 1h Europe/Berlin"],
        &[],
        "2026-03-29T00:00:00Z",
        false,
        "2026-03-29T01:00:00Z",
    );
    let night = "cron 30 2 * * * for 10m Europe/Berlin";
    expect(&[night], &[], "2026-10-25T00:00:00Z", false, "2026-10-25T00:30:00Z");
    expect(&[night], &[], "2026-10-25T00:40:00Z", false, "2026-10-26T01:30:00Z");
    expect(&["cron * * * * * for 1m UTC"], &[], "2026-10-25T00:40:00Z", true, "");
}

#[test]
fn a_range_of_dates_comes_once() {
    let range = "2026-12-24T18:00 to 2026-12-27T06:00 America/New_York";
    expect(&[], &[range], "2026-12-24T22:59:00Z", true, "2026-12-24T23:00:00Z");
    expect(&[], &[range], "2026-12-24T23:00:00Z", false, "2026-12-27T11:00:00Z");
    expect(&[], &[range], "2026-12-27T11:00:00Z", true, "");
    expect(
        &["2028-02-29T00:00 to 2028-03-01T00:00 UTC"],
        &[],
        "2028-02-29T12:00:00Z",
        true,
        "2028-03-01T00:00:00Z",
    );
    // Put into the gap at both ends, it is nothing.
    expect(&["2026-03-29T02:10 to 2026-03-29T02:50 Europe/Berlin"], &[], "2026-03-29T01:00:00Z", false, "");
}

#[test]
fn nothing_is_allowed_where_something_is_not_known() {
    let error = |allow: &[&str], now: &str| state(&windows(allow, &[]), &no_calendar, at(now)).unwrap_err();
    let now = "2026-11-23T12:00:00Z";
    let zone = error(&["Mon 09:00-16:00 Europe/Berln"], now);
    assert_eq!(zone.to_string(), "unknown time zone `Europe/Berln`: did you mean `Europe/Berlin`?");
    let never = error(&["cron 0 0 30 2 * for 1h UTC"], now);
    assert_eq!(never.to_string(), "the cron expression `0 0 30 2 *` never happens");
    let cron = error(&["cron 0 25 * * * for 1h UTC"], now).to_string();
    assert!(cron.starts_with("the cron expression `0 25 * * *` cannot be used: "), "{cron}");
    let calendar = error(&["freezes.ics"], now);
    assert_eq!(calendar.to_string(), "cannot read the calendar freezes.ics: no file is here");
    for micros in [i64::MIN, -1, i64::MAX] {
        let time = pilotage_spec::Timestamp::from_micros(micros);
        let error = state(&windows(&[OFFICE], &[]), &no_calendar, time).unwrap_err();
        assert_eq!(error, CalendarError::Time(micros));
    }
}

#[test]
fn faults_of_zones_and_cron_are_seen_without_the_time_and_without_the_calendars() {
    let all = windows(
        &["Mon 09:00-16:00 Europe/Berlin", "Mon 09:00-16:00 Berlin", "cron 0 0 31 4,6 * for 1h UTC"],
        &["cron 0 9 * * 8 for 1h UTC", "missing.ics", "2026-12-24T18:00 to 2026-12-27T06:00 Mars/Crater"],
    );
    let faults = check(&all);
    assert_eq!(faults.len(), 4, "{faults:#?}");
    assert_eq!(faults[0], "unknown time zone `Berlin`: did you mean `Europe/Berlin`?");
    assert_eq!(faults[1], "the cron expression `0 0 31 4,6 *` never happens");
    assert!(faults[2].contains("`0 9 * * 8` cannot be used"), "{}", faults[2]);
    assert_eq!(faults[3], "unknown time zone `Mars/Crater`");
}
