//! What a route cannot say, and what to do instead.

use std::fmt;

use pilotage_targets::{TargetError, Traffic};

/// Something that a kind of route cannot say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    what: String,
    mend: String,
}

impl Refusal {
    /// What cannot be said, and what to do instead.
    pub(super) fn new(what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { what: what.into(), mend: mend.into() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.mend)
    }
}

impl From<Refusal> for TargetError {
    fn from(refusal: Refusal) -> Self {
        Self::Unsupported { what: refusal.what, mend: refusal.mend }
    }
}

/// Refuses settings that belong to an edge of our own and that would silently be left out.
pub(super) fn edge_settings(traffic: &Traffic, who: &str) -> Result<(), Refusal> {
    if traffic.edge.as_ref().is_some_and(|edge| !edge.certificates.is_empty()) {
        return Err(Refusal::new(
            format!("certificates under `edge` where {who} takes the requests"),
            format!("take them out of `edge.certificates`, and give them to {who}"),
        ));
    }
    if traffic.preview.is_some() {
        return Err(Refusal::new(
            format!("a preview at an address of its own where {who} takes the requests"),
            "take `preview` out of the strategy; inside the cluster each version has a Service of its own",
        ));
    }
    Ok(())
}
