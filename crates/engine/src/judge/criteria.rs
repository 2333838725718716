//! All criteria together: from what was measured to a verdict.

use pilotage_spec::{RollBackWhen, Trigger, Version};

use super::thresholds::{alerts, probe_failures, usage};
use super::weigh::weigh;
use super::{Finding, Judgement, Reading, Verdict, errors, latency, metric, shadow, trial};
use crate::Plan;

/// A finding's outcome with its words.
pub(super) type Seen = (Verdict, String);

/// What is judged.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// What takes the candidate back.
    pub when: &'a RollBackWhen,
    /// The new version.
    pub candidate: &'a Version,
    /// The version that it is compared with.
    pub stable: Option<&'a Version>,
}

impl<'a> Case<'a> {
    /// The case of a plan.
    pub fn of(plan: &'a Plan) -> Self {
        Self { when: plan.roll_back_when(), candidate: plan.candidate(), stable: plan.reference() }
    }
}

/// Judges what was measured. A criterion that has nothing to go by is inconclusive, never a pass and never a failure.
pub fn judge(case: &Case<'_>, reading: &Reading) -> Judgement {
    let when = case.when;
    let instances = &reading.instances;
    let checks: [(Trigger, Option<Seen>); 9] = [
        (Trigger::ErrorRate, when.error_rate.map(|limit| errors::error_rate(limit, case, reading))),
        (
            Trigger::ErrorsVsStable,
            when.errors_vs_stable.map(|limit| errors::errors_vs_stable(limit, case, reading)),
        ),
        (Trigger::P99VsStable, when.p99_vs_stable.map(|limit| latency::latency(990, limit, case, reading))),
        (Trigger::P95VsStable, when.p95_vs_stable.map(|limit| latency::latency(950, limit, case, reading))),
        (Trigger::ProbeFailures, when.probe_failures.map(|limit| probe_failures(limit, instances))),
        (
            Trigger::Cpu,
            when.cpu.map(|limit| usage(limit, "processor", instances, |instance| instance.cpu_share)),
        ),
        (
            Trigger::Memory,
            when.memory.map(|limit| usage(limit, "memory", instances, |instance| instance.memory_share)),
        ),
        (Trigger::Alerts, when.critical_alerts.then(|| alerts(&reading.alerts)).flatten()),
        (Trigger::Kayenta, when.kayenta.as_ref().map(|_| super::scores::kayenta(reading))),
    ];
    let finding = |(trigger, seen): (Trigger, Option<Seen>)| {
        let (verdict, words) = seen?;
        let dry_run = when.dry_run.contains(&trigger);
        Some(Finding { trigger: trigger.name().to_owned(), verdict, words, dry_run, weight: None })
    };
    let mut findings: Vec<Finding> = checks.into_iter().filter_map(finding).collect();
    findings.extend(shadow::findings(case, reading));
    findings.extend(trial::finding(case, reading));
    findings.extend(when.metrics.iter().map(|metric| metric::finding(metric, reading)));
    weigh(findings, &when.score)
}
