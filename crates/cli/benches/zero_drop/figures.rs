//! What is printed.

use pilotage_load::LoadReport;
use serde_json::{Value, json};

use crate::drill::{Drilled, Size, Times, dropped};

/// Prints a figure a line, and what was dropped to standard error; says whether every goal is met.
pub fn print(size: &Size, drilled: Drilled) -> bool {
    let Drilled { reports, cut_overs, rollbacks, replacements, times } = drilled;
    let sum = |count: fn(&LoadReport) -> u64| reports.values().map(count).sum::<u64>();
    let changes = cut_overs + rollbacks;
    let mut all_hold = at_least("requests", sum(|report| report.requests), "requests", size.requests);
    all_hold &= at_least("cut_overs_and_rollbacks", changes as u64, "", size.changes as u64);
    plain("rollbacks", json!(rollbacks), "");
    all_hold &= at_least("edge_replacements", replacements as u64, "", size.replacements as u64);
    all_hold &= none("dropped", sum(dropped));
    all_hold &= none("reset", sum(reset));
    for (kind, report) in &reports {
        plain(&format!("{kind}.requests"), json!(report.requests), "requests");
        all_hold &= none(&format!("{kind}.dropped"), dropped(report));
        if dropped(report) > 0 {
            eprintln!("{kind}: {:?}, first: {:#?}", report.drop_reasons, report.first_drops);
        }
    }
    plain("told_to_go_by_1001", json!(sum(|report| report.told_to_go)), "WebSockets");
    plain("moved_by_goaway_or_1001", json!(sum(|report| report.moved)), "requests");
    // Printed without a goal: on a busy machine the disk and the other programs decide.
    let Times { switches, rollbacks } = times;
    quantiles("switch", switches);
    quantiles("rollback", rollbacks);
    all_hold
}

fn reset(report: &LoadReport) -> u64 {
    report.drop_reasons.get("reset").copied().unwrap_or(0)
}

fn quantiles(name: &str, mut millis: Vec<f64>) {
    millis.sort_by(f64::total_cmp);
    for (quantile, share) in [("p50", 0.50), ("p99", 0.99)] {
        let at = (millis.len().saturating_sub(1) as f64 * share).round() as usize;
        if let Some(millis) = millis.get(at) {
            plain(&format!("{name}_{quantile}"), json!((millis * 100.0).round() / 100.0), "ms");
        }
    }
}

fn at_least(name: &str, value: u64, unit: &str, goal: u64) -> bool {
    figure(name, json!(value), unit, &format!(">= {goal}"), value >= goal)
}

fn none(name: &str, value: u64) -> bool {
    figure(name, json!(value), "requests", "0", value == 0)
}

fn plain(name: &str, value: Value, unit: &str) {
    figure(name, value, unit, "", true);
}

fn figure(name: &str, value: Value, unit: &str, goal: &str, holds: bool) -> bool {
    let name = format!("zero_drop.{name}");
    println!(
        "{}",
        json!({ "name": name, "value": value, "unit": unit, "peer": null, "ratio": null, "goal": goal, "holds": holds })
    );
    holds
}
