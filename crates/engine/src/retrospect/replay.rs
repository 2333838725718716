//! Rows in, an account out.

use std::time::Duration;

use pilotage_spec::{RollBackWhen, Strategy, StrategyKind, Timestamp, Version};

use super::account::{Account, Rule, TakenBack, Totals};
use super::interval::{Interval, Part};
use super::presence::Presence;
use super::row::Row;
use super::rules::Rules;
use crate::judge::{Case, Evidence, Judgement, Look, Reading, Verdict, judge};

/// What is asked of past counts.
#[derive(Debug, Clone)]
pub struct Question {
    /// The new version.
    pub candidate: Version,
    /// The version that it is compared with.
    pub stable: Option<Version>,
    /// What takes a release back. Only what requests can tell is looked at: instances and queries are not in the rows.
    pub when: RollBackWhen,
    /// Rules to compare with.
    pub rules: Vec<Rule>,
}

/// Feeds rows through the tests of a deployment.
#[derive(Debug)]
pub struct Replay {
    candidate: Version,
    stable: Option<Version>,
    when: RollBackWhen,
    /// Holds the tests.
    reading: Reading,
    open: Option<Interval>,
    /// The end of the interval before the open one.
    last: Option<Timestamp>,
    presence: [Presence; 2],
    /// The candidate's share, and whether the stable version was beside it, at the last look.
    shares: Option<(Option<u32>, bool)>,
    rules: Rules,
    account: Account,
}

/// The account of rows in their order.
pub fn replay(question: &Question, rows: impl IntoIterator<Item = Row>) -> Account {
    let mut replay = Replay::new(question);
    rows.into_iter().for_each(|row| replay.row(&row));
    replay.finish()
}

impl Replay {
    /// Nothing was looked at yet.
    pub fn new(question: &Question) -> Self {
        let when = judged_by_requests(&question.when);
        let evidence = Evidence::new(&strategy(when.clone()));
        Self {
            candidate: question.candidate.clone(),
            stable: question.stable.clone(),
            when,
            reading: Reading { tests: Some(Box::new(evidence)), ..Reading::default() },
            open: None,
            last: None,
            presence: [Presence::default(); 2],
            shares: None,
            rules: Rules::new(&question.rules),
            account: nothing_yet(),
        }
    }

    /// Takes in the next row.
    pub fn row(&mut self, row: &Row) {
        if let Some(open) = &mut self.open
            && open.at == row.at
        {
            return open.add(row);
        }
        if let Some(over) = self.open.replace(Interval::of(row)) {
            // How long the first interval is nobody says: it is taken to be as long as the second.
            let length = self.last.map_or_else(|| row.at.since(over.at), |last| over.at.since(last));
            self.close(over, length);
        }
    }

    /// The end of the rows: what is open is looked at as well.
    pub fn finish(mut self) -> Account {
        if let Some(over) = self.open.take() {
            let length = self.last.map_or(Duration::ZERO, |last| over.at.since(last));
            self.close(over, length);
        }
        if self.account.taken_back.is_none() {
            self.evidence(Evidence::shares_changed);
            self.judge();
        }
        let end = self.now();
        self.account.rules = self.rules.finish(end);
        self.account
    }

    fn close(&mut self, interval: Interval, length: Duration) {
        self.last = Some(interval.at);
        self.account.count(&interval, length);
        let Interval { candidate, stable, .. } = &interval;
        if !interval.is_known() {
            return;
        }
        for (presence, part) in self.presence.iter_mut().zip([candidate, stable]) {
            presence.see(part.side.requests);
        }
        if self.account.began.is_none() {
            let before = &stable.side;
            return self.evidence(|evidence| evidence.known_before(before));
        }
        let beside =
            interval.shared().unwrap_or_else(|| self.presence.iter().all(|presence| presence.is_there()));
        self.account.beside += u64::from(beside);
        let now = self.now();
        self.rules.look([&candidate.side, &stable.side], length, now);
        if self.account.taken_back.is_none() {
            self.look(interval, length, beside);
            self.judge();
        }
    }

