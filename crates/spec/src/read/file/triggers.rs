//! What takes a release back.

use std::time::Duration;

use serde_json::json;

use crate::quote::quoted;
use crate::read::fault::Faults;
use crate::read::node::Spanned;
use crate::read::shape::{Checked, Fields, ListOf, Misread, Object, Placed, Scalar, Shape, field};
use crate::read::values::{TEXT, duration, limit, multiple, number, share};
use crate::template::variables;
use crate::{Kayenta, Metric, MetricLimit, RollBackWhen, Trigger};

/// The shape of `roll_back_when`.
pub(super) const fn triggers() -> Object<RollBackWhen> {
    Object { expected: "`roll_back_when`", fields }
}

fn fields(fields: &mut Fields<'_>) -> Option<RollBackWhen> {
    let error_rate = fields.or(
        field("error_rate", "Too large a share of the new version's requests fail."),
        &limit().or_off(),
        "5%",
    );
    let errors_vs_stable = fields.or(
        field("errors_vs_stable", "The new version's error rate, as a multiple of the stable version's."),
        &multiple().or_off(),
        "2x",
    );
    let p99_vs_stable = fields.or(
        field(
            "p99_vs_stable",
            "The new version's 99th percentile of latency, as a multiple of the stable version's.",
        ),
        &multiple().or_off(),
        "1.5x",
    );
    let p95_vs_stable = fields.or(
        field(
            "p95_vs_stable",
            "The new version's 95th percentile of latency, as a multiple of the stable version's.",
        ),
        &multiple().or_off(),
        "1.5x",
    );
    let probe_failures = fields.or(
        field("probe_failures", "So many probes of one instance fail in a row."),
        &Scalar::whole("a number of probes", 1, 100).or_off(),
        "3",
    );
    let cpu = fields.or(
        field("cpu", "A new instance uses more than this share of its processor limit."),
        &limit().or_off(),
        "90%",
    );
    let memory = fields.or(
        field("memory", "A new instance uses more than this share of its memory limit."),
        &limit().or_off(),
        "90%",
    );
    let alerts = fields.or(
        field("alerts", "Whether a critical alert in Prometheus counts, where the environment has one."),
        &alerts(),
        "critical",
    );
    let min_requests = fields.or(
        field(
            "min_requests",
            "Fewer requests than this to the new version prove nothing about errors or latency.",
        ),
        &Scalar::whole("a number of requests", 1, 1_000_000_000),
        "50",
    );
    let metrics = fields.or(
        field("metrics", "Prometheus queries of your own, each with a limit."),
        &Checked { shape: metrics(), check: check_metrics },
        "[]",
    );
    let alpha = fields.or(
        field(
            "alpha",
            "How often a release that is no worse than allowed may be taken back; shared among the tests of errors and latency.",
        ),
        &alpha(),
        "1%",
    );
    let dry_run = fields.or(
        field("dry_run", "Triggers that only report, and take nothing back.").example("[cpu, p99_vs_stable]"),
        &ListOf {
            item: Scalar::word("a trigger", &Trigger::WORDS),
            at_least: 0,
            expected: "a list of triggers",
            example: "[cpu]",
        },
        "[]",
    );
    let kayenta = fields.optional(
        field(
            "kayenta",
            "Kayenta's judge beside the others, for teams that move over: its score of the share of failed requests and of the latency.",
        ),
        &Object { expected: "`kayenta`", fields: kayenta },
    );
    Some(RollBackWhen {
        alpha: alpha?,
        dry_run: dry_run?,
        kayenta,
        error_rate: error_rate?,
        errors_vs_stable: errors_vs_stable?,
        p99_vs_stable: p99_vs_stable?,
        p95_vs_stable: p95_vs_stable?,
        probe_failures: probe_failures?.and_then(|failures| failures.try_into().ok()),
        cpu: cpu?,
        memory: memory?,
        critical_alerts: alerts?,
        metrics: metrics?,
        min_requests: min_requests?,
    })
}

