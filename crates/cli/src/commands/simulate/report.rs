//! What became of the rollouts: as a table, as JSON, and as a picture.

use std::time::Duration;

use pilotage_engine::Plan;
use pilotage_engine::rehearse::{Course, Pictured, Spread, Summary, picture};
use serde_json::{Value, json};

use super::played::Played;
use crate::arguments::Simulate;
use crate::commands::headline;
use crate::words::{grouped, percent, span};

/// What is reported.
pub struct Report<'a> {
    pub asked: &'a Simulate,
    pub plan: &'a Plan,
    /// None if nothing goes wrong.
    pub with_fault: Option<Summary>,
    pub without_fault: Summary,
}

impl Report<'_> {
    /// For programs. Times are in milliseconds, shares from 0 to 1; those of a step in hundredths of a percent.
    pub fn object(&self) -> Value {
        let request = &self.plan.request;
        json!({
            "service": request.workload.service, "environment": request.workload.environment,
            "version": self.plan.candidate(), "stable": self.plan.stable(), "strategy": request.strategy_name,
            "faults": self.faults(), "requests_per_second": self.asked.rps, "stable_failed_share": self.asked.errors,
            "runs": self.asked.runs, "seed": self.asked.seed,
            "with_fault": self.with_fault, "without_fault": self.without_fault,
        })
    }

    fn faults(&self) -> Vec<String> {
        self.asked.faults.iter().map(ToString::to_string).collect()
    }

    /// What goes wrong, in words.
    fn fault(&self) -> String {
        if self.asked.faults.is_empty() { "nothing wrong".to_owned() } else { self.faults().join(" + ") }
    }

    fn subtitle(&self) -> String {
        let Simulate { rps, errors, runs, seed, .. } = self.asked;
        let stable = self.plan.stable().map(ToString::to_string).unwrap_or_default();
        format!(
            "{} rollouts at {rps} requests a second, {} of them fail on {stable}; seed {seed}",
            grouped(*runs),
            share_words(*errors)
        )
    }

    pub fn picture(&self, played: &Played, course: &Course) -> String {
        picture(&Pictured {
            title: &headline(self.plan),
            subtitle: &self.subtitle(),
            candidate: &self.plan.candidate().to_string(),
            stable: &self.plan.stable().map(ToString::to_string).unwrap_or_default(),
            fault: &self.fault(),
            course,
            with_fault: &played.with_fault,
            without_fault: &played.without_fault,
        })
    }

    /// For people.
    pub fn lines(&self) -> Vec<String> {
        let fault = self.fault();
        let mut columns: Vec<(&str, &Summary)> = Vec::new();
        columns.extend(self.with_fault.as_ref().map(|summary| (fault.as_str(), summary)));
        columns.push(("nothing wrong", &self.without_fault));
        let mut lines = vec![headline(self.plan), format!("  {}", self.subtitle()), String::new()];
        lines.extend(table(&columns));
        lines
    }
}

/// What a row says of a summary.
type Row = (&'static str, fn(&Summary) -> String);

const ROWS: [Row; 12] = [
    ("rolled back", |summary| counted(summary.rolled_back, summary)),
    ("inconclusive", |summary| counted(summary.inconclusive, summary)),
    ("failed", |summary| counted(summary.failed, summary)),
    ("concluded", |summary| counted(summary.concluded, summary)),
    ("held", |summary| counted(summary.held, summary)),
    ("succeeded", |summary| counted(summary.succeeded, summary)),
    ("  unsure", |summary| counted(summary.succeeded_unsure, summary)),
    ("taken back after", |summary| summary.taken_back_after_ms.map_or_else(none, times)),
    ("in step", steps),
    ("by", triggers),
    ("failed requests", |summary| summary.failed_requests.map_or_else(none, numbers)),
    ("users hurt", |summary| summary.users_hurt.map_or_else(none, numbers)),
];

fn table(columns: &[(&str, &Summary)]) -> Vec<String> {
    let head: Vec<String> = columns.iter().map(|(name, _)| (*name).to_owned()).collect();
    let mut rows: Vec<(&str, Vec<String>)> = vec![("", head)];
    rows.extend(ROWS.map(|(name, of)| (name, columns.iter().map(|(_, summary)| of(summary)).collect())));
    let name = ROWS.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let first = rows.iter().filter_map(|(_, cells)| cells.first()).map(|cell| cell.chars().count()).max();
    let first = first.unwrap_or(0);
    let line = |(word, cells): &(&str, Vec<String>)| {
        let cells: Vec<String> = cells.iter().map(|cell| format!("{cell:first$}")).collect();
        format!("  {word:name$}   {}", cells.join("   ")).trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

fn none() -> String {
    "–".to_owned()
}

/// `993 (99.3 %)`.
#[expect(clippy::cast_precision_loss, reason = "for display only")]
fn counted(number: u64, summary: &Summary) -> String {
    match number {
        0 => "0".to_owned(),
        number => format!("{} ({})", grouped(number), share_words(number as f64 / summary.runs as f64)),
    }
}

fn times(spread: Spread) -> String {
    let said = |millis: f64| span(Duration::from_secs_f64((millis / 1_000.0).max(0.0)));
    format!("median {}, 95 % within {}", said(spread.median), said(spread.p95))
}

fn numbers(spread: Spread) -> String {
    format!("mean {}, 95 % at most {}", number(spread.mean), number(spread.p95))
}

/// Large numbers without what comes after the point.
fn number(value: f64) -> String {
    if value.abs() < 10.0 { format!("{:.1}", value) } else { format!("{value:.0}") }
}

fn steps(summary: &Summary) -> String {
    let said = summary.steps.iter().map(|step| match step.step {
        0 => format!("before the first: {}", grouped(step.taken_back)),
        number => format!("{number} ({}): {}", percent(step.share), grouped(step.taken_back)),
    });
    joined(said)
}

fn triggers(summary: &Summary) -> String {
    joined(summary.triggers.iter().map(|(trigger, count)| format!("{trigger}: {}", grouped(*count))))
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    let parts: Vec<String> = parts.collect();
    if parts.is_empty() { none() } else { parts.join(", ") }
}

/// A share from 0 to 1 in percent, without digits that say nothing.
fn share_words(share: f64) -> String {
    let percent = format!("{:.3}", share * 100.0);
    format!("{} %", percent.trim_end_matches('0').trim_end_matches('.'))
}
