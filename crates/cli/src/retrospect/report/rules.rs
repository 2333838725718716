//! What other rules would have said, beside the judge.

use pilotage_engine::judge::Verdict;
use pilotage_engine::retrospect::{Rule, RuleSeen, RuleVerdict, TakenBack};
use pilotage_views::rfc3339;

use super::Told;
use crate::words::{grouped, percent, span};

/// Why Kayenta's judge passes what the error test fails.
const BLIND_SPOTS: [&str; 4] = [
    "Kayenta's judge let pass what the tests here fail. Its known blind spots:",
    "  - it ranks points in time, and does not know how many requests a point stands for",
    "  - failures in fewer than about half of the points leave the medians equal, and pass",
    "  - with ten points or fewer even seven that are a hundred times too high pass",
];

/// What a rule is called.
pub fn name(rule: Rule) -> String {
    match rule {
        Rule::Share(limit) => format!("over {} failed in 1 min", percent(limit)),
        Rule::Kayenta => "Kayenta's judge".to_owned(),
    }
}

/// The table, and what is to be said of it.
pub fn lines(told: &Told<'_>) -> Vec<String> {
    let account = told.account;
    let mut rows = vec![["rule", "verdict", "when", "failed requests until then"].map(str::to_owned)];
    let ours = match (&account.taken_back, account.judgement.verdict) {
        (Some(_), _) => "rolled back",
        (None, Verdict::Pass) => "pass",
        (None, _) => "inconclusive",
    };
    rows.push(row("Pilotage".to_owned(), ours, account.taken_back.as_ref(), told));
    for seen in &account.rules {
        rows.push(row(name(seen.rule), word(seen.verdict), seen.taken_back.as_ref(), told));
    }
    let mut lines = table(&rows);
    if account.taken_back.is_some() && account.rules.iter().any(passes_blindly) {
        lines.push(String::new());
        lines.extend(BLIND_SPOTS.map(str::to_owned));
    }
    lines
}

fn passes_blindly(seen: &RuleSeen) -> bool {
    seen.rule == Rule::Kayenta && seen.verdict == RuleVerdict::Pass
}

/// What a rule said, in a word.
fn word(verdict: RuleVerdict) -> &'static str {
    match verdict {
        RuleVerdict::RolledBack => "rolled back",
        RuleVerdict::Pass => "pass",
        RuleVerdict::Marginal => "marginal",
        RuleVerdict::NoData => "too little data",
    }
}

fn row(name: String, verdict: &str, taken: Option<&TakenBack>, told: &Told<'_>) -> [String; 4] {
    let whole = &told.account.candidate;
    match taken {
        Some(taken) => [
            name,
            verdict.to_owned(),
            format!("{}, after {}", rfc3339(taken.at), span(taken.after)),
            grouped(taken.candidate.failed),
        ],
        None => [name, verdict.to_owned(), "never".to_owned(), grouped(whole.failed)],
    }
}

fn table(rows: &[[String; 4]]) -> Vec<String> {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let [first, second, third] = [0, 1, 2].map(width);
    let text = |[rule, verdict, when, failed]: &[String; 4]| {
        format!("  {rule:first$}   {verdict:second$}   {when:third$}   {failed}")
    };
    rows.iter().map(text).collect()
}