/// A tenth of false alarms is no evidence any more, and none at all cannot be had.
fn alpha() -> Checked<Placed<Scalar<u32>>, u32> {
    Checked {
        shape: Placed(share()),
        check: |alpha, faults| {
            if (1..=1_000).contains(&alpha.value) {
                return Some(alpha.value);
            }
            faults
                .error(&alpha.span, "`alpha` must be from 0.01 % to 10 %")
                .label("how often a good release may be taken back")
                .help("write `alpha: 1%`");
            None
        },
    }
}

fn kayenta(fields: &mut Fields<'_>) -> Option<Kayenta> {
    /// Five points on either side are the least that is judged at all.
    const SHORTEST: Duration = Duration::from_secs(1);
    let pass = fields.or(
        field("pass", "A score of this or more passes."),
        &Placed(Scalar::whole("a score", 0, 100)),
        "95",
    );
    let marginal = fields.or(
        field("marginal", "A score below this takes the release back; between the two nothing is known."),
        &Scalar::whole("a score", 0, 100),
        "75",
    );
    let every = fields.or(field("every", "The time between two points."), &duration(SHORTEST), "1m");
    let (pass, marginal) = (pass?, marginal?);
    if marginal > pass.value {
        if let Some(faults) = fields.faults() {
            faults
                .error(&pass.span, "`pass` must not be below `marginal`")
                .help("write, for example, `{ pass: 95, marginal: 75 }`");
        }
        return None;
    }
    Some(Kayenta { pass: pass.value.try_into().ok()?, marginal: marginal.try_into().ok()?, every: every? })
}

fn alerts() -> Scalar<bool> {
    let words = Scalar::word("a kind of alert", &[("critical", true), ("none", false)]);
    words.or_off().map(|critical| critical.unwrap_or(false))
}

fn metrics() -> impl Shape<Value = Vec<Spanned<Metric>>> {
    ListOf {
        item: Placed(Object { expected: "a metric", fields: metric }),
        at_least: 0,
        expected: "a list of metrics",
        example: "[{ name: queue, query: \"sum(queue_length)\", above: 1000 }]",
    }
}

fn metric(fields: &mut Fields<'_>) -> Option<Metric> {
    fields.exactly_one(&["above", "below"]);
    let name = fields.required(
        field("name", "What the metric is called in messages.").example("queue length"),
        &metric_name(),
    );
    let query = fields.required(
        field(
            "query",
            "The PromQL that yields one number. `$SERVICE`, `$ENVIRONMENT` and `$VERSION` (the new version) are substituted; \
             `$$` is a dollar.",
        )
        .example("sum(queue_length{version=\"$VERSION\"})"),
        &metric_query(),
    );
    let above = fields.optional(field("above", "The release is taken back above this number."), &number());
    let below = fields.optional(field("below", "The release is taken back below this number."), &number());
    let limit = above.map(MetricLimit::Above).or(below.map(MetricLimit::Below));
    Some(Metric { name: name?, query: query?, limit: limit? })
}

fn metric_name() -> Scalar<String> {
    let schema = json!({ "type": TEXT, "minLength": 1, "maxLength": 64 });
    Scalar::new("a name for messages", schema, |written| {
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

fn metric_query() -> Scalar<String> {
    const KNOWN: [&str; 3] = ["SERVICE", "ENVIRONMENT", "VERSION"];
    let schema = json!({ "type": TEXT, "minLength": 1 });
    Scalar::new("a PromQL query", schema, |written| {
        let text = written.text.as_str();
        if text.trim().is_empty() {
            return Err(Misread::new("the query is empty", "write PromQL that yields one number"));
        }
        let names = variables(text).map_err(Misread::plain)?;
        match names.iter().find(|name| !KNOWN.contains(name)) {
            Some(name) => Err(Misread::new(
                format!("`${name}` is not known in a query"),
                "use `$SERVICE`, `$ENVIRONMENT` or `$VERSION`; write `$$` for a literal dollar",
            )),
            None => Ok(text.to_owned()),
        }
    })
}

fn check_metrics(metrics: Vec<Spanned<Metric>>, faults: &mut Faults) -> Option<Vec<Metric>> {
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
