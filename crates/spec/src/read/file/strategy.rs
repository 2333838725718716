//! A strategy.

use std::time::Duration;

use super::triggers::triggers;
use crate::read::fault::Faults;
use crate::read::node::{Span, Spanned};
use crate::read::shape::{Checked, Fields, ListOf, Object, Placed, Shape, field};
use crate::read::values::{duration, multiple, rolling_unit, share};
use crate::{RollingUnit, Strategy, StrategyKind};

/// The shape of a strategy.
pub(crate) const fn strategy() -> Object<Strategy> {
    Object { expected: "a strategy", fields }
}

/// The kind of a strategy with its times.
struct Stages {
    kind: StrategyKind,
    watch: Duration,
    soak: Duration,
    early_promotion: Option<u32>,
}

fn fields(fields: &mut Fields<'_>) -> Option<Strategy> {
    fields.exactly_one(&["canary", "rolling", "blue-green", "recreate"]);
    let canary = fields.optional(
        field("canary", "A growing share of the clients goes to the new version."),
        &Object { expected: "`canary`", fields: canary },
    );
    let rolling = fields.optional(
        field("rolling", "A few instances at a time are replaced."),
        &Object { expected: "`rolling`", fields: rolling },
    );
    let blue_green = fields.optional(
        field("blue-green", "All new instances start beside the old ones; then one switch."),
        &Object {
            expected: "`blue-green`",
            fields: |fields| stages(fields, Some(StrategyKind::BlueGreen), "5m", "15m"),
        },
    );
    let recreate = fields.optional(
        field(
            "recreate",
            "The old instances are stopped, then the new ones started; requests wait meanwhile.",
        ),
        &Object {
            expected: "`recreate`",
            fields: |fields| stages(fields, Some(StrategyKind::Recreate), "30s", "0s"),
        },
    );
    let roll_back_when = fields.or(
        field("roll_back_when", "What takes a release back. `off` switches a trigger off."),
        &triggers(),
        "{}",
    );
    let Stages { kind, watch, soak, early_promotion } = canary.or(rolling).or(blue_green).or(recreate)?;
    Some(Strategy { kind, watch, soak, roll_back_when: roll_back_when?, early_promotion })
}

fn canary(fields: &mut Fields<'_>) -> Option<Stages> {
    let steps = fields.or(
        field("steps", "The shares of the clients, in percent, rising to 100."),
        &Checked { shape: steps(), check: check_steps },
        "[1, 5, 25, 50, 100]",
    );
    stages(fields, steps.map(|steps| StrategyKind::Canary { steps }), "5m", "15m")
}

fn rolling(fields: &mut Fields<'_>) -> Option<Stages> {
    let max_surge = fields.or(
        field("max_surge", "Instances above the wanted number while they are replaced: `1` or `25%`."),
        &Placed(rolling_unit()),
        "1",
    );
    let max_unavailable = fields.or(
        field("max_unavailable", "Instances below the wanted number while they are replaced: `0` or `25%`."),
        &rolling_unit(),
        "0",
    );
    let kind = max_surge.zip(max_unavailable).map(|(max_surge, max_unavailable)| {
        if is_zero(max_surge.value) && is_zero(max_unavailable) {
            report_no_progress(fields, &max_surge.span);
        }
        StrategyKind::Rolling { max_surge: max_surge.value, max_unavailable }
    });
    stages(fields, kind, "30s", "15m")
}

fn report_no_progress(fields: &mut Fields<'_>, span: &Span) {
    let Some(faults) = fields.faults() else { return };
    faults
        .error(span, "`max_surge` and `max_unavailable` must not both be zero")
        .label("no instance could ever be replaced")
        .help("write `max_surge: 1`");
}

fn is_zero(unit: RollingUnit) -> bool {
    matches!(unit, RollingUnit::Count(0) | RollingUnit::Percent(0))
}

/// The times that every kind has, each kind with its own defaults.
fn stages(
    fields: &mut Fields<'_>,
    kind: Option<StrategyKind>,
    watch: &'static str,
    soak: &'static str,
) -> Option<Stages> {
    /// The shortest time in which anything can be seen.
    const SHORTEST_WATCH: Duration = Duration::from_millis(100);
    let watch = fields.or(
        field("watch", "How long each stage takes traffic and is judged before the next."),
        &duration(SHORTEST_WATCH),
        watch,
    );
    let soak = fields.or(
        field(
            "soak",
            "How long the old version stays warm after the last stage, while the new one is still judged.",
        ),
        &duration(Duration::ZERO),
        soak,
    );
    let early_promotion = fields.or(
        field(
            "early_promotion",
            "A watch ends early once it is certain that the new version does not fail so many times as often as the stable one.",
        ),
        &multiple().or_off(),
        "off",
    );
    Some(Stages { kind: kind?, watch: watch?, soak: soak?, early_promotion: early_promotion? })
}

fn steps() -> impl Shape<Value = Vec<Spanned<u32>>> {
    ListOf {
        item: Placed(share()),
        at_least: 1,
        expected: "a list of rising percentages",
        example: "[1, 5, 25, 50, 100]",
    }
}

fn check_steps(steps: Vec<Spanned<u32>>, faults: &mut Faults) -> Option<Vec<u32>> {
    const ALL: u32 = 10_000;
    let errors = faults.errors();
    if let Some(zero) = steps.iter().find(|step| step.value == 0) {
        faults
            .error(&zero.span, "a step must be more than 0 %")
            .help("leave it out, or write a small share such as `0.1`");
    }
    for pair in steps.windows(2) {
        if pair[1].value <= pair[0].value {
            faults
                .error(&pair[1].span, "the steps must rise")
                .label("not more than the step before")
                .related(&pair[0].span, "the step before")
                .help("write each share once, the smallest first");
        }
    }
    if let Some(last) = steps.last().filter(|last| last.value != ALL) {
        faults
            .error(&last.span, "the last step must be 100")
            .label("some clients would never get the new version")
            .help("add `100` at the end");
    }
    (faults.errors() == errors).then(|| steps.into_iter().map(|step| step.value).collect())
}
