//! What the engine asks the conductor to do, and what the conductor tells the engine.

use std::collections::{BTreeMap, BTreeSet};

use pilotage_spec::{Digest, Version};
use serde::{Deserialize, Serialize};

use crate::Split;
use crate::judge::Reading;

/// An effect on the world. Doing one twice is the same as doing it once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "action")]
pub enum Action {
    /// Start instances until so many are there.
    Ensure {
        /// The version.
        version: Version,
        /// How many.
        replicas: u32,
    },
    /// Run the smoke suite against one ready instance of the version.
    Smoke {
        /// The version.
        version: Version,
    },
    /// Switch the traffic.
    Route(Split),
    /// Drain and stop instances until so many are left.
    Retire {
        /// The version.
        version: Version,
        /// How many stay.
        keep: u32,
    },
}

/// How an effect ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionResult {
    /// Done.
    Done,
    /// Not done.
    Failed(ActionFailure),
}

/// Why an effect was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionFailure {
    /// In words, for people.
    pub reason: String,
    /// Whether trying again may help.
    pub transient: bool,
}

/// What the target says is there now. It is asked, never remembered.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// What is known of each version that has instances.
    pub versions: BTreeMap<Version, TrafficState>,
    /// The shares in use, in hundredths of a percent.
    pub shares: BTreeMap<Version, u32>,
    /// Versions that get requests in another way than by a share: by cohort, as copies, or at an address of their own.
    pub beside: BTreeSet<Version>,
    /// What was measured since the current watch began; `None` while nobody can say.
    pub reading: Option<Reading>,
}

/// The instances of one version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrafficState {
    /// Instances that take traffic.
    pub ready: u32,
    /// Instances that are there and not given up, ready or not.
    pub alive: u32,
    /// Why instances were given up, in words.
    pub failed: Vec<String>,
    /// What they run, if all run the same.
    pub digest: Option<Digest>,
}

impl Facts {
    /// How many instances of a version take traffic.
    pub fn ready(&self, version: &Version) -> u32 {
        self.versions.get(version).map_or(0, |state| state.ready)
    }

    /// How many instances of a version are there and not given up.
    pub fn alive(&self, version: &Version) -> u32 {
        self.versions.get(version).map_or(0, |state| state.alive)
    }

    /// Why instances of a version were given up.
    pub fn failures(&self, version: &Version) -> &[String] {
        self.versions.get(version).map_or(&[], |state| &state.failed)
    }

    /// The share of a version, in hundredths of a percent.
    pub fn share(&self, version: &Version) -> u32 {
        self.shares.get(version).copied().unwrap_or(0)
    }
}
