//! Thresholds that people know: one function a trigger.

use pilotage_spec::{Metric, MetricLimit, RollBackWhen};

use crate::evidence::{ErrorTest, Standing};

use super::{Counted, Finding, InstanceReading, Judgement, Known, Reading, Verdict};

/// A finding's outcome with its words.
type Seen = (Verdict, String);

/// Judges what was measured. A trigger that has nothing to go by is inconclusive, never a pass and never a failure.
pub fn judge(when: &RollBackWhen, reading: &Reading) -> Judgement {
    let enough = when.min_requests;
    let Reading { candidate, instances, .. } = reading;
    let (reference, since) = reference(reading, enough);
    let latency = |limit: u32, name: &str, of: fn(&Counted) -> Option<u64>| {
        latency(limit, name, candidate, of(candidate), reference.and_then(of), enough)
    };
    let checks: [(&str, Option<Seen>); 8] = [
        ("error_rate", when.error_rate.map(|limit| error_rate(limit, candidate, enough))),
        (
            "errors_vs_stable",
            when.errors_vs_stable.map(|limit| match by_evidence(limit, reading, enough) {
                Some(seen) => seen,
                None => errors_vs_stable(limit, candidate, reference, since, enough),
            }),
        ),
        (
            "p99_vs_stable",
            when.p99_vs_stable.map(|limit| latency(limit, "p99", |counted| counted.p99_micros)),
        ),
        (
            "p95_vs_stable",
            when.p95_vs_stable.map(|limit| latency(limit, "p95", |counted| counted.p95_micros)),
        ),
        ("probe_failures", when.probe_failures.map(|limit| probe_failures(limit, instances))),
        ("cpu", when.cpu.map(|limit| usage(limit, "processor", instances, |instance| instance.cpu_share))),
        (
            "memory",
            when.memory.map(|limit| usage(limit, "memory", instances, |instance| instance.memory_share)),
        ),
        ("alerts", when.critical_alerts.then(|| alerts(&reading.alerts)).flatten()),
    ];
    let mut findings: Vec<Finding> = checks
        .into_iter()
        .filter_map(|(trigger, seen)| {
            seen.map(|(verdict, words)| Finding { trigger: trigger.to_owned(), verdict, words })
        })
        .collect();
    findings.extend(when.metrics.iter().map(|limit| metric(limit, reading)));
    Judgement::of(findings)
}

/// The stable version at the same time; where that has too little traffic, the stable version earlier on.
fn reference(reading: &Reading, enough: u64) -> (Option<&Counted>, &'static str) {
    if reading.stable.requests >= enough {
        (Some(&reading.stable), "at the same time")
    } else if reading.before.requests >= enough {
        (Some(&reading.before), "before the switch")
    } else {
        (None, "")
    }
}

fn too_few(candidate: &Counted, enough: u64) -> Option<Seen> {
    (candidate.requests < enough).then(|| {
        let words = format!("only {} requests so far; {enough} are needed to judge", candidate.requests);
        (Verdict::Inconclusive, words)
    })
}

fn error_rate(limit: u32, candidate: &Counted, enough: u64) -> Seen {
    if let Some(seen) = too_few(candidate, enough) {
        return seen;
    }
    let words = format!(
        "{} of {} requests failed ({}); the limit is {}",
        candidate.failed,
        candidate.requests,
        share(candidate),
        percent(f64::from(limit) / 10_000.0)
    );
    let exceeded = u128::from(candidate.failed) * 10_000 > u128::from(limit) * u128::from(candidate.requests);
    (if exceeded { Verdict::Fail } else { Verdict::Pass }, words)
}

/// How many standard deviations above the allowed ratio count as evidence rather than luck.
const DEVIATIONS: f64 = 3.0;

