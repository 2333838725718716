//! A metric: its source, what of it is judged, and how much it counts.

use serde_json::json;

use super::source::source;
use crate::quote::quoted;
use crate::read::fault::Faults;
use crate::read::node::Spanned;
use crate::read::shape::{Checked, Fields, ListOf, Misread, Object, Placed, Scalar, Shape, field};
use crate::read::values::{TEXT, number, weight};
use crate::{Comparison, Metric, MetricLimit, MetricSource, WEIGHT_ONE, variables};

/// The shape of `metrics`.
pub(in crate::read::file) fn metrics() -> impl Shape<Value = Vec<Metric>> {
    let list = ListOf {
        item: Placed(Object { expected: "a metric", fields: metric }),
        at_least: 0,
        expected: "a list of metrics",
        example: "[{ name: queue, query: \"sum(queue_length)\", above: 1000 }]",
    };
    Checked { shape: list, check: check_names }
}

/// The shape of a name that is shown in messages: of a metric, or of a group of them.
pub(super) fn shown_name(expected: &'static str) -> Scalar<String> {
    let schema = json!({ "type": TEXT, "minLength": 1, "maxLength": 64 });
    Scalar::new(expected, schema, |written| {
        let text = written.text.as_str();
        let fits = (1..=64).contains(&text.chars().count());
        if !fits || text.chars().any(char::is_control) {
            return Err(Misread::new(
                format!("{} cannot be used as a name", quoted(text)),
                "write 1 to 64 characters on one line",
            ));
        }
        Ok(text.to_owned())
    })
}

fn metric(fields: &mut Fields<'_>) -> Option<Metric> {
    let name = fields.required(
        field("name", "What the metric is called in messages.").example("queue length"),
        &shown_name("a name for messages"),
    );
    let source = source(fields);
    let compare = fields.or(
        field(
            "compare",
            "What is judged: the number itself (`value`), or the new version's number divided by the stable version's \
             (`ratio`), or less it (`difference`).",
        ),
        &Placed(comparison()),
        "value",
    );
    if let (Some(source), Some(compare)) = (&source, &compare) {
        check_asks_for_a_version(fields, source, compare);
    }
    let limit = limit(fields, compare.as_ref().map(|compare| compare.value));
    let weighing = weighing(fields);
    let dry_run = fields.or(
        field("dry_run", "Whether the metric is only reported, and never decides anything."),
        &Scalar::truth(),
        "false",
    );
    let Weighing { critical, weight, group } = weighing?;
    Some(Metric {
        name: name?,
        source: source?,
        compare: compare?.value,
        limit: limit?,
        critical,
        weight,
        group,
        dry_run: dry_run?,
    })
}

fn comparison() -> Scalar<Comparison> {
    const WORDS: [(&str, Comparison); 3] =
        [("value", Comparison::Value), ("ratio", Comparison::Ratio), ("difference", Comparison::Difference)];
    Scalar::word("a way to compare", &WORDS)
}

/// Without the version in it, one source would be asked twice for the same number.
fn check_asks_for_a_version(fields: &mut Fields<'_>, source: &MetricSource, compare: &Spanned<Comparison>) {
    let asks = variables(source.template()).is_ok_and(|names| names.contains(&"VERSION"));
    if compare.value.is_value() || asks {
        return;
    }
    let Some(faults) = fields.faults() else { return };
    faults
        .error(&compare.span, "both versions would be asked the same: the source does not say `$VERSION`")
        .help("put `$VERSION` where the source tells versions apart, or leave `compare` out");
}

fn limit(fields: &mut Fields<'_>, compare: Option<Comparison>) -> Option<MetricLimit> {
    fields.at_least_one(&["above", "below"]);
    let above = field(
        "above",
        "Bad above this number. Together with `below`, bad outside the range between the two.",
    );
    let above = fields.optional(above, &Placed(number()));
    let below = field(
        "below",
        "Bad below this number. Together with `above`, bad outside the range between the two.",
    );
    let below = fields.optional(below, &Placed(number()));
    if let Some(faults) = fields.faults() {
        if compare == Some(Comparison::Ratio) {
            above.iter().chain(&below).for_each(|bound| check_ratio(bound, faults));
        }
        if let (Some(above), Some(below)) = (&above, &below) {
            check_range(above, below, faults);
        }
    }
    match (above.map(|above| above.value), below.map(|below| below.value)) {
        (Some(above), Some(below)) => Some(MetricLimit::Outside { below, above }),
        (Some(above), None) => Some(MetricLimit::Above(above)),
        (None, Some(below)) => Some(MetricLimit::Below(below)),
        (None, None) => None,
    }
}

fn check_ratio(bound: &Spanned<f64>, faults: &mut Faults) {
    if bound.value <= 0.0 {
        faults.error(&bound.span, "the limit of a ratio must be above 0").help(
            "1 means as much as on the stable version: write, for example, `above: 1.2` or `below: 0.8`",
        );
    }
}

fn check_range(above: &Spanned<f64>, below: &Spanned<f64>, faults: &mut Faults) {
    if above.value <= below.value {
        faults
            .error(
                &above.span,
                "`above` must be greater than `below`: together they are a range of good numbers",
            )
            .related(&below.span, "the lower end")
            .help("write the greater number at `above`, or leave one of the two out");
    }
}

/// How much a metric counts, and with which others.
struct Weighing {
    critical: bool,
    weight: u32,
    group: Option<String>,
}

fn weighing(fields: &mut Fields<'_>) -> Option<Weighing> {
    let critical = fields.or(
        field(
            "critical",
            "Whether the metric takes the release back by itself. Otherwise it counts in the `score`.",
        ),
        &Scalar::truth(),
        "true",
    );
    let weight = fields.optional(
        field("weight", "How much a metric that is not critical counts within its group. Default: 1."),
        &Placed(weight()),
    );
    let group = fields.optional(
        field(
            "group",
            "The group that a metric that is not critical counts in; those without one are a group together.",
        ),
        &Placed(shown_name("the name of a group")),
    );
    if critical == Some(true)
        && let Some(faults) = fields.faults()
    {
        let weighed = weight.iter().map(|weight| ("weight", &weight.span));
        let grouped = group.iter().map(|group| ("group", &group.span));
        for (key, span) in weighed.chain(grouped) {
            faults
                .error(span, format!("`{key}` means nothing for a critical metric, which decides by itself"))
                .help(format!("write `critical: false` so that the metric is weighed, or leave `{key}` out"));
        }
    }
    Some(Weighing {
        critical: critical?,
        weight: weight.map_or(WEIGHT_ONE, |weight| weight.value),
        group: group.map(|group| group.value),
    })
}

fn check_names(metrics: Vec<Spanned<Metric>>, faults: &mut Faults) -> Option<Vec<Metric>> {
    let mut checked: Vec<Metric> = Vec::new();
    for Spanned { value: metric, span } in metrics {
        if checked.iter().any(|other| other.name == metric.name) {
            faults
                .error(&span, format!("two metrics are called {}", quoted(&metric.name)))
                .help("give each its own name, so that messages can tell them apart");
        }
        checked.push(metric);
    }
    Some(checked)
}
