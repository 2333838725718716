//! `ab`: both versions side by side, and which of them is better at a goal.

use std::time::Duration;

use super::condition::one_place;
use super::stages::ALL;
use super::times::watch;
use crate::quote::quoted;
use crate::read::fault::Faults;
use crate::read::file::metrics::query;
use crate::read::node::Spanned;
use crate::read::shape::{Checked, Either, Fields, Object, Placed, Scalar, Shape, field};
use crate::read::values::{duration, share};
use crate::{AbTrial, Arm, Goal, GoalQueries, Strategy, StrategyKind, variables};

/// As with blue-green, whose switch this one's is like.
const WATCH: Duration = Duration::from_secs(5 * 60);
const SOAK: Duration = Duration::from_secs(15 * 60);
/// More false winners than this are no evidence any more.
const MOST_ALPHA: u32 = 2_000;
/// A version that does half as well as another one always matters.
const MOST_INDIFFERENCE: u32 = 5_000;

pub(super) fn fields(fields: &mut Fields<'_>) -> Option<Strategy> {
    let arm = fields.required(
        field("arm", "Who gets the new version, which is B; all others get the stable one, A.")
            .example("{ share: 50% }"),
        &Object { expected: "an arm", fields: arm },
    );
    let lasts = fields.or(
        field("for", "How long it takes at most; it ends early once there is a winner or no difference."),
        &watch(),
        "7d",
    );
    let goal = fields.or(
        field(
            "goal",
            "What is compared: `errors` (requests that fail at the edge; fewer are better), or `successes` among `units` (more are \
             better).",
        ),
        &goal(),
        "errors",
    );
    let alpha = fields.or(
        field("alpha", "How often a winner may be named though there is none."),
        &part::<MOST_ALPHA>(),
        "5%",
    );
    let indifference = fields.or(
        field("indifference", "Differences up to this are none that matter."),
        &part::<MOST_INDIFFERENCE>(),
        "2%",
    );
    let promotes = fields.or(
        field(
            "promote",
            "Whether the new version gets everything if it wins (`winner`), or goes in any case (`never`).",
        ),
        &Scalar::word("a promotion", &[("winner", true), ("never", false)]),
        "never",
    );
    let (watch, soak) = times(fields, promotes);
    let trial = AbTrial {
        arm: arm?,
        lasts: lasts?,
        goal: goal?,
        alpha: alpha?,
        indifference: indifference?,
        promotes: promotes?,
    };
    Some(Strategy::new(StrategyKind::Ab { trial }, watch, soak))
}

/// What comes after a trial that was won.
fn times(fields: &mut Fields<'_>, promotes: Option<bool>) -> (Duration, Duration) {
    let watch = fields.optional(
        field(
            "watch",
            "How long a winner is judged with all the traffic, with `promote: winner`. Default: `5m`.",
        )
        .example("5m"),
        &Placed(watch()),
    );
    let soak = fields.optional(
        field(
            "soak",
            "How long the old version stays warm after that, while the new one is still judged. Default: `15m`.",
        )
        .example("15m"),
        &Placed(duration(Duration::ZERO)),
    );
    if promotes == Some(false)
        && let Some(faults) = fields.faults()
    {
        for (key, written) in [("watch", &watch), ("soak", &soak)] {
            let Some(written) = written else { continue };
            faults
                .error(&written.span, format!("`{key}` means nothing where nothing is promoted"))
                .help(format!("write `promote: winner`, or leave `{key}` out"));
        }
    }
    (watch.map_or(WATCH, |watch| watch.value), soak.map_or(SOAK, |soak| soak.value))
}

fn arm(fields: &mut Fields<'_>) -> Option<Arm> {
    fields.exactly_one(&["share", "header", "cookie", "query"]);
    let share = fields.optional(
        field("share", "So many of the clients, drawn by chance.").example("50%"),
        &Checked { shape: Placed(share()), check: check_share },
    );
    let cohort = one_place(fields);
    share.map(Arm::Share).or(cohort.map(Arm::Cohort))
}

fn check_share(share: Spanned<u32>, faults: &mut Faults) -> Option<u32> {
    if (1..ALL).contains(&share.value) {
        return Some(share.value);
    }
    faults
        .error(&share.span, "one of the arms would be empty")
        .label("must be more than 0 % and less than 100 %")
        .help("write `share: 50%`: equal arms are told apart soonest");
    None
}

/// A share that is more than nothing, and at most so many hundredths of a percent.
fn part<const MOST: u32>() -> impl Shape<Value = u32> {
    Checked { shape: Placed(share()), check: check_part::<MOST> }
}

fn check_part<const MOST: u32>(share: Spanned<u32>, faults: &mut Faults) -> Option<u32> {
    if (1..=MOST).contains(&share.value) {
        return Some(share.value);
    }
    faults
        .error(&share.span, format!("this must be more than 0 % and at most {} %", MOST / 100))
        .help("write a share such as `5%`");
    None
}

fn goal() -> Either<Scalar<Goal>, Object<Goal>> {
    const WORDS: &[(&str, Goal)] = &[("errors", Goal::Errors)];
    Either { short: Scalar::word("a goal", WORDS), long: Object { expected: "`goal`", fields: goal_queries } }
}

fn goal_queries(fields: &mut Fields<'_>) -> Option<Goal> {
    let successes = fields.required(
        field(
            "successes",
            "The units of `$VERSION` that succeeded: PromQL for a counter that only grows. Names are put in as in a metric's `query`.",
        )
        .example("sum(orders_total{version=\"$VERSION\"})"),
        &counter(),
    );
    let units = fields.required(
        field(
            "units",
            "All units of `$VERSION`, such as visits or sessions: PromQL for a counter that only grows.",
        )
        .example("sum(visits_total{version=\"$VERSION\"})"),
        &counter(),
    );
    Some(Goal::Successes(GoalQueries { successes: successes?, units: units? }))
}

/// Without the version in it, both arms would be asked for the same counter.
fn counter() -> impl Shape<Value = String> {
    Checked {
        shape: Placed(query()),
        check: |query: Spanned<String>, faults: &mut Faults| {
            if variables(&query.value).is_ok_and(|names| names.contains(&"VERSION")) {
                return Some(query.value);
            }
            faults
                .error(
                    &query.span,
                    format!("both arms would be asked the same: no {} in it", quoted("$VERSION")),
                )
                .help("put `$VERSION` where the counter tells versions apart");
            None
        },
    }
}
