//! What the judge says, and from what.

use serde::{Deserialize, Serialize};

/// What the judge says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// There was enough to see, and nothing wrong with it.
    Pass,
    /// At least one trigger has fired.
    Fail,
    /// There was too little to see: neither good nor bad.
    Inconclusive,
}

/// What one trigger saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The trigger as written in the file, such as `error_rate`.
    pub trigger: String,
    /// What it says.
    pub verdict: Verdict,
    /// What it saw, in words with numbers.
    pub words: String,
    /// It is only reported.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

impl Finding {
    /// Whether it speaks of what users met, and not only of instances that are up.
    fn is_evidence(&self) -> bool {
        self.trigger.starts_with("error")
            || self.trigger.ends_with("_vs_stable")
            || self.trigger.starts_with("metrics.")
            || self.trigger == "kayenta"
    }
}

/// The judge's word with all its findings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// Fail if any finding is; else pass if any that speaks of requests or of the team's own metrics is; else
    /// inconclusive, for instances that answer their probes prove nothing about a release that nobody uses.
    pub verdict: Verdict,
    /// One for each trigger that is on.
    pub findings: Vec<Finding>,
}

impl Judgement {
    /// Draws the verdict from the findings.
    pub(super) fn of(findings: Vec<Finding>) -> Self {
        let heard = || findings.iter().filter(|finding| !finding.dry_run);
        let fails = heard().any(|finding| finding.verdict == Verdict::Fail);
        let passes = heard().any(|finding| finding.verdict == Verdict::Pass && finding.is_evidence());
        let verdict = match (fails, passes) {
            (true, _) => Verdict::Fail,
            (false, true) => Verdict::Pass,
            (false, false) => Verdict::Inconclusive,
        };
        Self { verdict, findings }
    }

    /// What made it fail, in words; what it saw at all if it did not. What only reports and would have failed is said too.
    pub fn words(&self) -> String {
        let heard =
            self.findings.iter().filter(|finding| !finding.dry_run && finding.verdict == self.verdict);
        let would =
            self.findings.iter().filter(|finding| finding.dry_run && finding.verdict == Verdict::Fail);
        let heard = heard.map(|finding| finding.words.clone());
        let would = would.map(|finding| format!("would fail, but only reports: {}", finding.words));
        heard.chain(would).collect::<Vec<_>>().join("; ")
    }
}
