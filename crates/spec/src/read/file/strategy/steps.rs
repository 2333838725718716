//! `steps`: stages that the team lists itself.

use std::time::Duration;

use super::condition::{RingDraft, ring};
use super::shadow::copied;
use super::stages::{check_names, check_rising};
use super::times::{Timed, watch};
use crate::read::fault::Faults;
use crate::read::node::Spanned;
use crate::read::shape::{Checked, Fields, ListOf, Object, Placed, Scalar, Shape, field};
use crate::read::values::share;
use crate::{Copies, Stage, Strategy, StrategyKind};

pub(super) fn fields(fields: &mut Fields<'_>) -> Option<Strategy> {
    let list = fields.required(
        field("list", "The stages, in order. The last one is a share of 100 %.")
            .example("[{ share: 5%, watch: 10m }, { hold: true }, { share: 100% }]"),
        &Checked { shape: list(), check: check_list },
    );
    let timed = Timed::ask(fields, "5m", "15m")?;
    let usual = timed.watch;
    let stages = list.map(|list| list.into_iter().map(|draft| draft.stage(usual)).collect());
    timed.with(stages.map(|stages| StrategyKind::Steps { stages }))
}

/// What a stage does.
enum What {
    Share(Spanned<u32>),
    Cohort(RingDraft),
    Mirror(u32),
    Hold,
    Smoke,
}

/// A stage with its own watch, if it has one.
struct Draft {
    what: What,
    watch: Option<Spanned<Duration>>,
}

impl Draft {
    fn stage(self, usual: Duration) -> Stage {
        let watch = self.watch.map_or(usual, |watch| watch.value);
        match self.what {
            What::Share(share) => Stage::Share { share: share.value, watch },
            What::Cohort(draft) => Stage::Cohort { cohort: draft.ring(), watch },
            What::Mirror(share) => {
                let copies = Copies { share, writes: false, bodies: false, ignore: Vec::new() };
                Stage::Mirror { copies, watch }
            }
            What::Hold => Stage::Hold,
            What::Smoke => Stage::Smoke,
        }
    }
}

fn list() -> impl Shape<Value = Vec<Spanned<Draft>>> {
    ListOf {
        item: Placed(Object { expected: "a stage", fields: stage }),
        at_least: 1,
        expected: "a list of stages",
        example: "[{ share: 5%, watch: 10m }, { share: 100% }]",
    }
}

fn stage(fields: &mut Fields<'_>) -> Option<Draft> {
    fields.exactly_one(&["share", "cohort", "mirror", "hold", "smoke"]);
    let what = [
        fields
            .optional(
                field("share", "So many of the clients go to the new version.").example("5%"),
                &Placed(share()),
            )
            .map(What::Share),
        fields
            .optional(
                field("cohort", "These clients go to the new version too, from now on.")
                    .example("{ name: internal, header: { name: X-Staff } }"),
                &Object { expected: "a cohort", fields: ring },
            )
            .map(What::Cohort),
        fields
            .optional(
                field(
                    "mirror",
                    "The new version gets copies of so many requests that only read, in this stage alone.",
                )
                .example("20%"),
                &copied(),
            )
            .map(What::Mirror),
        fields
            .optional(
                field("hold", "Waits until a person says `pilotage promote`."),
                &Checked {
                    shape: Placed(Scalar::truth()),
                    check: |truth, faults| written(truth, "hold", faults),
                },
            )
            .map(|()| What::Hold),
        fields
            .optional(
                field("smoke", "Runs the service's smoke suite against the new version."),
                &Checked {
                    shape: Placed(Scalar::truth()),
                    check: |truth, faults| written(truth, "smoke", faults),
                },
            )
            .map(|()| What::Smoke),
    ];
    let watch = fields.optional(
        field("watch", "How long the stage is judged before the next, if not as long as usual.")
            .example("10m"),
        &Placed(watch()),
    );
    let what = what.into_iter().flatten().next()?;
    if let (What::Hold | What::Smoke, Some(watch), Some(faults)) = (&what, &watch, fields.faults()) {
        faults
            .error(&watch.span, "a stage without traffic of its own has no watch")
            .help("leave `watch` out; the judge looks all the while");
    }
    Some(Draft { what, watch })
}

/// A stage that is either there or left out.
fn written(truth: Spanned<bool>, key: &str, faults: &mut Faults) -> Option<()> {
    if !truth.value {
        faults
            .error(&truth.span, format!("`{key}: false` is no stage"))
            .help("leave the stage out, or write `true`");
        return None;
    }
    Some(())
}

fn check_list(list: Vec<Spanned<Draft>>, faults: &mut Faults) -> Option<Vec<Draft>> {
    let errors = faults.errors();
    let share = |draft: &Spanned<Draft>| match &draft.value.what {
        What::Share(share) => Some(share.clone()),
        _ => None,
    };
    let name = |draft: &Spanned<Draft>| match &draft.value.what {
        What::Cohort(ring) => Some(ring.name().clone()),
        _ => None,
    };
    let shares: Vec<Spanned<u32>> = list.iter().filter_map(share).collect();
    check_names(&list.iter().filter_map(name).collect::<Vec<_>>(), faults);
    match list.last().filter(|last| share(last).is_none()) {
        Some(last) => {
            faults
                .error(&last.span, "the last stage must be a share of 100 %")
                .label("some clients would never get the new version")
                .help("add `{ share: 100% }` at the end");
        }
        None => drop(check_rising(&shares, faults)),
    }
    (faults.errors() == errors).then(|| list.into_iter().map(|draft| draft.value).collect())
}