/// Whether the candidate's failures exceed `limit` times the stable version's rate by more than luck explains.
///
/// Under that ratio each failure is the candidate's with a known probability, its weighted share of the requests; their
/// number is then binomial, and is compared with its mean plus three standard deviations. No baseline rate is needed.
#[expect(clippy::cast_precision_loss, reason = "counts of requests are far below 2^52")]
fn exceeds_ratio(limit: u32, candidate: &Counted, stable: &Counted) -> bool {
    let failures = candidate.failed as f64 + stable.failed as f64;
    let weighted = candidate.requests as f64 * f64::from(limit) / 1_000.0;
    let share = weighted / (weighted + stable.requests as f64);
    let luck = DEVIATIONS * (failures * share * (1.0 - share)).sqrt();
    candidate.failed as f64 > (failures * share + luck).max(3.0)
}

/// What the failures of both versions at the same time say; `None` where only earlier ones can be compared with. Evidence of a
/// worse candidate needs no smallest number of requests.
fn by_evidence(limit: u32, reading: &Reading, enough: u64) -> Option<Seen> {
    let test = reading.evidence.as_deref().filter(|test| test.compared().compares())?;
    let compared = test.compared();
    let counts = format!(
        "{} of {} requests failed ({}), {} of {} on the stable version at the same time ({})",
        compared.candidate_failed,
        compared.candidate_requests,
        percent(share_of(compared.candidate_failed, compared.candidate_requests)),
        compared.stable_failed,
        compared.stable_requests,
        percent(share_of(compared.stable_failed, compared.stable_requests)),
    );
    let e_value = e_value(test);
    if test.standing() == Standing::Worse {
        let words = format!("{counts}: over {} that rate beyond doubt (e = {e_value})", times(limit));
        return Some((Verdict::Fail, words));
    }
    let compares_now = reading.stable.requests >= enough;
    compares_now.then(|| {
        too_few(&reading.candidate, enough).unwrap_or_else(|| {
            let words = format!("{counts}: no evidence of over {} that rate (e = {e_value})", times(limit));
            (Verdict::Pass, words)
        })
    })
}

/// `3·10⁹` and the like; below a thousand as it is.
fn e_value(test: &ErrorTest) -> String {
    let power = test.log_e() / std::f64::consts::LN_10;
    if power < 3.0 {
        return format!("{:.1}", test.e_value());
    }
    let digits = format!("{:.0}", power.floor());
    let raised = digits.chars().filter_map(|digit| "⁰¹²³⁴⁵⁶⁷⁸⁹".chars().nth(digit.to_digit(10)? as usize));
    format!("{:.0}·10{}", 10_f64.powf(power.fract()).floor(), raised.collect::<String>())
}

fn errors_vs_stable(
    limit: u32,
    candidate: &Counted,
    stable: Option<&Counted>,
    since: &str,
    enough: u64,
) -> Seen {
    if let Some(seen) = too_few(candidate, enough) {
        return seen;
    }
    let Some(stable) = stable else {
        return (
            Verdict::Inconclusive,
            "the stable version has too little traffic to compare with".to_owned(),
        );
    };
    let words = format!(
        "{} of {} requests failed ({}) against {} of {} ({}) on the stable version {since}; the limit is {}",
        candidate.failed,
        candidate.requests,
        share(candidate),
        stable.failed,
        stable.requests,
        share(stable),
        times(limit)
    );
    (if exceeds_ratio(limit, candidate, stable) { Verdict::Fail } else { Verdict::Pass }, words)
}

/// Differences below this are noise of the machine, not of the release.
const LATENCY_FLOOR_MICROS: u64 = 5_000;

fn latency(
    limit: u32,
    name: &str,
    candidate: &Counted,
    ours: Option<u64>,
    theirs: Option<u64>,
    enough: u64,
) -> Seen {
    // A tail is made of few requests: a quantile means something only once some ten lie above it.
    let enough = enough.max(if name == "p99" { 1_000 } else { 200 });
    if let Some(seen) = too_few(candidate, enough) {
        return seen;
    }
    let (Some(ours), Some(theirs)) = (ours, theirs) else {
        return (Verdict::Inconclusive, format!("there is no {name} to compare"));
    };
    let words = format!(
        "{name} is {} against {} on the stable version; the limit is {}",
        ms(ours),
        ms(theirs),
        times(limit)
    );
    let allowed = u128::from(theirs) * u128::from(limit) / 1_000;
    let failed = u128::from(ours) > allowed && ours > theirs.saturating_add(LATENCY_FLOOR_MICROS);
    (if failed { Verdict::Fail } else { Verdict::Pass }, words)
}

