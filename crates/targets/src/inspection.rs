//! How a target stands, for whoever sets it up or looks for what is wrong with it.

use serde::{Deserialize, Serialize};

/// What was found of one environment's target: whether it can be reached, which version it is, what we may do there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inspection {
    /// In the order in which they are to be read. Empty: there is nothing that could be wrong with it.
    pub findings: Vec<Finding>,
}

impl Inspection {
    /// Adds a finding at the end.
    pub fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Adds several.
    pub fn extend(&mut self, findings: impl IntoIterator<Item = Finding>) {
        self.findings.extend(findings);
    }

    /// Whether nothing keeps deployments from the target.
    pub fn is_good(&self) -> bool {
        self.findings.iter().all(|finding| finding.verdict != Verdict::Bad)
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What it is about, in one word: `server`, `identity`, `rights`.
    pub subject: String,
    /// How it is.
    pub verdict: Verdict,
    /// What was found.
    pub text: String,
    /// What to do about it; may have several lines, to be copied as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Good,
    /// Worth knowing; deployments go on.
    Note,
    /// Deployments will fail.
    Bad,
}

impl Finding {
    /// Something that is as it should be.
    pub fn good(subject: &str, text: impl Into<String>) -> Self {
        Self::new(subject, Verdict::Good, text)
    }

    /// Something worth knowing.
    pub fn note(subject: &str, text: impl Into<String>) -> Self {
        Self::new(subject, Verdict::Note, text)
    }

    /// Something that keeps deployments from the target.
    pub fn bad(subject: &str, text: impl Into<String>) -> Self {
        Self::new(subject, Verdict::Bad, text)
    }

    /// The same with what to do about it.
    #[must_use]
    pub fn mend(self, mend: impl Into<String>) -> Self {
        Self { mend: Some(mend.into()), ..self }
    }

    fn new(subject: &str, verdict: Verdict, text: impl Into<String>) -> Self {
        Self { subject: subject.to_owned(), verdict, text: text.into(), mend: None }
    }
}
