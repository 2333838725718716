//! A strategy: exactly one kind, a file each, and when to roll back.

mod ab;
mod blue_green;
mod canary;
mod cohorts;
mod condition;
mod rolling;
mod shadow;
mod stages;
mod steps;
mod times;

use self::times::Timed;
use super::triggers::triggers;
use crate::read::shape::{Fields, Object, field};
use crate::{Strategy, StrategyKind};

/// The shape of a strategy.
pub(crate) const fn strategy() -> Object<Strategy> {
    Object { expected: "a strategy", fields }
}

fn fields(fields: &mut Fields<'_>) -> Option<Strategy> {
    fields.exactly_one(&["canary", "rolling", "blue-green", "recreate", "cohorts", "shadow", "ab", "steps"]);
    let kinds = [
        fields.optional(
            field("canary", "A growing share of the clients goes to the new version."),
            &Object { expected: "`canary`", fields: canary::fields },
        ),
        fields.optional(
            field("rolling", "A few instances at a time are replaced."),
            &Object { expected: "`rolling`", fields: rolling::fields },
        ),
        fields.optional(
            field("blue-green", "All new instances start beside the old ones; then one switch."),
            &Object { expected: "`blue-green`", fields: blue_green::fields },
        ),
        fields.optional(
            field(
                "recreate",
                "The old instances are stopped, then the new ones started; requests wait meanwhile.",
            ),
            &Object { expected: "`recreate`", fields: recreate },
        ),
        fields.optional(
            field("cohorts", "One cohort of the clients after the other goes to the new version, then everybody."),
            &Object { expected: "`cohorts`", fields: cohorts::fields },
        ),
        fields.optional(
            field(
                "shadow",
                "The new version gets copies of requests; its answers are compared and thrown away. It is never promoted.",
            ),
            &Object { expected: "`shadow`", fields: shadow::fields },
        ),
        fields.optional(
            field(
                "ab",
                "Both versions side by side, until it is known which one is better at a goal. The new one is promoted only if it \
                 wins and that was asked for.",
            ),
            &Object { expected: "`ab`", fields: ab::fields },
        ),
        fields.optional(
            field("steps", "Stages of your own."),
            &Object { expected: "`steps`", fields: steps::fields },
        ),
    ];
    let roll_back_when = fields.or(
        field("roll_back_when", "What takes a release back. `off` switches a trigger off."),
        &triggers(),
        "{}",
    );
    let strategy = kinds.into_iter().flatten().next()?;
    Some(Strategy { roll_back_when: roll_back_when?, ..strategy })
}

fn recreate(fields: &mut Fields<'_>) -> Option<Strategy> {
    Timed::ask(fields, "30s", "0s")?.with(Some(StrategyKind::Recreate))
}
