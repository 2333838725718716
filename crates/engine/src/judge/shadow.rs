//! Answers to copies of requests: compared with those that users got.
//!
//! Nothing is said of requests that change something unless those were copied too.

use pilotage_spec::Trigger;

use super::criteria::{Case, Seen};
use super::words::{count, counted, ms, percent, share, times};
use super::{Finding, MirrorReading, Reading, Verdict};
use crate::evidence::{LimitStanding, LimitTest};

/// So many copies must lie beyond a quantile before it is compared: the 99th percentile needs a hundred times as many.
const BEYOND_QUANTILE: u64 = 10;

/// One finding for each criterion that is on; none while no requests are copied.
pub(super) fn findings(case: &Case<'_>, reading: &Reading) -> Vec<Finding> {
    let Some(mirror) = &reading.mirror else { return Vec::new() };
    let when = case.when;
    let seen: [(&str, Trigger, Option<Seen>); 3] = [
        ("shadow_status", Trigger::ShadowStatus, when.shadow_status.map(|limit| status(limit, case, mirror))),
        ("shadow_body", Trigger::ShadowBody, when.shadow_body.map(|limit| body(limit, case, mirror))),
        ("shadow_p99", Trigger::P99VsStable, when.p99_vs_stable.map(|limit| p99(limit, reading, mirror))),
    ];
    let finding = |(name, trigger, seen): (&str, Trigger, Option<Seen>)| {
        let (verdict, words) = seen?;
        let dry_run = when.dry_run.contains(&trigger);
        Some(Finding { trigger: name.to_owned(), verdict, words, dry_run, weight: None })
    };
    seen.into_iter().filter_map(finding).collect()
}

/// A copy without an answer differs from what the user got as well.
fn status(limit: u32, case: &Case<'_>, mirror: &MirrorReading) -> Seen {
    let (all, differing) = (mirror.compared + mirror.unanswered, mirror.differing_status + mirror.unanswered);
    judged(limit, case, mirror, Differing { all, differing, what: "status" })
}

fn body(limit: u32, case: &Case<'_>, mirror: &MirrorReading) -> Seen {
    judged(
        limit,
        case,
        mirror,
        Differing { all: mirror.compared, differing: mirror.differing_body, what: "body" },
    )
}

/// Answers that were compared, and how many of them differ in what.
struct Differing {
    all: u64,
    differing: u64,
    what: &'static str,
}

fn judged(limit: u32, case: &Case<'_>, mirror: &MirrorReading, seen: Differing) -> Seen {
    let Differing { all, differing, what } = seen;
    let requests = if mirror.writes { "requests" } else { "requests that only read" };
    let words = format!(
        "{} of {} to copies of {requests} had another {what} on {} ({}; {} allowed){}",
        count(differing),
        counted(all, "answer"),
        case.candidate,
        share(differing, all),
        percent(f64::from(limit) / 10_000.0),
        left_out(mirror),
    );
    if all < case.when.min_requests {
        return (Verdict::Inconclusive, format!("too few to tell: {words}"));
    }
    (standing(limit, case, all, differing), words)
}

/// Valid however often it is looked at; the level is shared by the two criteria that use it.
fn standing(limit: u32, case: &Case<'_>, all: u64, differing: u64) -> Verdict {
    let alpha = f64::from(case.when.alpha) / 10_000.0 / 2.0;
    let Ok(mut test) = LimitTest::new(alpha, f64::from(limit) / 10_000.0) else {
        // A limit of nothing or of everything needs no test.
        return if limit == 0 && differing > 0 { Verdict::Fail } else { Verdict::Pass };
    };
    if test.observe(all, differing).is_err() {
        return Verdict::Inconclusive;
    }
    match test.standing() {
        LimitStanding::Above => Verdict::Fail,
        LimitStanding::Below => Verdict::Pass,
        LimitStanding::Undecided => Verdict::Inconclusive,
    }
}

