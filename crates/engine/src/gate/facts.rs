//! What gates may know beside the plan. Every fact may be missing, and a missing one never helps a plan.

use std::time::Duration;

use pilotage_spec::{
    ConditionName, Digest, EnvironmentName, Identity, Policy, ReleaseId, ServiceName, Timestamp, Version,
    WindowName, duration_ms,
};
use serde::{Deserialize, Serialize};

use crate::approval::Statement;
use crate::forecast::CurrentTraffic;
use crate::judge::Known;

/// What gates may know beside the plan.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GateFacts {
    /// The time.
    pub now: Option<Timestamp>,
    /// The policy of the plan's environment as the file says now.
    pub policy: Option<Policy>,
    /// What serves now.
    pub serving: Option<Serving>,
    /// The environment's name as the person typed it, or passed it by `--confirm`.
    pub confirmation: Option<String>,
    /// The traffic as the edge sees it now.
    pub traffic: Option<CurrentTraffic>,
    /// Who asked for the deployment.
    pub requester: Option<Identity>,
    /// Who brought the release in first.
    pub author: Option<Identity>,
    /// What was said of the plan, oldest first.
    #[serde(default)]
    pub statements: Vec<Statement>,
    /// Who may approve here.
    #[serde(default)]
    pub approvers: Vec<Identity>,
    /// The change ticket, if one was named.
    #[serde(default)]
    pub ticket: Known<TicketFact>,
    /// The windows that the policy names.
    #[serde(default)]
    pub windows: Vec<WindowFact>,
    /// Where the service has been deployed successfully, with which artifact.
    pub passed: Option<Vec<Passed>>,
    /// How the release is doing in the environments that come before.
    #[serde(default)]
    pub earlier: Vec<Earlier>,
    /// The rehearsals of the service's ways back.
    pub rehearsals: Option<Vec<Rehearsal>>,
    /// The services that this one needs.
    pub dependencies: Option<Vec<Dependency>>,
    /// The share of failed requests over the time of the error budget, from 0 to 1.
    #[serde(default)]
    pub failing: Known<f64>,
    /// The scripts that a deployment runs.
    pub scripts: Option<Vec<Script>>,
    /// What the team's own conditions say.
    #[serde(default)]
    pub conditions: Vec<ConditionFact>,
    /// An emergency that somebody has declared.
    pub emergency: Option<Emergency>,
}

/// What serves a workload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Serving {
    /// Nothing has been deployed yet.
    Nothing,
    /// This release.
    Release(ReleaseId),
}

/// How the release is doing in an environment that comes before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earlier {
    /// The environment.
    pub environment: EnvironmentName,
    /// How it is doing there.
    pub state: EarlierState,
}

/// How a release is doing somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EarlierState {
    /// It serves.
    Serves,
    /// It is on its way, or has not been deployed there.
    NotYet,
    /// It was taken back, or never came to serve.
    TakenBack,
}

/// A change ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketFact {
    /// The ticket system's name in the file.
    pub system: String,
    /// The ticket's name in it.
    pub key: String,
    /// Where people see it.
    pub url: Option<String>,
    /// Its state, as the system calls it.
    pub state: String,
    /// Whether that state counts as approved.
    pub approved: bool,
    /// The services that it is about.
    pub services: Option<Vec<String>>,
    /// The environments that it is about.
    pub environments: Option<Vec<String>>,
    /// When the change is planned.
    pub planned: Planned,
    /// Whom to ask.
    pub assignee: Option<String>,
    /// Whether it collides with other changes.
    pub conflict: Conflict,
}

/// Whether a change collides with others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conflict {
    /// It does not, as far as its system says; or that does not look for any.
    None,
    /// It does; with what, in words.
    With(String),
}

/// When a change is planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Planned {
    /// Within this time.
    Within {
        /// Its beginning.
        from: Timestamp,
        /// Its end.
        to: Timestamp,
    },
    /// The ticket should say when, and does not.
    Missing,
    /// Tickets of this system never say when.
    NotAsked,
}

/// A window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowFact {
    /// Its name.
    pub name: WindowName,
    /// Whether it is open; or why nobody can tell.
    pub open: Result<bool, String>,
    /// Why, in words.
    pub why: String,
    /// When that changes, if that is known.
    pub until: Option<Timestamp>,
}

/// A deployment that has succeeded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passed {
    /// Where.
    pub environment: EnvironmentName,
    /// Which version.
    pub version: Version,
    /// Which artifact.
    pub digest: Digest,
    /// When.
    pub at: Timestamp,
}

/// A way back that was tried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rehearsal {
    /// Where.
    pub environment: EnvironmentName,
    /// From which version.
    pub version: Version,
    /// With which artifact.
    pub digest: Digest,
    /// How long it took until no user was on that version any more.
    #[serde(with = "duration_ms", rename = "took_ms")]
    pub took: Duration,
    /// When.
    pub at: Timestamp,
}

/// A service that another one needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dependency {
    /// Its name.
    pub service: ServiceName,
    /// How many instances of it there should be; 0 if it was never deployed here.
    pub wanted: u32,
    /// How many are ready.
    pub ready: u32,
    /// What is wrong with it, in words.
    pub troubles: Vec<String>,
}

/// A script that a deployment runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Script {
    /// Its file, or the beginning of its command.
    pub name: String,
    /// What it is now; or why nobody can tell.
    pub digest: Result<Digest, String>,
    /// What was approved.
    pub approved: Option<Digest>,
}

/// What a condition says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConditionFact {
    /// Its name.
    pub name: ConditionName,
    /// Its decision.
    pub decision: ConditionDecision,
}

/// What a condition decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConditionDecision {
    /// It holds.
    Allow,
    /// It does not; with its message.
    Deny(String),
    /// It cannot be told; why.
    Error(String),
}

/// An emergency that somebody has declared, so that gates may be gone past.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Emergency {
    /// Who.
    pub by: Identity,
    /// Why.
    pub reason: String,
}
