//! What the judge says, and from what.

use pilotage_spec::Trigger;
use serde::{Deserialize, Serialize};

use super::Trial;

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
    /// How much it counts beside others; without this it decides by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<Weight>,
}

/// How much a finding counts beside others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Weight {
    /// How much within its group, in thousandths.
    pub thousandths: u32,
    /// Its group; those without one are a group together.
    pub group: Option<String>,
}

impl Finding {
    /// Whether it decides by itself.
    pub(super) fn decides(&self) -> bool {
        !self.dry_run && self.weight.is_none()
    }

    /// Whether it speaks of what users met, and not only of instances that are up.
    pub(super) fn is_evidence(&self) -> bool {
        self.trigger.starts_with("error")
            || self.trigger.ends_with("_vs_stable")
            || self.trigger.starts_with("metrics.")
            || self.trigger.starts_with("shadow_")
            || ["kayenta", "score"].contains(&self.trigger.as_str())
    }
}

/// The judge's word with all its findings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// Drawn from those findings that count; pass only if one that speaks of requests or of the team's own metrics is, for
    /// instances that answer their probes prove nothing about a release that nobody uses.
    pub verdict: Verdict,
    /// One for each trigger that is on.
    pub findings: Vec<Finding>,
}

impl Judgement {
    /// What made it fail, in words; what it saw at all if it did not. What only reports and would have failed is said too.
    pub fn words(&self) -> String {
        // That a limit nobody has set was not crossed is not what makes a watch inconclusive.
        let resources = [Trigger::Cpu, Trigger::Memory].map(Trigger::name);
        let speaks = |finding: &Finding| {
            self.verdict != Verdict::Inconclusive || !resources.contains(&finding.trigger.as_str())
        };
        let decisive = self
            .findings
            .iter()
            .filter(|finding| finding.decides() && finding.verdict == self.verdict && speaks(finding));
        let decisive = decisive.map(|finding| finding.words.clone());
        decisive.chain(self.dry_run_words()).collect::<Vec<_>>().join("; ")
    }

    /// What an A/B test showed, in words.
    pub fn of_trial(&self) -> Option<&str> {
        self.findings
            .iter()
            .find(|finding| finding.trigger == Trial::TRIGGER)
            .map(|finding| finding.words.as_str())
    }

    /// What only reports and would have failed, in words.
    pub fn dry_run_words(&self) -> impl Iterator<Item = String> {
        let would =
            self.findings.iter().filter(|finding| finding.dry_run && finding.verdict == Verdict::Fail);
        would.map(|finding| format!("would fail (dry run): {}", finding.words))
    }
}
