//! Freezes out of calendars, as programs for calendars write them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a broken helper should fail its test"
)]

mod support;

use std::time::Instant;

use pilotage_change::calendar::{WindowState, check_calendars, state};
use pilotage_spec::{Range, Windows};
use support::{at, utc};

fn frozen_by(zone: Option<&str>) -> Windows {
    let zone = zone.map(|zone| zone.parse().unwrap());
    Windows {
        allow: Vec::new(),
        freeze: vec![Range::Calendar { path: "freezes.ics".parse().unwrap(), zone }],
    }
}

fn calendar(events: &[&str]) -> String {
    let events: Vec<String> =
        events.iter().map(|event| format!("BEGIN:VEVENT\r\n{event}\r\nEND:VEVENT\r\n")).collect();
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{}END:VCALENDAR\r\n", events.concat())
}

fn look(text: &str, zone: Option<&str>, now: &str) -> Result<WindowState, String> {
    state(&frozen_by(zone), &|_| Ok(text.to_owned()), at(now)).map_err(|error| error.to_string())
}

/// Each moment with whether it is open then and when that changes.
#[track_caller]
fn expect(events: &[&str], moments: &[(&str, bool, &str)]) {
    let text = calendar(events);
    for (now, open, until) in moments {
        let state = look(&text, Some("Europe/Berlin"), now).unwrap();
        let until_seen = state.until.map(utc).unwrap_or_default();
        assert_eq!((state.open, until_seen.as_str()), (*open, *until), "at {now}: {}", state.why);
    }
}

#[track_caller]
fn refused(text: &str, reason: &str) {
    let error = look(text, Some("Europe/Berlin"), "2026-12-24T12:00:00Z").unwrap_err();
    assert!(error.starts_with("the calendar freezes.ics cannot be used: line "), "{error}");
    assert!(error.contains(reason), "{error}");
}

#[test]
fn an_event_freezes_from_its_beginning_to_its_end() {
    expect(
        &["UID:1\r\nDTSTART:20261224T120000Z\r\nDTEND:20261225T060000Z\r\nTRANSP:TRANSPARENT"],
        &[
            ("2026-12-24T11:59:59Z", true, "2026-12-24T12:00:00Z"),
            ("2026-12-24T12:00:00Z", false, "2026-12-25T06:00:00Z"),
            ("2026-12-25T06:00:00Z", true, ""),
        ],
    );
    expect(
        &["DTSTART;TZID=America/New_York:20261224T180000\r\nDURATION:PT6H"],
        &[("2026-12-24T23:00:00Z", false, "2026-12-25T05:00:00Z")],
    );
    // Without a zone it is the window's clock that counts; without an end it takes no time.
    expect(
        &["DTSTART:20261224T180000\r\nDTEND:20261224T190000", "DTSTART:20261120T180000"],
        &[("2026-11-20T00:00:00Z", true, "2026-12-24T17:00:00Z")],
    );
}

#[test]
fn dates_are_whole_days_of_the_windows_clock() {
    let days = ["DTSTART;VALUE=DATE:20261224\r\nDTEND;VALUE=DATE:20261227"];
    expect(&days, &[("2026-12-23T23:00:00Z", false, "2026-12-26T23:00:00Z")]);
    expect(&["DTSTART;VALUE=DATE:20261224"], &[("2026-12-24T12:00:00Z", false, "2026-12-24T23:00:00Z")]);
    expect(
        &["DTSTART;VALUE=DATE:20280229\r\nDURATION:P1D"],
        &[("2028-02-29T12:00:00Z", false, "2028-02-29T23:00:00Z")],
    );
    // The day on which the clock is put forward has 23 hours.
    expect(
        &["DTSTART;VALUE=DATE:20260329"],
        &[
            ("2026-03-28T22:59:59Z", true, "2026-03-28T23:00:00Z"),
            ("2026-03-28T23:00:00Z", false, "2026-03-29T22:00:00Z"),
        ],
    );
}

#[test]
fn the_name_of_the_event_is_told_on_one_line() {
    let text = calendar(&[
        "SUMMARY:Christmas\\, and\\nthe \u{202e}days\u{7} betw\r\n een\r\nDTSTART;VALUE=DATE:20261224",
    ]);
    let state = look(&text, Some("Europe/Berlin"), "2026-12-24T12:00:00Z").unwrap();
    assert_eq!(state.frozen_by.as_deref(), Some("`Christmas, and the days between` of freezes.ics"));
    assert_eq!(
        state.why,
        "frozen by `Christmas, and the days between` of freezes.ics; opens Fri 2026-12-25 00:00 +01:00 Europe/Berlin"
    );
}

