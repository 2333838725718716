//! What is printed: one JSON object a figure.

use serde_json::{Value, json};

/// The figures so far, and whether all goals are met.
#[derive(Debug, Default)]
pub struct Figures {
    missed: bool,
}

impl Figures {
    /// The median and the greatest of some times, in milliseconds, beside a peer's median.
    pub fn times(&mut self, name: &str, millis: &[f64], peer: Option<f64>, limit: f64) {
        let middle = median(millis);
        let is_faster = peer.is_none_or(|peer| middle < peer);
        let holds = middle < limit && is_faster;
        let peer_name = peer.map(|_| "docker service rollback");
        let ratio = peer.map(|peer| round(middle / peer));
        self.print(
            &format!("{name}_p50"),
            json!(round(middle)),
            "ms",
            peer_name,
            ratio,
            &format!("< {limit}"),
            holds,
        );
        if let Some(peer) = peer {
            self.print(&format!("{name}_p50_of_swarm"), json!(round(peer)), "ms", None, None, "", true);
        }
        let longest = millis.iter().copied().fold(0.0, f64::max);
        self.print(
            &format!("{name}_max"),
            json!(round(longest)),
            "ms",
            None,
            None,
            &format!("< {limit}"),
            longest < limit,
        );
    }

    pub fn at_least(&mut self, name: &str, value: u64, unit: &str, goal: u64) {
        self.print(name, json!(value), unit, None, None, &format!(">= {goal}"), value >= goal);
    }

    pub fn none(&mut self, name: &str, value: u64) {
        self.print(name, json!(value), "requests", None, None, "0", value == 0);
    }

    pub fn plain(&mut self, name: &str, value: u64, unit: &str) {
        self.print(name, json!(value), unit, None, None, "", true);
    }

    pub fn all_hold(&self) -> bool {
        !self.missed
    }

    #[expect(clippy::too_many_arguments, reason = "a figure has so many columns")]
    fn print(
        &mut self,
        name: &str,
        value: Value,
        unit: &str,
        peer: Option<&str>,
        ratio: Option<f64>,
        goal: &str,
        holds: bool,
    ) {
        self.missed |= !holds;
        println!(
            "{}",
            json!({
                "name": format!("docker.{name}"), "value": value, "unit": unit, "peer": peer, "ratio": ratio, "goal": goal,
                "holds": holds
            })
        );
    }
}

/// The middle of some times.
pub fn median(times: &[f64]) -> f64 {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::INFINITY)
}

fn round(number: f64) -> f64 {
    (number * 1_000.0).round() / 1_000.0
}
