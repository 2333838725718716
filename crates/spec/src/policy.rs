//! What an environment asks of a deployment.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    ConditionName, EnvironmentName, MetricSource, RoleName, TicketSystemName, WindowName, duration_ms,
};

/// What a deployment to an environment needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// The environment's name must be typed, or passed by `--confirm`. On for `production`.
    pub confirm: bool,
    /// Only strategies that move gradually or can switch back at once (canary, rolling, blue-green). On for `production`.
    pub gradual: bool,
    /// What follows where a watch has ended and too little was seen in it. `raise` for `production`, else `go-on`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub inconclusive: Inconclusive,
    /// What follows where a watch is planned in which nothing can be seen.
    #[serde(default, skip_serializing_if = "is_default")]
    pub blind_watch: BlindWatch,
    /// Who must have approved.
    #[serde(default, skip_serializing_if = "is_default")]
    pub approvals: Option<Approvals>,
    /// Which ticket must have been approved.
    #[serde(default, skip_serializing_if = "is_default")]
    pub ticket: Option<TicketFrom>,
    /// Whether the service must have a smoke suite.
    #[serde(default, skip_serializing_if = "is_default")]
    pub smoke: bool,
    /// Whether the way back of this very release must have been rehearsed in another environment.
    #[serde(default, skip_serializing_if = "is_default")]
    pub rehearsed: bool,
    /// The environments that must be served by the very same release: those of the waves before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<EnvironmentName>,
    /// The environments of which one must have been passed by the very same artifact; none in the list means that nothing can
    /// satisfy it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub artifact_from: Option<Vec<EnvironmentName>>,
    /// Whether the services that this one needs must be healthy, not only deployed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub dependencies: bool,
    /// The error budget of which some must be left.
    #[serde(default, skip_serializing_if = "is_default")]
    pub error_budget: Option<ErrorBudget>,
    /// The windows of which every one must be open.
    #[serde(default, skip_serializing_if = "is_default")]
    pub windows: Vec<WindowName>,
    /// The team's own conditions, all of which must hold.
    #[serde(default, skip_serializing_if = "is_default")]
    pub conditions: Vec<ConditionName>,
    /// Whether the scripts that a deployment runs must have been approved by digest.
    #[serde(default, skip_serializing_if = "is_default")]
    pub scripts: bool,
    /// Who may break the glass, and of which gates.
    #[serde(default, skip_serializing_if = "is_default")]
    pub break_glass: BreakGlass,
}

/// How much an environment asks for where its policy does not say otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyLevel {
    /// All that is asked for production by default.
    Strict,
    /// One approval.
    Reviewed,
    /// Nothing.
    Open,
}

impl PolicyLevel {
    /// The words of the file.
    pub const WORDS: [(&'static str, Self); 3] =
        [("strict", Self::Strict), ("reviewed", Self::Reviewed), ("open", Self::Open)];
}

/// Who must have approved a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approvals {
    /// How many people.
    pub count: u32,
    /// Groups from each of which at least one of them must be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<RoleName>,
    /// How long an approval is valid after it was given.
    #[serde(with = "duration_ms", rename = "expires_ms")]
    pub expires: Duration,
    /// How often those who are asked are reminded.
    #[serde(with = "duration_ms", rename = "remind_ms")]
    pub remind: Duration,
}

impl Approvals {
    /// An approval is valid for a day unless the policy says otherwise.
    pub const EXPIRES: Duration = Duration::from_secs(24 * 60 * 60);
    /// Who is asked is reminded every four hours unless the policy says otherwise.
    pub const REMIND: Duration = Duration::from_secs(4 * 60 * 60);

    /// So many people of any group, with the usual times.
    pub fn of(count: u32) -> Self {
        Self { count, groups: Vec::new(), expires: Self::EXPIRES, remind: Self::REMIND }
    }
}

/// Where the change ticket must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TicketFrom {
    /// In any of the project's ticket systems.
    Any,
    /// In this one.
    System(TicketSystemName),
}

/// An error budget: what an objective leaves for failures within its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBudget {
    /// Share of requests that must succeed, in hundredths of a percent, below 10,000.
    pub objective: u32,
    /// Where the share of failed requests over the objective's time is read, as a number from 0 to 1.
    pub failing: MetricSource,
    /// Share of the budget that must be left, in hundredths of a percent.
    pub least: u32,
}

/// Who may go past gates in an emergency, and past which.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreakGlass {
    /// The roles whose holders may; nobody if there is none.
    pub roles: Vec<RoleName>,
    /// The gates.
    pub gates: Vec<BreakableGate>,
}

/// A gate that may be gone past in an emergency. All others hold always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BreakableGate {
    /// The windows and freezes.
    Window,
    /// The ticket.
    Ticket,
    /// The approvals.
    Approvals,
    /// The rehearsal of the way back.
    Rehearsed,
    /// The environment that the artifact must have passed.
    Artifact,
    /// The error budget.
    ErrorBudget,
}

impl BreakableGate {
    /// The words of the file, which are the gates' ids.
    pub const WORDS: [(&'static str, Self); 6] = [
        ("window", Self::Window),
        ("ticket", Self::Ticket),
        ("approvals", Self::Approvals),
        ("rehearsed", Self::Rehearsed),
        ("artifact", Self::Artifact),
        ("error-budget", Self::ErrorBudget),
    ];

    /// The gate's id.
    pub fn id(self) -> &'static str {
        Self::WORDS.into_iter().find(|(_, gate)| *gate == self).map_or("", |(id, _)| id)
    }
}

/// What follows where a watch has ended and too little was seen in it to call the new version good or bad.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Inconclusive {
    /// The next step is taken.
    #[default]
    GoOn,
    /// The next step is taken as long as it leaves the stable version some of the traffic; then as with `hold`.
    Raise,
    /// The watch goes on until enough was seen, or a person promotes.
    Hold,
    /// The watch goes on up to three times as long as planned; then as with `roll-back`.
    Extend,
    /// The release is taken back.
    RollBack,
}

impl Inconclusive {
    /// The words of the file.
    pub const WORDS: [(&'static str, Self); 5] = [
        ("go-on", Self::GoOn),
        ("raise", Self::Raise),
        ("hold", Self::Hold),
        ("extend", Self::Extend),
        ("roll-back", Self::RollBack),
    ];
}

/// What follows where a watch is planned in which not even a release that fails every request would be noticed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BlindWatch {
    /// The plan says so.
    #[default]
    Warn,
    /// The gate `sighted` refuses the plan.
    Refuse,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
