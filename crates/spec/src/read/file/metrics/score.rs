//! How metrics that are not critical are drawn together.

use std::collections::BTreeMap;

use super::metric::shown_name;
use crate::quote::{alternatives, quoted};
use crate::read::fault::Faults;
use crate::read::node::Spanned;
use crate::read::shape::{Fields, MapOf, Object, Placed, field};
use crate::read::values::{share, weight};
use crate::suggest::nearest;
use crate::{Metric, Score};

/// The shape of `score`.
pub(in crate::read::file) const fn score() -> Object<ScoreDraft> {
    Object { expected: "`score`", fields }
}

/// A score whose groups have not been looked up yet.
pub(in crate::read::file) struct ScoreDraft {
    pass: u32,
    marginal: u32,
    groups: Vec<(Spanned<String>, u32)>,
}

impl ScoreDraft {
    /// The score, after a fault has been noted for every group that no metric is in.
    pub(in crate::read::file) fn checked(self, metrics: &[Metric], faults: Option<&mut Faults>) -> Score {
        if let Some(faults) = faults {
            self.groups.iter().for_each(|(name, _)| check_group(name, metrics, faults));
        }
        let groups: BTreeMap<String, u32> =
            self.groups.into_iter().map(|(name, weight)| (name.value, weight)).collect();
        Score { pass: self.pass, marginal: self.marginal, groups }
    }
}

fn fields(fields: &mut Fields<'_>) -> Option<ScoreDraft> {
    let pass = fields.or(
        field("pass", "The share of good metrics from which on they pass together."),
        &share(),
        "95%",
    );
    let marginal = fields.or(
        field("marginal", "The share below which they fail together. Between the two they prove nothing."),
        &Placed(share()),
        "75%",
    );
    if let (Some(pass), Some(marginal)) = (pass, &marginal)
        && marginal.value > pass
        && let Some(faults) = fields.faults()
    {
        faults
            .error(&marginal.span, "`marginal` must not be above `pass`")
            .help("below `marginal` the release fails, from `pass` on it passes");
    }
    let groups = fields.optional(
        field("groups", "How much each group of metrics counts, by its name. Default: 1 each."),
        &MapOf {
            key: shown_name("the name of a group"),
            value: weight(),
            at_least: 0,
            expected: "a mapping of weights by group",
        },
    );
    let groups = groups.unwrap_or_default().into_iter();
    let groups = groups.filter_map(|(name, weight)| Some((name, weight?))).collect();
    Some(ScoreDraft { pass: pass?, marginal: marginal?.value, groups })
}

fn check_group(name: &Spanned<String>, metrics: &[Metric], faults: &mut Faults) {
    let mut known: Vec<&str> = metrics.iter().filter_map(|metric| metric.group.as_deref()).collect();
    known.sort_unstable();
    known.dedup();
    if known.contains(&name.value.as_str()) {
        return;
    }
    let help = match nearest(&name.value, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None if known.is_empty() => "give metrics a `group`, or leave this out".to_owned(),
        None => format!("the groups of the metrics are {}", alternatives(known.into_iter())),
    };
    faults.error(&name.span, format!("no metric is in the group {}", quoted(&name.value))).help(help);
}
