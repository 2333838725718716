//! What was measured since a watch began.

use serde::{Deserialize, Serialize};

use super::Evidence;

/// What was measured since a watch began.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// Why requests could not be counted, if they could not: then the numbers say nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blind: Option<String>,
    /// The new version's requests.
    pub candidate: Counted,
    /// The stable version's requests in the same time.
    pub stable: Counted,
    /// What all looks since the start of the deployment say together: it holds whenever it is looked at, and through every
    /// change of shares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tests: Option<Box<Evidence>>,
    /// The new version's instances.
    pub instances: Vec<InstanceReading>,
    /// Names of critical alerts that fire.
    pub alerts: Known<Vec<String>>,
    /// The team's own metrics.
    pub metrics: Vec<MetricReading>,
    /// What came of copies of requests, while the new version gets any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mirror: Option<MirrorReading>,
}

/// What came of copies of requests, and of the comparison of their answers with those that users got.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MirrorReading {
    /// The copies that were answered or came to nothing.
    pub copies: Counted,
    /// Of these, those that came to nothing: the connection broke, or no answer came in time.
    pub unanswered: u64,
    /// Answers that were compared.
    pub compared: u64,
    /// Of these, those with another status.
    pub differing_status: u64,
    /// Of these, those with the same status and another body.
    pub differing_body: u64,
    /// Answers that were to be compared and could not be.
    pub uncompared: u64,
    /// Requests that were to be copied and were not, for want of room.
    pub dropped: u64,
    /// Whether requests that change something were copied too.
    pub writes: bool,
}

impl Reading {
    /// What all looks say together.
    pub(super) fn evidence(&self) -> Option<&Evidence> {
        self.tests.as_deref()
    }
}

/// Requests that were counted, and how long they took.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// Requests.
    pub requests: u64,
    /// Of these, failed ones: status 500 and above, or the connection broke.
    pub failed: u64,
    /// Latencies in microseconds, where any were measured.
    pub p50_micros: Option<u64>,
    /// 95 % were faster.
    pub p95_micros: Option<u64>,
    /// 99 % were faster.
    pub p99_micros: Option<u64>,
}

/// One instance of the new version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceReading {
    /// Its name.
    pub name: String,
    /// Failed probes in a row.
    pub probe_failures: u32,
    /// How often it ended by itself since the watch began.
    pub restarts: u32,
    /// Why it was given up, if it was.
    pub failed: Option<String>,
    /// Sustained processor use as a share of its limit, in hundredths of a percent.
    pub cpu_share: Option<u32>,
    /// Sustained memory use as a share of its limit, in hundredths of a percent.
    pub memory_share: Option<u32>,
}

/// Something that somebody else was asked for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Known<T> {
    /// Nobody asked: there is nothing to ask, or the trigger is off.
    #[default]
    NotAsked,
    /// The answer.
    Value(T),
    /// There is none, and this is why.
    Unknown(String),
}

impl<T> Known<T> {
    /// Whether nobody asked.
    pub fn is_not_asked(&self) -> bool {
        matches!(self, Self::NotAsked)
    }
}

/// One metric of the team's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricReading {
    /// Its name in the file.
    pub name: String,
    /// The new version's.
    pub value: Known<f64>,
    /// The stable version's, if it is compared with.
    #[serde(default, skip_serializing_if = "Known::is_not_asked")]
    pub stable: Known<f64>,
}
