//! What is printed.

use std::collections::BTreeMap;

use pilotage_load::LoadReport;
use serde_json::{Value, json};

use crate::drill::{Drilled, Left, Size, Way, dropped};

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
    for ((kind, way), millis) in by_kind(times) {
        all_hold &= quantiles(kind, way, millis);
    }
    all_hold
}

fn reset(report: &LoadReport) -> u64 {
    report.drop_reasons.get("reset").copied().unwrap_or(0)
}

fn by_kind(times: Vec<Left>) -> BTreeMap<(&'static str, Way), Vec<f64>> {
    let mut sorted: BTreeMap<_, Vec<f64>> = BTreeMap::new();
    for Left { kind, way, millis } in times {
        sorted.entry((kind, way)).or_default().push(millis);
    }
    sorted
}

fn quantiles(kind: &str, way: Way, mut millis: Vec<f64>) -> bool {
    millis.sort_by(f64::total_cmp);
    let at = |q: f64| {
        let millis = millis[((millis.len() - 1) as f64 * q).round() as usize];
        (millis * 100.0).round() / 100.0
    };
    let way = match way {
        Way::Switch => "switch",
        Way::Rollback => "rollback",
    };
    plain(&format!("{kind}.{way}_p50"), json!(at(0.50)), "ms");
    figure(&format!("{kind}.{way}_p99"), json!(at(0.99)), "ms", "< 50", at(0.99) < 50.0)
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