fn left_out(mirror: &MirrorReading) -> String {
    let parts = [
        (mirror.unanswered, "had no answer"),
        (mirror.uncompared, "could not be compared"),
        (mirror.dropped, "were not copied for want of room"),
    ];
    let said = parts.into_iter().filter(|(number, _)| *number > 0);
    said.map(|(number, what)| format!(", {} {what}", count(number))).collect()
}

fn p99(limit: u32, reading: &Reading, mirror: &MirrorReading) -> Seen {
    let (Some(copies), Some(stable)) = (mirror.copies.p99_micros, reading.stable.p99_micros) else {
        return (Verdict::Inconclusive, "the latency of copies cannot be compared yet".to_owned());
    };
    let words = format!(
        "p99 of copies is {}, of the stable version's requests {}; {} is allowed",
        ms(copies),
        ms(stable),
        times(limit)
    );
    if mirror.copies.requests.min(reading.stable.requests) < BEYOND_QUANTILE * 100 {
        return (Verdict::Inconclusive, format!("too few to tell: {words}"));
    }
    let most = u128::from(stable) * u128::from(limit) / 1_000;
    (if u128::from(copies) > most { Verdict::Fail } else { Verdict::Pass }, words)
}

#[cfg(test)]
mod tests {
    use pilotage_spec::{RollBackWhen, Version};

    use super::*;
    use crate::judge::Counted;

    fn judged(mirror: MirrorReading) -> Vec<Finding> {
        let when = RollBackWhen::default();
        let candidate: Version = "1.1.0".parse().unwrap();
        let reading = Reading { mirror: Some(mirror), ..Reading::default() };
        findings(&Case { when: &when, candidate: &candidate, stable: None }, &reading)
    }

    fn compared(compared: u64, differing_status: u64, differing_body: u64) -> MirrorReading {
        MirrorReading { compared, differing_status, differing_body, ..MirrorReading::default() }
    }

    fn verdicts(mirror: MirrorReading) -> [Verdict; 2] {
        let findings = judged(mirror);
        [findings[0].verdict, findings[1].verdict]
    }

    #[test]
    fn answers_that_are_the_same_pass_and_others_fail_each_for_itself() {
        use Verdict::{Fail, Inconclusive, Pass};
        assert_eq!(verdicts(compared(5_000, 5, 5)), [Pass, Pass]);
        assert_eq!(verdicts(compared(5_000, 500, 5)), [Fail, Pass]);
        assert_eq!(verdicts(compared(5_000, 5, 500)), [Pass, Fail]);
        assert_eq!(verdicts(compared(40, 40, 40)), [Inconclusive, Inconclusive], "too few");
        assert_eq!(verdicts(compared(200, 3, 0))[0], Inconclusive, "chance does as much");
        let silent = MirrorReading { unanswered: 500, ..compared(5_000, 0, 0) };
        assert_eq!(verdicts(silent), [Fail, Pass], "no answer is another answer");
    }

    #[test]
    fn nothing_is_claimed_of_requests_that_were_not_copied() {
        let only_reads = judged(compared(5_000, 5, 5));
        assert!(only_reads[0].words.contains("copies of requests that only read"), "{}", only_reads[0].words);
        let all = judged(MirrorReading { writes: true, ..compared(5_000, 5, 5) });
        assert!(all[0].words.contains("copies of requests had another status"), "{}", all[0].words);
    }

    #[test]
    fn slow_copies_fail_once_there_are_enough() {
        let slow = |requests| {
            let p99 = |micros| Counted { requests, p99_micros: Some(micros), ..Counted::default() };
            let mirror = MirrorReading { copies: p99(40_000), ..compared(requests, 0, 0) };
            let reading = Reading { stable: p99(20_000), mirror: Some(mirror.clone()), ..Reading::default() };
            super::p99(1_500, &reading, &mirror).0
        };
        assert_eq!((slow(999), slow(1_000)), (Verdict::Inconclusive, Verdict::Fail));
    }
}
