//! `cohorts`: one cohort of the clients after the other, then everybody.

use std::time::Duration;

use super::condition::{RingDraft, ring};
use super::stages::{ALL, check_names};
use super::times::{Timed, watch};
use crate::read::fault::Faults;
use crate::read::shape::{Checked, Fields, ListOf, Object, Shape, field};
use crate::{Ring, Stage, Strategy, StrategyKind};

pub(super) fn fields(fields: &mut Fields<'_>) -> Option<Strategy> {
    let rings = fields.required(
        field("rings", "The cohorts, in the order in which they get the new version; after the last one, everybody does.")
            .example("[{ name: internal, header: { name: X-Staff } }]"),
        &Checked { shape: rings(), check: check_rings },
    );
    let timed = Timed::ask(fields, "5m", "15m")?;
    let usual = timed.watch;
    let cohort =
        |(cohort, watch): (Ring, Option<Duration>)| Stage::Cohort { cohort, watch: watch.unwrap_or(usual) };
    let stages = rings.map(|rings| {
        rings.into_iter().map(cohort).chain([Stage::Share { share: ALL, watch: usual }]).collect()
    });
    timed.with(stages.map(|stages| StrategyKind::Cohorts { stages }))
}

type Draft = (RingDraft, Option<Duration>);

fn rings() -> impl Shape<Value = Vec<Draft>> {
    ListOf {
        item: Object { expected: "a ring", fields: one },
        at_least: 1,
        expected: "a list of cohorts",
        example: "[{ name: internal, header: { name: X-Staff } }]",
    }
}

fn one(fields: &mut Fields<'_>) -> Option<Draft> {
    let ring = ring(fields);
    let watch = fields.optional(
        field("watch", "How long it is judged before the next ring, if not as long as usual.").example("10m"),
        &watch(),
    );
    Some((ring?, watch))
}

fn check_rings(drafts: Vec<Draft>, faults: &mut Faults) -> Option<Vec<(Ring, Option<Duration>)>> {
    let names: Vec<_> = drafts.iter().map(|(draft, _)| draft.name().clone()).collect();
    check_names(&names, faults);
    Some(drafts.into_iter().map(|(draft, watch)| (draft.ring(), watch)).collect())
}
