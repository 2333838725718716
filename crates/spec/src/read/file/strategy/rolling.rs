//! `rolling`: a few instances at a time.

use super::times::Timed;
use crate::read::node::Span;
use crate::read::shape::{Fields, Placed, field};
use crate::read::values::rolling_unit;
use crate::{RollingUnit, Strategy, StrategyKind};

pub(super) fn fields(fields: &mut Fields<'_>) -> Option<Strategy> {
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
    Timed::ask(fields, "30s", "15m")?.with(kind)
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
