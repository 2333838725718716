//! What takes a release back.

use std::time::Duration;

use super::metrics::{metrics, score};
use crate::read::shape::{Checked, Fields, ListOf, Object, Placed, Scalar, field};
use crate::read::values::{duration, limit, multiple, share};
use crate::{Kayenta, RollBackWhen, Trigger};

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
    let shadow_status = fields.or(
        field(
            "shadow_status",
            "Too large a share of the answers to copies have another status than the user's.",
        ),
        &limit().or_off(),
        "1%",
    );
    let shadow_body = fields.or(
        field("shadow_body", "Too large a share of the answers to copies have another body than the user's."),
        &limit().or_off(),
        "1%",
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
        field("metrics", "Metrics of your own, from Prometheus or from JSON over HTTP, each with a limit."),
        &metrics(),
        "[]",
    );
    let score = fields.or(
        field("score", "How those metrics that are not critical are drawn together."),
        &score(),
        "{}",
    );
    let score = score.zip(metrics.as_ref()).map(|(score, metrics)| score.checked(metrics, fields.faults()));
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
        shadow_status: shadow_status?,
        shadow_body: shadow_body?,
        error_rate: error_rate?,
        errors_vs_stable: errors_vs_stable?,
        p99_vs_stable: p99_vs_stable?,
        p95_vs_stable: p95_vs_stable?,
        probe_failures: probe_failures?.and_then(|failures| failures.try_into().ok()),
        cpu: cpu?,
        memory: memory?,
        critical_alerts: alerts?,
        metrics: metrics?,
        score: score?,
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