#[test]
fn rules_follow_the_clock_on_the_wall() {
    let weekly = [
        "DTSTART;TZID=Europe/Berlin:20260102T160000\r\nDTEND;TZID=Europe/Berlin:20260102T180000\r\nRRULE:FREQ=WEEKLY",
    ];
    expect(
        &weekly,
        &[
            ("2026-01-02T15:30:00Z", false, "2026-01-02T17:00:00Z"),
            ("2026-07-03T14:30:00Z", false, "2026-07-03T16:00:00Z"),
            ("2026-11-27T12:00:00Z", true, "2026-11-27T15:00:00Z"),
            ("2051-11-24T12:00:00Z", true, "2051-11-24T15:00:00Z"),
        ],
    );
    let month_ends = ["DTSTART;VALUE=DATE:20200131\r\nRRULE:FREQ=MONTHLY;BYMONTHDAY=-1"];
    expect(
        &month_ends,
        &[
            ("2026-11-23T12:00:00Z", true, "2026-11-29T23:00:00Z"),
            ("2028-02-28T12:00:00Z", true, "2028-02-28T23:00:00Z"),
        ],
    );
    let thanksgiving = ["DTSTART;VALUE=DATE:20051124\r\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH"];
    expect(&thanksgiving, &[("2026-11-23T12:00:00Z", true, "2026-11-25T23:00:00Z")]);
    let leap_days = ["DTSTART;VALUE=DATE:20000229\r\nRRULE:FREQ=YEARLY"];
    expect(
        &leap_days,
        &[("2027-12-01T12:00:00Z", true, "2028-02-28T23:00:00Z"), ("2028-03-01T12:00:00Z", true, "")],
    );
    let every_other_week = ["DTSTART;VALUE=DATE:20261102\r\nRRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TU"];
    expect(
        &every_other_week,
        &[
            ("2026-11-18T12:00:00Z", true, "2026-11-29T23:00:00Z"),
            ("2026-11-30T12:00:00Z", false, "2026-12-01T23:00:00Z"),
        ],
    );
}

#[test]
fn a_rule_in_a_gap_begins_after_it() {
    expect(
        &["DTSTART;TZID=Europe/Berlin:20260101T023000\r\nDURATION:PT1H\r\nRRULE:FREQ=DAILY"],
        &[
            ("2026-03-29T00:00:00Z", true, "2026-03-29T01:00:00Z"),
            ("2026-03-29T01:00:00Z", false, "2026-03-29T02:00:00Z"),
        ],
    );
}

#[test]
fn rules_end_by_date_by_time_and_by_count() {
    let until = |rule: &str| {
        format!("DTSTART;TZID=Europe/Berlin:20261123T100000\r\nDURATION:PT1H\r\nRRULE:FREQ=DAILY;{rule}")
    };
    for rule in ["UNTIL=20261125", "UNTIL=20261125T100000", "UNTIL=20261125T090000Z", "COUNT=3"] {
        expect(
            &[&until(rule)],
            &[("2026-11-24T12:00:00Z", true, "2026-11-25T09:00:00Z"), ("2026-11-25T12:00:00Z", true, "")],
        );
    }
    expect(&[&until("UNTIL=20261125T085959Z")], &[("2026-11-24T12:00:00Z", true, "")]);
}

#[test]
fn single_occurrences_are_added_left_out_moved_and_cancelled() {
    let series = "UID:weekly\r\nDTSTART;TZID=Europe/Berlin:20261102T100000\r\nDTEND;TZID=Europe/Berlin:20261102T110000\r\n\
                  RRULE:FREQ=WEEKLY\r\nEXDATE;TZID=Europe/Berlin:20261109T100000,20261116T100000\r\n\
                  RDATE;TZID=Europe/Berlin:20261118T100000";
    expect(
        &[series],
        &[
            ("2026-11-03T00:00:00Z", true, "2026-11-18T09:00:00Z"),
            ("2026-11-18T12:00:00Z", true, "2026-11-23T09:00:00Z"),
        ],
    );
    let moved = "UID:weekly\r\nRECURRENCE-ID;TZID=Europe/Berlin:20261123T100000\r\nDTSTART:20261124T150000Z\r\nDTEND:20261124T160000Z";
    expect(&[series, moved], &[("2026-11-18T12:00:00Z", true, "2026-11-24T15:00:00Z")]);
    let cancelled =
        "UID:weekly\r\nRECURRENCE-ID:20261123T090000Z\r\nDTSTART:20261123T090000Z\r\nSTATUS:CANCELLED";
    expect(&[series, cancelled], &[("2026-11-18T12:00:00Z", true, "2026-11-30T09:00:00Z")]);
    let other = "UID:other\r\nRECURRENCE-ID:20261123T090000Z\r\nDTSTART:20261123T090000Z\r\nSTATUS:CANCELLED";
    expect(&[series, other], &[("2026-11-18T12:00:00Z", true, "2026-11-23T09:00:00Z")]);
    expect(&["STATUS:CANCELLED\r\nDTSTART;VALUE=DATE:20261224"], &[("2026-12-24T12:00:00Z", true, "")]);
}

