//! Failed requests: against a limit, and against the stable version.

use super::comparison::{Alone, Comparison};
use super::criteria::{Case, Seen};
use super::words::{count, counted, e_value, percent, share, times};
use super::{Reading, Verdict};
use crate::evidence::LimitStanding;

/// The share of the candidate's requests that fail, against a limit in hundredths of a percent.
pub(super) fn error_rate(limit: u32, case: &Case<'_>, reading: &Reading) -> Seen {
    let Some(test) = reading.evidence().and_then(|evidence| evidence.rate()) else {
        return (Verdict::Inconclusive, "no request was counted yet".to_owned());
    };
    let (requests, failed) = test.counted();
    let seen = format!(
        "{} of {} failed on {} ({})",
        count(failed),
        counted(requests, "request"),
        case.candidate,
        share(failed, requests)
    );
    let limit = percent(f64::from(limit) / 10_000.0);
    match test.standing() {
        LimitStanding::Above => (Verdict::Fail, format!("{seen}: more than {limit} beyond doubt")),
        _ if requests < case.when.min_requests => (Verdict::Inconclusive, too_few(requests, case)),
        LimitStanding::Below => (Verdict::Pass, format!("{seen}: less than {limit} beyond doubt")),
        LimitStanding::Undecided => {
            (Verdict::Inconclusive, format!("{seen}: too few to say whether that is more than {limit}"))
        }
    }
}

/// That so few requests prove nothing good.
fn too_few(requests: u64, case: &Case<'_>) -> String {
    let so_far = match requests {
        0 => format!("no request reached {} yet", case.candidate),
        _ => format!("only {} so far", counted(requests, "request")),
    };
    format!("{so_far}; {} are needed to judge", count(case.when.min_requests))
}

/// The candidate's failures beside the stable version's, with a multiple in thousandths that is allowed.
pub(super) fn errors_vs_stable(limit: u32, case: &Case<'_>, reading: &Reading) -> Seen {
    let Some(stable) = case.stable else {
        return (Verdict::Inconclusive, "there is no stable version to compare with".to_owned());
    };
    let evidence = reading.evidence();
    let Some((evidence, errors)) = evidence.and_then(|evidence| Some((evidence, evidence.errors()?))) else {
        return (Verdict::Inconclusive, "no request was counted yet".to_owned());
    };
    let unfolded = evidence.unfolded();
    let folded = errors.beside().compared().candidate_failed;
    let of_clients = match unfolded.candidate_failed > folded && folded > 0 {
        true => format!(", counted as {} by client", count(folded)),
        false => String::new(),
    };
    let beside = format!(
        "{} of {} failed on {} ({}{of_clients}), {} of {} on {stable} ({})",
        count(unfolded.candidate_failed),
        counted(unfolded.candidate_requests, "request"),
        case.candidate,
        share(unfolded.candidate_failed, unfolded.candidate_requests),
        count(unfolded.stable_failed),
        count(unfolded.stable_requests),
        share(unfolded.stable_failed, unfolded.stable_requests),
    );
    if errors.is_worse_beside() {
        let e = e_value(errors.beside().log_e());
        return (Verdict::Fail, format!("{beside}: at least {} worse beyond doubt (e = {e})", times(limit)));
    }
    match errors.alone() {
        Some(alone) => left_alone(alone, errors, limit, case, &stable.to_string()),
        None if !unfolded.compares() => (
            Verdict::Inconclusive,
            format!("no requests of {} and {stable} at the same time yet", case.candidate),
        ),
        None if evidence.may_promote_early() => {
            (Verdict::Pass, format!("{beside}: certainly not as bad as would have to be noticed"))
        }
        None => {
            let e = e_value(errors.beside().log_e());
            let words = format!("{beside}: no evidence that it is {} worse (e = {e})", times(limit));
            (Verdict::Inconclusive, words)
        }
    }
}

/// After the stable version has lost its traffic: the last resort, and said to be.
fn left_alone(alone: &Alone, errors: &Comparison, limit: u32, case: &Case<'_>, stable: &str) -> Seen {
    let (requests, failed) = alone.test.counted();
    let words = format!(
        "{} of {} failed on {} since it is alone ({}), {} of {} on {stable} before that ({})",
        count(failed),
        counted(requests, "request"),
        case.candidate,
        share(failed, requests),
        count(alone.before.bad),
        count(alone.before.requests),
        share(alone.before.bad, alone.before.requests),
    );
    if errors.is_worse_alone() {
        let e = e_value(alone.test.log_e());
        return (Verdict::Fail, format!("{words}: at least {} worse beyond doubt (e = {e})", times(limit)));
    }
    match alone.test.standing() {
        _ if requests < case.when.min_requests => (Verdict::Inconclusive, too_few(requests, case)),
        LimitStanding::Below => {
            (Verdict::Pass, format!("{words}: certainly not {} worse than it can have been", times(limit)))
        }
        _ => (Verdict::Inconclusive, format!("{words}: no evidence that it is {} worse", times(limit))),
    }
}
