//! When deployments are allowed, and when they are frozen.

use std::time::Duration;

use serde_json::json;

use crate::read::node::Spanned;
use crate::read::shape::{
    Checked, Either, Fields, MapOf, Misread, Named, Object, OneOrMore, Placed, Scalar, Shape, field,
};
use crate::read::values::{duration, label, parsed, relative_path};
use crate::{CronText, LocalTime, Range, RelativePath, WEEKLY_PATTERN, WindowName, Windows, ZoneName};

/// A window that is shorter could pass between two looks at the clock.
const SHORTEST: Duration = Duration::from_secs(60);

/// More ranges than this are a calendar's matter.
const RANGE_LIMIT: usize = 100;

/// What ends like this is the path of a calendar.
const CALENDAR_ENDING: &str = ".ics";

/// The shape of `windows`.
pub(super) fn windows() -> impl Shape<Value = Named<WindowName, Windows>> {
    MapOf {
        key: label("the name of a window"),
        value: Object { expected: "a window", fields: window },
        expected: "a mapping of windows by name",
        at_least: 0,
    }
}

fn window(fields: &mut Fields<'_>) -> Option<Windows> {
    fields.at_least_one(&["allow", "freeze"]);
    let allow = fields.optional(
        field("allow", "When deployments are allowed: one range or a list. Without it: always.")
            .example("Mon-Thu 09:00-16:00 Europe/Berlin"),
        &ranges(),
    );
    let freeze = fields.optional(
        field("freeze", "When deployments wait even though they are allowed: one range or a list.")
            .example("freezes.ics"),
        &ranges(),
    );
    Some(Windows { allow: allow.unwrap_or_default(), freeze: freeze.unwrap_or_default() })
}

fn ranges() -> impl Shape<Value = Vec<Range>> {
    let list = OneOrMore {
        item: Either { short: short_range(), long: Object { expected: "a range", fields: range } },
        expected: "a range of time, or a list of them",
        example: "Mon-Thu 09:00-16:00 Europe/Berlin",
    };
    Checked {
        shape: Placed(list),
        check: |Spanned { value: ranges, span }, faults| {
            if ranges.len() > RANGE_LIMIT {
                faults
                    .error(&span, format!("more than {RANGE_LIMIT} ranges"))
                    .help("put them into a calendar: `{ ical: freezes.ics }`");
                return None;
            }
            Some(ranges)
        },
    }
}

/// A range in one text: of every week, or the path of a calendar.
fn short_range() -> Scalar<Range> {
    let schema = json!({ "anyOf": [
        { "type": "string", "pattern": WEEKLY_PATTERN },
        { "type": "string", "pattern": r"^(?![-/])(?!(.*/)?\.\.(/|$))[^\x00-\x2A:;<>?\[\\\]^`{|}~\x7F]+\.ics$" },
    ] });
    Scalar::new("a range such as `Mon-Thu 09:00-16:00 Europe/Berlin`", schema, |written| {
        let text = written.text.as_str();
        if text.ends_with(CALENDAR_ENDING) {
            let path = text.parse::<RelativePath>().map_err(Misread::plain)?;
            return Ok(Range::Calendar { path, zone: None });
        }
        text.parse().map_err(Misread::plain)
    })
}

fn range(fields: &mut Fields<'_>) -> Option<Range> {
    fields.exactly_one(&["cron", "from", "ical"]);
    let cron = fields.optional(
        field("cron", "When it begins: minute, hour, day of the month, month, day of the week.")
            .example("0 9 * * 1-4"),
        &parsed::<CronText>("a cron expression such as `0 9 * * 1-4`", json!({ "type": "string" })),
    );
    let lasts = fields.optional(
        field("for", "How long each lasts that `cron` begins, in time that passes whatever the clock shows.")
            .example("7h"),
        &Placed(duration(SHORTEST)),
    );
    let from = fields
        .optional(field("from", "When it begins, once.").example("2026-12-24T00:00"), &Placed(local_time()));
    let to = fields
        .optional(field("to", "When it ends, once.").example("2026-12-27T00:00"), &Placed(local_time()));
    let path = fields.optional(
        field("ical", "A calendar's file (RFC 5545), below the project's folder: its events are the ranges.")
            .example("freezes.ics"),
        &relative_path(),
    );
    let zone = fields.optional(
        field(
            "zone",
            "Whose clock, by the zone's name in the IANA database. A calendar needs it only for whole days and times \
             without a zone.",
        )
        .example("Europe/Berlin"),
        &parsed::<ZoneName>(
            "a time zone such as `Europe/Berlin`",
            json!({ "type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_+/-]*$", "maxLength": 64 }),
        ),
    );
    let parts = Parts { cron, lasts, from, to, path, zone };
    parts.range(fields)
}

fn local_time() -> Scalar<LocalTime> {
    let pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-2][0-9]:[0-5][0-9]$";
    parsed("a date with a time such as `2026-12-24T00:00`", json!({ "type": "string", "pattern": pattern }))
}

/// The keys of a range, as far as they could be read.
struct Parts {
    cron: Option<CronText>,
    lasts: Option<Spanned<Duration>>,
    from: Option<Spanned<LocalTime>>,
    to: Option<Spanned<LocalTime>>,
    path: Option<RelativePath>,
    zone: Option<ZoneName>,
}

impl Parts {
    fn range(self, fields: &mut Fields<'_>) -> Option<Range> {
        self.check_companions(fields);
        match self {
            Self { cron: Some(cron), lasts, zone, .. } => {
                Some(Range::Cron { cron, lasts: lasts?.value, zone: zone? })
            }
            Self { from: Some(from), to, zone, .. } => absolute(from, to?, zone?, fields),
            Self { path: Some(path), zone, .. } => Some(Range::Calendar { path, zone }),
            _ => None,
        }
    }

    /// Notes keys that are missing beside the one that says which kind of range it is, and those that mean nothing there.
    fn check_companions(&self, fields: &mut Fields<'_>) {
        let kind = if self.cron.is_some() {
            "cron"
        } else if self.from.is_some() {
            "from"
        } else {
            "ical"
        };
        let wanted = [("for", kind == "cron"), ("to", kind == "from")];
        for (key, belongs) in wanted {
            match belongs {
                true => fields.needed_beside(key, kind),
                false => fields.unwanted_beside(key, kind),
            }
        }
        if kind != "ical" {
            fields.needed_beside("zone", kind);
        }
    }
}

fn absolute(
    from: Spanned<LocalTime>,
    to: Spanned<LocalTime>,
    zone: ZoneName,
    fields: &mut Fields<'_>,
) -> Option<Range> {
    if to.value <= from.value {
        if let Some(faults) = fields.faults() {
            faults
                .error(&to.span, "the end is not after the beginning")
                .related(&from.span, "it begins here")
                .help("write the later time at `to`");
        }
        return None;
    }
    Some(Range::Absolute { from: from.value, to: to.value, zone })
}