#[test]
fn a_zone_of_the_calendars_own_is_known_by_its_place() {
    let zone = "BEGIN:VTIMEZONE\r\nTZID:W. Europe Standard Time\r\nX-LIC-LOCATION:Europe/Berlin\r\nBEGIN:STANDARD\r\n\
                DTSTART:16010101T030000\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n";
    let event = "BEGIN:VEVENT\r\nDTSTART;TZID=\"W. Europe Standard Time\":20261224T180000\r\nDURATION:PT1H\r\nBEGIN:VALARM\r\n\
                 DURATION:PT5M\r\nEND:VALARM\r\nEND:VEVENT\r\n";
    let text = format!("BEGIN:VCALENDAR\r\n{event}{zone}END:VCALENDAR\r\n");
    let state = look(&text, None, "2026-12-24T17:30:00Z").unwrap();
    assert_eq!(state.until.map(utc).as_deref(), Some("2026-12-24T18:00:00Z"));
    let unknown = format!("BEGIN:VCALENDAR\r\n{event}END:VCALENDAR\r\n");
    refused(&unknown, "line 3: unknown time zone `W. Europe Standard Time`");
}

#[test]
fn whose_clock_is_meant_must_be_said() {
    let text = calendar(&["DTSTART;VALUE=DATE:20261224"]);
    let error = look(&text, None, "2026-12-24T12:00:00Z").unwrap_err();
    assert!(error.contains("it is not said whose clock is meant"), "{error}");
    let said = text.replace("VERSION:2.0", "X-WR-TIMEZONE:America/New_York");
    let state = look(&said, None, "2026-12-24T12:00:00Z").unwrap();
    assert_eq!(state.until.map(utc).as_deref(), Some("2026-12-25T05:00:00Z"));
}

#[test]
fn what_is_not_understood_for_certain_keeps_the_window_closed() {
    for (text, reason) in [
        ("", "there is no calendar"),
        ("<!DOCTYPE html><title>Sign in</title>", "this is not `NAME:value`"),
        ("VERSION:2.0", "outside of a calendar"),
        ("BEGIN:VEVENT\nDTSTART:20261224T120000Z\nEND:VEVENT", "must begin with `BEGIN:VCALENDAR`"),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261224T120000Z", "the file ends within this VEVENT"),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR", "END:VEVENT is expected"),
        ("BEGIN:VCALENDAR\nEND:VCALENDAR\nEND:VCALENDAR", "nothing has begun"),
    ] {
        refused(text, reason);
    }
    for (event, reason) in [
        ("UID:1", "has no DTSTART"),
        ("DTSTART:tomorrow", "neither a date"),
        ("DTSTART:20261324T120000Z", "neither a date"),
        ("DTSTART:20260229T120000Z", "neither a date"),
        ("DTSTART:20261224T250000Z", "neither a date"),
        ("DTSTART:20261224Z", "neither a date"),
        ("DTSTART;VALUE=DATE:20261224T120000", "neither a date"),
        (
            "DTSTART;TZID=Europe/Berln:20261224T120000",
            "unknown time zone `Europe/Berln`: did you mean `Europe/Berlin`?",
        ),
        ("DTSTART:20261224T120000Z\nDTSTART:20261225T120000Z", "DTSTART is there twice"),
        ("DTSTART:20261224T120000Z\nDTEND:20261224T110000Z", "ends before it begins"),
        ("DTSTART:20261224T120000Z\nDTEND;VALUE=DATE:20261225", "must both be dates"),
        ("DTSTART:20261224T120000Z\nDTEND:20261224T130000Z\nDURATION:PT1H", "not both"),
        ("DTSTART:20261224T120000Z\nDURATION:1h", "not a duration"),
        ("DTSTART:20261224T120000Z\nRRULE:FREQ=NEVER", "the rule cannot be used"),
        ("DTSTART:20261224T120000Z\nRRULE:FREQ=DAILY;BYFOO=1", "the rule cannot be used"),
        ("DTSTART:20261224T120000Z\nRRULE:FREQ=SECONDLY", "less than a day"),
        ("DTSTART:20261224T120000Z\nRRULE:FREQ=DAILY;INTERVAL=0", "INTERVAL"),
        ("DTSTART:20261224T120000Z\nRRULE:FREQ=DAILY;COUNT=4000000000", "COUNT"),
        ("DTSTART:20261224T120000Z\nRRULE:FREQ=DAILY;UNTIL=soon", "UNTIL"),
        ("DTSTART:20261224T120000Z\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "days that never come"),
        (
            "DTSTART:20261224T120000Z\nRRULE:FREQ=YEARLY;COUNT=5;BYMONTH=2;BYMONTHDAY=30",
            "days that never come",
        ),
        ("DTSTART:20261224T120000Z\nRECURRENCE-ID:20261224T120000Z", "UID is missing"),
        ("DTSTART:20261224T120000Z\nEXRULE:FREQ=DAILY", "EXRULE"),
        ("DTSTART:20261224T120000Z\nEXDATE;VALUE=DATE:20261225", "EXDATE must hold dates"),
        ("DTSTART:20261224T120000Z\nRDATE;VALUE=PERIOD:20261225T000000Z/PT1H", "neither a date"),
        ("DTSTART:20261224T120000Z\nRECURRENCE-ID;RANGE=THISANDFUTURE:20261224T120000Z", "RANGE"),
    ] {
        refused(&calendar(&[event]), reason);
    }
}