fn probe_failures(limit: u32, instances: &[InstanceReading]) -> Seen {
    let worst = instances.iter().find_map(|instance| {
        if let Some(reason) = &instance.failed {
            return Some(format!("instance {} was given up: {reason}", instance.name));
        }
        if instance.restarts >= limit {
            return Some(format!("instance {} ended by itself {} times", instance.name, instance.restarts));
        }
        (instance.probe_failures >= limit)
            .then(|| format!("instance {} failed {} probes in a row", instance.name, instance.probe_failures))
    });
    match worst {
        Some(words) => (Verdict::Fail, words),
        None if instances.is_empty() => (Verdict::Inconclusive, "no instance can be asked".to_owned()),
        None => (Verdict::Pass, format!("all {} instances answer their probes", instances.len())),
    }
}

fn usage(
    limit: u32,
    what: &str,
    instances: &[InstanceReading],
    of: fn(&InstanceReading) -> Option<u32>,
) -> Seen {
    let highest =
        instances.iter().filter_map(|instance| of(instance).map(|share| (share, &instance.name))).max();
    let Some((highest, name)) = highest else {
        return (Verdict::Inconclusive, format!("no {what} limit is set, or nothing was measured yet"));
    };
    let percent = |share: u32| percent(f64::from(share) / 10_000.0);
    let words = format!(
        "instance {name} uses {} of its {what} limit; the trigger is {}",
        percent(highest),
        percent(limit)
    );
    (if highest > limit { Verdict::Fail } else { Verdict::Pass }, words)
}

fn alerts(alerts: &Known<Vec<String>>) -> Option<Seen> {
    match alerts {
        Known::NotAsked => None,
        Known::Value(names) if names.is_empty() => {
            Some((Verdict::Pass, "no critical alert fires".to_owned()))
        }
        Known::Value(names) => Some((Verdict::Fail, format!("critical alert fires: {}", names.join(", ")))),
        Known::Unknown(reason) => Some((Verdict::Inconclusive, format!("alerts are not known: {reason}"))),
    }
}

fn metric(limit: &Metric, reading: &Reading) -> Finding {
    let value = reading.metrics.iter().find(|metric| metric.name == limit.name).map(|metric| &metric.value);
    let (verdict, words) = match value {
        Some(Known::Value(value)) if value.is_finite() => {
            let (fails, bound) = match limit.limit {
                MetricLimit::Above(bound) => (*value > bound, format!("above {bound}")),
                MetricLimit::Below(bound) => (*value < bound, format!("below {bound}")),
            };
            let verdict = if fails { Verdict::Fail } else { Verdict::Pass };
            (verdict, format!("{} is {value}; {bound} takes the release back", limit.name))
        }
        Some(Known::Unknown(reason)) => {
            (Verdict::Inconclusive, format!("{} is not known: {reason}", limit.name))
        }
        _ => (Verdict::Inconclusive, format!("{} is not known yet", limit.name)),
    };
    Finding { trigger: format!("metrics.{}", limit.name), verdict, words }
}

fn share(counted: &Counted) -> String {
    percent(share_of(counted.failed, counted.requests))
}

#[expect(clippy::cast_precision_loss, reason = "for display only")]
fn share_of(failed: u64, requests: u64) -> f64 {
    failed as f64 / requests.max(1) as f64
}

fn percent(share: f64) -> String {
    let text = format!("{:.2}", share * 100.0);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

fn times(thousandths: u32) -> String {
    format!("{}×", f64::from(thousandths) / 1_000.0)
}

#[expect(clippy::cast_precision_loss, reason = "for display only")]
fn ms(micros: u64) -> String {
    format!("{:.1} ms", micros as f64 / 1_000.0)
}
