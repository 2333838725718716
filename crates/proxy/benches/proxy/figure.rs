//! What is printed.

use std::fmt;

use serde_json::json;

/// One measured figure, in the form that all benches print.
#[derive(Debug, Clone)]
pub struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    peer: Option<(String, f64)>,
    goal: Option<(Goal, bool)>,
}

/// What a figure is to be.
#[derive(Debug, Clone, Copy)]
pub enum Goal {
    /// At most so many times the peer's.
    AtMostTimes(f64),
    /// At least so many times the peer's.
    AtLeastTimes(f64),
    /// Below this.
    Below(f64),
}

impl Figure {
    /// A figure without a goal.
    pub fn plain(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { name: name.into(), value, unit, peer: None, goal: None }
    }

    /// Sets it beside a peer's value.
    #[must_use]
    pub fn beside(mut self, peer: &str, value: f64) -> Self {
        self.peer = Some((peer.to_owned(), self.value / value));
        self
    }

    /// Judges it. A goal that is relative needs a peer.
    #[must_use]
    pub fn judged(mut self, goal: Goal) -> Self {
        let ratio = self.peer.as_ref().map_or(f64::NAN, |(_, ratio)| *ratio);
        let holds = match goal {
            Goal::AtMostTimes(limit) => ratio <= limit,
            Goal::AtLeastTimes(limit) => ratio >= limit,
            Goal::Below(limit) => self.value < limit,
        };
        self.goal = Some((goal, holds));
        self
    }

    /// The goal is missed.
    pub fn fails(&self) -> bool {
        self.goal.is_some_and(|(_, holds)| !holds)
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMostTimes(limit) => write!(f, "<= {limit:.2} x"),
            Self::AtLeastTimes(limit) => write!(f, ">= {limit:.2} x"),
            Self::Below(limit) => write!(f, "< {limit}"),
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (peer, ratio) = self.peer.clone().unzip();
        let (goal, holds) = self.goal.map(|(goal, holds)| (goal.to_string(), holds)).unzip();
        let line = json!({
            "name": self.name, "value": self.value, "unit": self.unit,
            "peer": peer, "ratio": ratio, "goal": goal, "holds": holds,
        });
        write!(f, "{line}")
    }
}