#[test]
fn calendars_that_are_meant_to_hurt_are_answered() {
    refused(&"BEGIN:VCALENDAR\n".repeat(500_000), "nested too deep");
    refused(&calendar(&vec!["DTSTART:20261224T120000Z"; 50_001]), "more than 50000 events");
    let long = format!("BEGIN:VCALENDAR\n{}", "X:1\n".repeat(3 << 20));
    let error = look(&long, None, "2026-12-24T12:00:00Z").unwrap_err();
    assert_eq!(error, "cannot read the calendar freezes.ics: it is longer than 8 MiB");
    let folded = format!("BEGIN:VCALENDAR\nSUMMARY:{}\nEND:VCALENDAR", "\n x".repeat(1_000_000));
    assert!(look(&folded, None, "2026-12-24T12:00:00Z").unwrap().open);
    let counted = vec!["DTSTART:19000101T000000Z\nRRULE:FREQ=DAILY;COUNT=5000"; 1_000];
    let error = look(&calendar(&counted), None, "2026-12-24T12:00:00Z").unwrap_err();
    assert!(error.contains("has more than 200000 times"), "{error}");
}

#[test]
fn check_reads_the_calendars_and_tells_each_fault() {
    let mut windows = frozen_by(Some("Europe/Berlin"));
    windows.allow.push(Range::Calendar { path: "missing.ics".parse().unwrap(), zone: None });
    let faults = check_calendars(&windows, &|path| match path.as_str() {
        "freezes.ics" => Ok(calendar(&["UID:1"])),
        _ => Err("no such file".to_owned()),
    });
    assert_eq!(
        faults,
        [
            "cannot read the calendar missing.ics: no such file",
            "the calendar freezes.ics cannot be used: line 3: this event has no DTSTART",
        ]
    );
}

/// A calendar of so many events in many years: whole days, meetings and rules.
fn large(count: usize) -> String {
    let events: Vec<String> = (0..count)
        .map(|index| {
            let (year, month, day) = (2010 + index % 30, 1 + index % 12, 1 + index % 28);
            let date = format!("{year}{month:02}{day:02}");
            let when = match index % 4 {
                0 => format!("DTSTART;VALUE=DATE:{date}"),
                1 => format!("DTSTART;TZID=Europe/Berlin:{date}T100000\r\nDTEND;TZID=Europe/Berlin:{date}T110000"),
                2 => format!("DTSTART:{date}T100000Z\r\nDURATION:PT30M"),
                _ => format!("DTSTART;VALUE=DATE:{date}\r\nRRULE:FREQ=YEARLY"),
            };
            format!("UID:{index}@shop.example\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:Event {index}\r\n{when}\r\nSTATUS:CONFIRMED")
        })
        .collect();
    calendar(&events.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn ten_thousand_events_are_answered() {
    let state = look(&large(10_000), Some("Europe/Berlin"), "2026-11-23T12:00:00Z").unwrap();
    assert!(state.open, "{}", state.why);
    assert_eq!(state.until.map(utc).as_deref(), Some("2026-11-27T10:00:00Z"));
}

#[test]
#[ignore = "prints a figure: run it with --release --run-ignored all --no-capture"]
fn figure_of_ten_thousand_events() {
    let text = large(10_000);
    let windows = frozen_by(Some("Europe/Berlin"));
    let mut times: Vec<_> = (0..20)
        .map(|_| {
            let text = text.clone();
            let begun = Instant::now();
            state(&windows, &move |_| Ok(text.clone()), at("2026-11-23T12:00:00Z")).unwrap();
            begun.elapsed()
        })
        .collect();
    times.sort();
    println!("10,000 events, {} KiB: median {:?}, slowest {:?}", text.len() >> 10, times[10], times[19]);
}
