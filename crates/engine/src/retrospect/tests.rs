use std::time::Duration;

use pilotage_spec::{RollBackWhen, Timestamp};
use proptest::prelude::*;

use super::{Account, Figures, Quantiles, Question, Row, Rule, RuleVerdict, Who, replay};
use crate::judge::Verdict;

const SECOND: i64 = 1_000_000;

fn question(rules: Vec<Rule>) -> Question {
    Question {
        candidate: "1.2.0".parse().unwrap(),
        stable: Some("1.1.0".parse().unwrap()),
        when: RollBackWhen::default(),
        rules,
    }
}

fn row(seconds: i64, who: Who, requests: u64, failed: u64) -> Row {
    let figures = Figures { requests, failed, failed_clients: failed, ..Figures::default() };
    Row { at: Timestamp::from_micros(seconds * SECOND), who, figures: Some(figures) }
}

fn both(seconds: i64, candidate: (u64, u64), stable: (u64, u64)) -> [Row; 2] {
    [row(seconds, Who::Candidate, candidate.0, candidate.1), row(seconds, Who::Stable, stable.0, stable.1)]
}

/// Ten seconds each, so many times.
fn steady(candidate: (u64, u64), stable: (u64, u64), intervals: i64) -> Vec<Row> {
    (1..=intervals).flat_map(|number| both(number * 10, candidate, stable)).collect()
}

fn account(rows: Vec<Row>) -> Account {
    replay(&question(Vec::new()), rows)
}

#[test]
fn a_failing_canary_is_taken_back_at_the_interval_that_decides() {
    let account = account(steady((200, 6), (1_800, 2), 60));
    let taken = account.taken_back.unwrap();
    assert_eq!(account.judgement.verdict, Verdict::Fail);
    assert!(taken.after <= Duration::from_secs(60), "{taken:?}");
    assert_eq!(taken.at, Timestamp::from_micros(taken.after.as_micros().try_into().unwrap()));
    assert_eq!(account.began, Some(Timestamp::from_micros(0)));
    assert_eq!((account.candidate.failed, account.watched), (360, Duration::from_secs(600)));
    assert!(taken.candidate.failed < 60);
}

#[test]
fn what_was_before_is_what_the_candidate_alone_is_held_to() {
    let mut rows: Vec<Row> = (1..=30).map(|number| row(number * 10, Who::Stable, 2_000, 2)).collect();
    rows.extend((31..=60).map(|number| row(number * 10, Who::Candidate, 2_000, 20)));
    let account = account(rows);
    assert_eq!((account.beside, account.judgement.verdict), (0, Verdict::Fail));
    assert!(account.judgement.words().contains("since it is alone"), "{}", account.judgement.words());
    assert_eq!(account.began, Some(Timestamp::from_micros(300 * SECOND)));
}

#[test]
fn an_interval_that_is_not_known_is_left_out_on_both_sides() {
    let mut rows = steady((200, 0), (1_800, 2), 20);
    for rows in rows.chunks_exact_mut(2).skip(5) {
        rows[0] = row(rows[0].at.as_micros() / SECOND, Who::Candidate, 200, 100);
        rows[1].figures = None;
    }
    let account = account(rows);
    assert_eq!((account.unknown, account.taken_back), (15, None));
    assert_eq!(account.candidate.failed, 1_500, "what is known of them is counted all the same");
}

#[test]
fn times_that_step_back_take_no_time() {
    let mut rows = steady((200, 1), (1_800, 9), 10);
    let later = steady((200, 1), (1_800, 9), 10).into_iter();
    rows.extend(later);
    let account = account(rows);
    assert_eq!((account.intervals, account.watched), (20, Duration::from_secs(190)));
}

#[test]
fn shares_say_that_the_stable_version_lost_its_traffic() {
    let mut rows = steady((200, 1), (1_800, 9), 10);
    rows.extend((11..=20).flat_map(|number| {
        let [mut ours, mut theirs] = both(number * 10, (2_000, 10), (3, 0));
        for (row, share) in [(&mut ours, 10_000), (&mut theirs, 0)] {
            row.figures = row.figures.map(|figures| Figures { share: Some(share), ..figures });
        }
        [ours, theirs]
    }));
    assert_eq!(account(rows).beside, 10);
}

#[test]
fn slow_requests_are_found_by_their_quantiles() {
    let with = |row: Row, p99_micros| {
        let quantiles = Quantiles {
            p50_micros: Some(10_000),
            p95_micros: Some(p99_micros / 2),
            p99_micros: Some(p99_micros),
        };
        Row { figures: row.figures.map(|figures| Figures { quantiles, ..figures }), ..row }
    };
    let rows = |candidate| {
        let before = (1..=20).map(|number| row(number * 10, Who::Stable, 2_000, 1));
        let rows = (21..=80).flat_map(|number| both(number * 10, (200, 0), (1_800, 1)));
        before
            .chain(rows)
            .map(move |row| with(row, if row.who == Who::Stable { 80_000 } else { candidate }))
            .collect()
    };
    assert_eq!(account(rows(80_000)).taken_back, None);
    let slow = account(rows(400_000));
    assert!(slow.taken_back.is_some() && slow.has_latencies);
    assert!(
        slow.judgement.words().contains("slower than 1.5× the p95 of 40.0 ms"),
        "{}",
        slow.judgement.words()
    );
}

