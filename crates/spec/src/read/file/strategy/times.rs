//! The times that kinds have, each kind with its own defaults.

use std::time::Duration;

use crate::read::shape::{Fields, Scalar, field};
use crate::read::values::{duration, multiple};
use crate::{Strategy, StrategyKind};

/// The shortest time in which anything can be seen.
const SHORTEST_WATCH: Duration = Duration::from_millis(100);

/// How long a watch takes.
pub(super) fn watch() -> Scalar<Duration> {
    duration(SHORTEST_WATCH)
}

/// The times of a kind.
pub(super) struct Timed {
    pub watch: Duration,
    soak: Duration,
    early_promotion: Option<u32>,
}

impl Timed {
    /// Asks for them; `watch` and `soak` are the kind's defaults.
    pub fn ask(fields: &mut Fields<'_>, watch: &'static str, soak: &'static str) -> Option<Self> {
        let watch = fields.or(
            field("watch", "How long each stage takes traffic and is judged before the next."),
            &self::watch(),
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
        let early_promotion = early_promotion(fields);
        Some(Self { watch: watch?, soak: soak?, early_promotion: early_promotion? })
    }

    /// The strategy, unless there was a fault in its kind.
    pub fn with(self, kind: Option<StrategyKind>) -> Option<Strategy> {
        let Self { watch, soak, early_promotion } = self;
        Some(Strategy { early_promotion, ..Strategy::new(kind?, watch, soak) })
    }
}

fn early_promotion(fields: &mut Fields<'_>) -> Option<Option<u32>> {
    fields.or(
        field(
            "early_promotion",
            "A watch ends early once it is certain that the new version does not fail so many times as often as the stable one.",
        ),
        &multiple().or_off(),
        "off",
    )
}
