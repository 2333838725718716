//! What strategies are made of that do not simply raise a share.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Condition, duration_ms};

/// One stage of a strategy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// So many of the clients go to the new version, and it is watched.
    Share {
        /// In hundredths of a percent.
        share: u32,
        /// For how long.
        #[serde(with = "duration_ms", rename = "watch_ms")]
        watch: Duration,
    },
    /// A cohort goes to the new version as well, and it is watched. Cohorts of earlier stages stay with it.
    Cohort {
        /// Which clients.
        cohort: Ring,
        /// For how long.
        #[serde(with = "duration_ms", rename = "watch_ms")]
        watch: Duration,
    },
    /// The new version gets copies of requests while it is watched, and none afterwards.
    Mirror {
        /// Which copies.
        copies: Copies,
        /// For how long.
        #[serde(with = "duration_ms", rename = "watch_ms")]
        watch: Duration,
    },
    /// Nothing happens until a person lets it go on.
    Hold,
    /// The service's smoke suite is run against the new version.
    Smoke,
}

/// A cohort before it is known which version takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ring {
    /// What it is called, in messages.
    pub name: String,
    /// What a request must have to belong to it.
    pub when: Condition,
    /// Which part of its clients goes to the new version, in hundredths of a percent.
    pub share: u32,
}

/// Which requests are copied, and how their answers are compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copies {
    /// Which part of the requests, in hundredths of a percent.
    pub share: u32,
    /// Whether requests that change something are copied too. Only the team knows that this does no harm.
    pub writes: bool,
    /// Whether the bodies of the answers are compared, beside their status.
    pub bodies: bool,
    /// Parts of JSON bodies that may differ, as JSON pointers; `*` stands for any name or index.
    pub ignore: Vec<String>,
}

/// What a canary is compared with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Baseline {
    /// The stable version as it runs.
    #[default]
    Stable,
    /// A copy of the stable version that is started together with the new one and gets as much traffic.
    Fresh,
}

impl Baseline {
    /// Whether it is the stable version as it runs.
    pub fn is_stable(&self) -> bool {
        *self == Self::Stable
    }
}