#[test]
fn other_rules_say_what_they_would_have_said() {
    let rules = vec![Rule::Share(100), Rule::Share(500), Rule::Kayenta];
    let said = |rows: Vec<Row>| {
        let account = replay(&question(rules.clone()), rows);
        account.rules.into_iter().map(|seen| (seen.verdict, seen.taken_back)).collect::<Vec<_>>()
    };
    let failing = said(steady((200, 6), (1_800, 2), 60));
    assert_eq!(
        failing.iter().map(|(verdict, _)| *verdict).collect::<Vec<_>>(),
        [RuleVerdict::RolledBack, RuleVerdict::Pass, RuleVerdict::RolledBack]
    );
    assert_eq!(failing[0].1.unwrap().after, Duration::from_secs(60));
    assert_eq!(failing[2].1.unwrap().after, Duration::from_secs(300));
    let short = said(steady((200, 6), (1_800, 2), 1));
    assert!(short.iter().all(|(verdict, _)| *verdict == RuleVerdict::NoData), "{short:?}");
}

#[test]
fn nothing_at_all_is_inconclusive() {
    let account = account(Vec::new());
    assert_eq!((account.judgement.verdict, account.taken_back), (Verdict::Inconclusive, None));
}

/// Requests and failures of both versions in one interval, all even, and enough to be compared at once.
fn halves() -> impl Strategy<Value = (u64, u64, u64, u64)> {
    (10..300_u64, 10..3_000_u64).prop_flat_map(|(candidate, stable)| {
        (Just(candidate * 2), 0..=candidate / 4, Just(stable * 2), 0..=stable / 20)
            .prop_map(|(candidate, failed, stable, others)| (candidate, failed * 2, stable, others * 2))
    })
}

proptest! {
    /// The verdict may come at another look, and so be another one: a test that is looked at more often may be sure sooner, of
    /// the good as of the bad.
    #[test]
    fn intervals_cut_in_halves_count_the_same(intervals in prop::collection::vec(halves(), 1..30)) {
        let whole = intervals.iter().zip(1..).flat_map(|((requests, failed, all, others), number)| {
            both(number * 20, (*requests, *failed), (*all, *others))
        });
        let cut = intervals.iter().zip(1..).flat_map(|((requests, failed, all, others), number)| {
            let half = |seconds| both(seconds, (requests / 2, failed / 2), (all / 2, others / 2));
            [half(number * 20 - 10), half(number * 20)].concat()
        });
        let (whole, cut) = (account(whole.collect()), account(cut.collect()));
        prop_assert_eq!((whole.candidate, whole.stable), (cut.candidate, cut.stable));
    }

    #[test]
    fn a_candidate_without_a_failure_is_never_taken_back(
        rows in prop::collection::vec((0..1_000_i64, any::<bool>(), 0..10_000_u64, any::<bool>()), 0..60),
    ) {
        let rows = rows.into_iter().map(|(seconds, ours, requests, known)| {
            let who = if ours { Who::Candidate } else { Who::Stable };
            let row = row(seconds, who, requests, if ours { 0 } else { requests / 10 });
            Row { figures: row.figures.filter(|_| known), ..row }
        });
        let account = replay(&question(vec![Rule::Share(100), Rule::Kayenta]), rows);
        prop_assert_eq!(account.taken_back, None);
    }

    #[test]
    fn any_rows_give_an_account(
        rows in prop::collection::vec((any::<i64>(), any::<bool>(), 0..1_000_000_000_000_u64, 0..1_000_u64, 0..10_000_000_u64), 0..40),
    ) {
        let rows = rows.into_iter().map(|(micros, ours, requests, failed, p99)| {
            let figures = Figures {
                requests,
                failed: failed.min(requests),
                failed_clients: failed.min(requests),
                quantiles: Quantiles { p99_micros: Some(p99), ..Quantiles::default() },
                share: (p99 % 2 == 0).then_some(u32::try_from(p99 % 10_001).unwrap_or(0)),
            };
            let who = if ours { Who::Candidate } else { Who::Stable };
            Row { at: Timestamp::from_micros(micros), who, figures: Some(figures) }
        });
        let account = replay(&question(vec![Rule::Share(100), Rule::Kayenta]), rows);
        prop_assert!(account.candidate.failed <= account.candidate.requests);
    }
}
