//! What a live `Rollout` says of itself.

use serde_json::Value;

use super::super::scene::{items, text};

/// How a Rollout is, in Argo's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RolloutPhase {
    /// Everything runs the version that its `spec` says.
    Healthy,
    /// It is on its way.
    Progressing,
    /// It waits.
    Paused,
    /// It was aborted, or cannot go on.
    Degraded,
    /// Nobody has said.
    Unknown,
}

impl RolloutPhase {
    /// Argo's word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Healthy => "Healthy",
            Self::Progressing => "Progressing",
            Self::Paused => "Paused",
            Self::Degraded => "Degraded",
            Self::Unknown => "Unknown",
        }
    }
}

/// A Rollout as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolloutState {
    /// How it is. What was said of an older `spec` is not said of this one.
    pub phase: RolloutPhase,
    /// Whether the controller has seen the newest generation.
    pub seen: bool,
    /// Why, in the controller's words.
    pub message: String,
    /// What it waits for: the reasons of its pause conditions.
    pub waits_for: Vec<String>,
    /// Somebody, or an analysis, has aborted it: by Pilotage, or by hand.
    pub aborted: bool,
    /// Whether the new version is the stable one too.
    pub promoted: bool,
    /// How many of its steps are done, and how many there are.
    pub steps: (usize, usize),
    /// The share of the new version in percent, as the controller has set it.
    pub weight: u32,
}

impl RolloutState {
    /// Reads a Rollout.
    pub fn of(rollout: &Value) -> Self {
        let steps = items(rollout, "/spec/strategy/canary/steps");
        let done = rollout.pointer("/status/currentStepIndex").and_then(Value::as_u64).unwrap_or_default();
        let done = usize::try_from(done).unwrap_or(usize::MAX).min(steps.len());
        let waits = items(rollout, "/status/pauseConditions").iter();
        let waits_for: Vec<String> =
            waits.filter_map(|wait| text(wait, "/reason")).map(str::to_owned).collect();
        let aborted = flag(rollout, "/status/abort");
        let promoted = is_promoted(rollout);
        let (phase, message) = phase(rollout, &waits_for);
        let weight = weight(rollout, steps, done, promoted, aborted);
        let seen = is_observed(rollout);
        Self { phase, seen, message, waits_for, aborted, promoted, steps: (done, steps.len()), weight }
    }
}

fn flag(rollout: &Value, pointer: &str) -> bool {
    rollout.pointer(pointer).and_then(Value::as_bool).unwrap_or_default()
}

fn is_promoted(rollout: &Value) -> bool {
    let stable = text(rollout, "/status/stableRS").filter(|hash| !hash.is_empty());
    stable.is_some() && stable == text(rollout, "/status/currentPodHash")
}

/// The rules of Argo's own command line: what it says counts once it has seen this generation, and once a pause that somebody has
/// ended is ended.
fn phase(rollout: &Value, waits_for: &[String]) -> (RolloutPhase, String) {
    if !is_observed(rollout) {
        return (RolloutPhase::Progressing, "the controller has not seen the change yet".to_owned());
    }
    if flag(rollout, "/status/controllerPause") && waits_for.is_empty() {
        return (RolloutPhase::Progressing, "the controller is ending its pause".to_owned());
    }
    let message = text(rollout, "/status/message").unwrap_or_default().to_owned();
    let phase = match text(rollout, "/status/phase") {
        Some("Healthy") => RolloutPhase::Healthy,
        Some("Progressing") => RolloutPhase::Progressing,
        Some("Paused") => RolloutPhase::Paused,
        Some("Degraded") => RolloutPhase::Degraded,
        _ => RolloutPhase::Unknown,
    };
    (phase, message)
}

/// `observedGeneration` is a number written as text; before version 0.10 it was a digest, which says nothing, and which may be
/// all digits. Some tools write a number.
fn is_observed(rollout: &Value) -> bool {
    let generation = rollout.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or_default();
    let observed = rollout.pointer("/status/observedGeneration");
    match observed
        .map(|said| said.as_i64().map_or_else(|| said.as_str().map(str::parse::<i64>), |n| Some(Ok(n))))
    {
        None => false,
        Some(Some(Ok(observed))) => observed >= generation,
        Some(Some(Err(_)) | None) => true,
    }
}

/// As the status says it, else by the last step that sets one.
fn weight(rollout: &Value, steps: &[Value], done: usize, promoted: bool, aborted: bool) -> u32 {
    if promoted {
        return 100;
    }
    if let Some(weight) = rollout.pointer("/status/canary/weights/canary/weight").and_then(Value::as_u64) {
        return u32::try_from(weight.min(100)).unwrap_or(100);
    }
    if aborted {
        return 0;
    }
    if steps.is_empty() {
        return by_replicas(rollout);
    }
    // The step that is being done counts, and with all of them done the new version has everything.
    if done == steps.len() {
        return 100;
    }
    let begun = steps.iter().take(done + 1);
    let set = begun.filter_map(|step| step.get("setWeight").and_then(Value::as_u64)).next_back();
    u32::try_from(set.unwrap_or_default().min(100)).unwrap_or(100)
}

/// Without steps, new instances take the place of old ones as fast as they become ready.
fn by_replicas(rollout: &Value) -> u32 {
    let count = |pointer: &str| rollout.pointer(pointer).and_then(Value::as_u64).unwrap_or_default();
    let all = count("/status/replicas");
    let percent = (count("/status/updatedReplicas") * 100).checked_div(all).unwrap_or_default();
    u32::try_from(percent.min(100)).unwrap_or(100)
}