    fn look(&mut self, interval: Interval, length: Duration, beside: bool) {
        let share = interval.candidate.share;
        let changed = self.shares.is_some_and(|shares| shares != (share, beside));
        self.shares = Some((share, beside));
        let look = Look {
            candidate: interval.candidate.side,
            stable: interval.stable.side,
            beside,
            micros: length.as_micros().try_into().unwrap_or(u64::MAX),
        };
        self.evidence(|evidence| {
            if changed {
                evidence.shares_changed();
            }
            evidence.look(look);
        });
    }

    fn judge(&mut self) {
        let mut judgement = self.judgement();
        if judgement.verdict == Verdict::Fail {
            self.account.taken_back = Some(self.now());
        }
        if !self.account.has_latencies {
            judgement.findings.retain(|finding| !is_of_latency(&finding.trigger));
        }
        self.account.judgement = judgement;
    }

    fn judgement(&self) -> Judgement {
        let case = Case { when: &self.when, candidate: &self.candidate, stable: self.stable.as_ref() };
        judge(&case, &self.reading)
    }

    fn evidence(&mut self, change: impl FnOnce(&mut Evidence)) {
        if let Some(evidence) = self.reading.tests.as_deref_mut() {
            change(evidence);
        }
    }

    /// What a rollback now would be.
    fn now(&self) -> TakenBack {
        let Account { watched, candidate, .. } = self.account;
        TakenBack { at: self.last.unwrap_or_default(), after: watched, candidate }
    }
}

impl Account {
    /// Counts an interval, whether it is looked at or not.
    fn count(&mut self, interval: &Interval, length: Duration) {
        let Interval { at, candidate, stable } = interval;
        self.intervals += 1;
        self.unknown += u64::from(!interval.is_known());
        self.has_latencies |= [candidate, stable].iter().any(|part| !part.side.latencies.is_empty());
        for (totals, part) in [(&mut self.candidate, candidate), (&mut self.stable, stable)] {
            totals.see(*at, part);
        }
        if self.began.is_none() && candidate.side.requests > 0 {
            let length = i64::try_from(length.as_micros()).unwrap_or(i64::MAX);
            self.began = Some(Timestamp::from_micros(at.as_micros().saturating_sub(length)));
        }
        if self.began.is_some() {
            self.watched = self.watched.saturating_add(length);
        }
    }
}

impl Totals {
    fn see(&mut self, at: Timestamp, part: &Part) {
        self.add(part.side.requests, part.side.failed);
        if part.present {
            self.last = Some(at);
        }
    }
}

fn nothing_yet() -> Account {
    Account {
        judgement: Judgement { verdict: Verdict::Inconclusive, findings: Vec::new() },
        taken_back: None,
        began: None,
        watched: Duration::ZERO,
        candidate: Totals::default(),
        stable: Totals::default(),
        intervals: 0,
        beside: 0,
        unknown: 0,
        has_latencies: false,
        rules: Vec::new(),
    }
}

/// Without what rows of requests cannot tell. The triggers of latency stay even where no times are known: false alarms are
/// shared among the tests that the strategy asks for, so that the others say what they would have said.
fn judged_by_requests(when: &RollBackWhen) -> RollBackWhen {
    RollBackWhen {
        probe_failures: None,
        cpu: None,
        memory: None,
        critical_alerts: false,
        metrics: Vec::new(),
        ..when.clone()
    }
}

/// Steps and times are those of the rows; only what takes a release back is asked of the strategy.
fn strategy(roll_back_when: RollBackWhen) -> Strategy {
    let steps = Strategy::new(StrategyKind::BlueGreen, Duration::ZERO, Duration::ZERO);
    Strategy { roll_back_when, ..steps }
}

fn is_of_latency(trigger: &str) -> bool {
    trigger.starts_with('p') && trigger.ends_with("_vs_stable")
}
