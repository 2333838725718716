//! `canary`: a growing share of the clients.

use super::times::Timed;
use crate::read::fault::Faults;
use crate::read::node::Spanned;
use crate::read::shape::{Checked, Fields, ListOf, Placed, Scalar, Shape, field};
use crate::read::values::share;
use crate::{Baseline, Strategy, StrategyKind};

use super::stages::check_rising;

pub(super) fn fields(fields: &mut Fields<'_>) -> Option<Strategy> {
    let steps = fields.or(
        field("steps", "The shares of the clients, in percent, rising to 100."),
        &Checked { shape: steps(), check: check_steps },
        "[1, 5, 25, 50, 100]",
    );
    let baseline = fields.or(
        field(
            "baseline",
            "What the new version is compared with: the `stable` version as it runs, or a `fresh` copy of it that is started \
             together with the new one and gets as much traffic.",
        ),
        &Scalar::word("a baseline", &[("stable", Baseline::Stable), ("fresh", Baseline::Fresh)]),
        "stable",
    );
    let strategy =
        Timed::ask(fields, "5m", "15m")?.with(steps.map(|steps| StrategyKind::Canary { steps }))?;
    Some(Strategy { baseline: baseline?, ..strategy })
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
    check_rising(&steps, faults).then(|| steps.into_iter().map(|step| step.value).collect())
}
