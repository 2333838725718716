//! What a way back takes beside the cluster's own, and what it costs to look at a large estate. One JSON object a line for each
//! figure: `cargo bench -p pilotage-kubernetes --bench kube`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a bench may fail anywhere")]

#[path = "../tests/support/mod.rs"]
mod support;

#[path = "kube/estate.rs"]
mod estate;
#[path = "kube/rollback.rs"]
mod rollback;

use serde_json::json;

/// A figure beside a peer's, with what it is to be.
pub struct Figure<'a> {
    /// What it is of.
    pub name: &'a str,
    /// The figure.
    pub value: f64,
    /// What it is counted in.
    pub unit: &'a str,
    /// Who else was measured in the same run, and that one's figure.
    pub peer: Option<(&'a str, f64)>,
    /// What it is to be, in words, and whether it is.
    pub goal: Option<(&'a str, bool)>,
}

impl Figure<'_> {
    /// Writes it as one line of JSON, as `cargo xtask bench` reads it.
    pub fn print(&self) {
        let rounded = |value: f64| (value * 1_000.0).round() / 1_000.0;
        let (goal, holds) = (self.goal.map(|(goal, _)| goal), self.goal.map(|(_, holds)| holds));
        let line = json!({
            "name": self.name, "value": rounded(self.value), "unit": self.unit, "peer": self.peer.map(|(peer, _)| peer),
            "ratio": self.peer.map(|(_, value)| rounded(self.value / value)), "goal": goal, "holds": holds,
        });
        println!("{line}");
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let quick = words.iter().any(|word| word == "--quick");
    if words.first().is_some_and(|word| word == "simulate") {
        return estate::simulate();
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        rollback::measure(quick).await;
        estate::look(quick).await;
        estate::memory().await;
    });
}
