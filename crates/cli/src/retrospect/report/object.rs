//! A look back for programs.

use std::time::Duration;

use pilotage_engine::judge::Judgement;
use pilotage_engine::retrospect::{Rule, RuleSeen, TakenBack, Totals};
use pilotage_spec::{Timestamp, Version};
use pilotage_views::rfc3339;
use serde_json::{Value, json};

use super::{Told, rules};

/// One object; its names are stable.
pub fn object(told: &Told<'_>) -> Value {
    let account = told.account;
    let Judgement { verdict, findings, .. } = &account.judgement;
    json!({
        "verdict": verdict,
        "words": account.judgement.words(),
        "rolled_back": account.taken_back.as_ref().map(taken),
        "candidate": side(&told.pair.candidate, &account.candidate),
        "stable": told.pair.stable.as_ref().map(|stable| side(stable, &account.stable)),
        "left_out": told.pair.left_out,
        "began": account.began.map(rfc3339),
        "watched_ms": millis(account.watched),
        "intervals": {
            "all": account.intervals, "both": account.beside, "unknown": account.unknown,
        },
        "findings": findings,
        "rules": account.rules.iter().map(rule).collect::<Vec<_>>(),
        "notes": told.notes,
    })
}

fn side(version: &Version, totals: &Totals) -> Value {
    json!({
        "version": version, "requests": totals.requests, "failed": totals.failed,
        "last": totals.last.map(rfc3339),
    })
}

fn taken(taken: &TakenBack) -> Value {
    let TakenBack { at, after, candidate } = taken;
    let at: Timestamp = *at;
    json!({
        "at": rfc3339(at), "after_ms": millis(*after),
        "requests": candidate.requests, "failed": candidate.failed,
    })
}

fn rule(seen: &RuleSeen) -> Value {
    let kind = match seen.rule {
        Rule::Share(_) => "threshold",
        Rule::Kayenta => "kayenta",
    };
    json!({
        "rule": kind, "name": rules::name(seen.rule), "verdict": seen.verdict,
        "rolled_back": seen.taken_back.as_ref().map(taken),
    })
}

fn millis(duration: Duration) -> u64 {
    duration.as_millis().try_into().unwrap_or(u64::MAX)
}
