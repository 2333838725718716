//! Slow requests, with the quantiles beside them.

use super::criteria::{Case, Seen};
use super::words::{count, counted, e_value, ms, share, times};
use super::{Counted, Reading, Verdict};

/// A quantile of the latency, in thousandths, against a multiple of the stable version's, in thousandths.
pub(super) fn latency(quantile: u32, limit: u32, case: &Case<'_>, reading: &Reading) -> Seen {
    let name = format!("p{}", quantile / 10);
    let slow =
        reading.evidence().and_then(|evidence| evidence.slow().iter().find(|slow| slow.name() == name));
    let Some(slow) = slow else {
        return (Verdict::Inconclusive, format!("there is no {name} to compare"));
    };
    let Some(frozen) = slow.frozen() else {
        let words =
            format!("{name} of the stable version is not known before {} requests", count(slow.needed()));
        return (Verdict::Inconclusive, words);
    };
    let (requests, bad) = slow.counted();
    let compared = slow.comparison().beside().compared();
    let stable = match case.stable {
        Some(stable) if compared.stable_requests > 0 => {
            format!(", {} on {stable}", share(compared.stable_failed, compared.stable_requests))
        }
        _ => String::new(),
    };
    let words = format!(
        "{} of {} took over {} on {} ({}{stable}){}",
        count(bad),
        counted(requests, "request"),
        ms(frozen.cut_off.micros()),
        case.candidate,
        share(bad, requests),
        quantiles(reading),
    );
    let allowed =
        format!("{} the {name} of {} that was measured before", times(limit), ms(frozen.stable_micros));
    if slow.is_slower() {
        let e = match slow.comparison().alone() {
            Some(alone) if slow.comparison().is_worse_alone() => alone.test.log_e(),
            _ => slow.comparison().beside().log_e(),
        };
        return (Verdict::Fail, format!("{words}: slower than {allowed} beyond doubt (e = {})", e_value(e)));
    }
    if requests < slow.needed() {
        let words = format!(
            "only {} so far; {} are needed to judge {name}",
            counted(requests, "request"),
            count(slow.needed())
        );
        return (Verdict::Inconclusive, words);
    }
    match slow.is_within() {
        true => (Verdict::Pass, format!("{words}: within {allowed}")),
        false => (Verdict::Inconclusive, format!("{words}: no evidence that it is slower than {allowed}")),
    }
}

/// The quantiles of both since the shares changed, for people.
fn quantiles(reading: &Reading) -> String {
    let of = |counted: &Counted| Some([counted.p50_micros?, counted.p95_micros?, counted.p99_micros?]);
    let text = |quantiles: [u64; 3]| quantiles.map(ms).join(", ");
    match (of(&reading.candidate), of(&reading.stable)) {
        (Some(ours), Some(theirs)) => {
            format!("; p50, p95, p99 are {} against {}", text(ours), text(theirs))
        }
        (Some(ours), None) => format!("; p50, p95, p99 are {}", text(ours)),
        _ => String::new(),
    }
}
