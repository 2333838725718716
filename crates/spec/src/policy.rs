//! What an environment asks of a deployment.

use serde::{Deserialize, Serialize};

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
