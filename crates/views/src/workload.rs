//! What serves where: the stream of each workload, and the releases that are known.

use std::net::SocketAddr;

use pilotage_engine::DeploymentId;
use pilotage_journal::{Event, EventKind, NewEvent, Reader, StreamId};
use pilotage_spec::{NameError, Release, ReleaseId, ServiceName, Timestamp, Version, Workload};
use serde::{Deserialize, Serialize};

use crate::RecordError;

/// One fact about a workload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "fact")]
pub enum WorkloadEvent {
    /// From now on it is served by this, and kept so.
    Serving(Box<Served>),
}

/// What serves a workload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    /// The release.
    pub release: Release,
    /// How many instances.
    pub replicas: u32,
    /// Where users reach it.
    pub listen: SocketAddr,
    /// The deployment that brought it.
    pub deployment: DeploymentId,
}

/// A workload with all that has served it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkloadRecord {
    /// Which.
    pub workload: Workload,
    /// The version of its stream.
    pub stream_version: u64,
    /// Oldest first; the last one serves now.
    pub served: Vec<(Timestamp, Served)>,
}

impl WorkloadRecord {
    /// What serves now.
    pub fn current(&self) -> Option<&Served> {
        self.served.last().map(|(_, served)| served)
    }

    /// What served before the current version did.
    pub fn previous(&self) -> Option<&Served> {
        let current = &self.current()?.release.id.version;
        let mut earlier = self.served.iter().rev().map(|(_, served)| served);
        earlier.find(|served| served.release.id.version != *current)
    }

    /// What served under this version last.
    pub fn find(&self, version: &Version) -> Option<&Served> {
        self.served
            .iter()
            .rev()
            .map(|(_, served)| served)
            .find(|served| served.release.id.version == *version)
    }
}

impl WorkloadEvent {
    /// The fact as the journal takes it.
    ///
    /// # Errors
    /// Never for facts of this version; the journal checks all kinds alike.
    pub fn new_event(&self) -> Result<NewEvent, RecordError> {
        json_event("workload.serving", self)
    }
}

/// The event that makes a version of a service known by its digest for ever.
///
/// # Errors
/// Never for facts of this version; the journal checks all kinds alike.
pub fn release_event(release: &ReleaseId) -> Result<NewEvent, RecordError> {
    json_event("release.recorded", release)
}

fn json_event(kind: &str, fact: &impl Serialize) -> Result<NewEvent, RecordError> {
    let payload = serde_json::to_value(fact).map_err(|error| RecordError::Payload {
        seq: 0,
        kind: kind.to_owned(),
        reason: error.to_string(),
    })?;
    Ok(NewEvent::new(kind.parse::<EventKind>()?, payload))
}

/// The stream of a workload.
///
/// # Errors
/// Never for well-formed names; the journal checks all names alike.
pub fn workload_stream(workload: &Workload) -> Result<StreamId, NameError> {
    format!("workload/{workload}").parse()
}

/// The stream of the releases of a service.
///
/// # Errors
/// Never for well-formed names; the journal checks all names alike.
pub fn release_stream(service: &ServiceName) -> Result<StreamId, NameError> {
    format!("release/{service}").parse()
}

/// All releases of a service that are known, with the version of their stream.
///
/// # Errors
/// Fails if the journal cannot be read.
pub fn releases(reader: &Reader, service: &ServiceName) -> Result<(Vec<ReleaseId>, u64), RecordError> {
    let events = reader.stream(&release_stream(service)?, 0)?;
    let stream_version = events.last().map_or(0, |event| event.version);
    let releases = events.iter().map(payload).collect::<Result<_, _>>()?;
    Ok((releases, stream_version))
}

fn payload<T: serde::de::DeserializeOwned>(event: &Event) -> Result<T, RecordError> {
    serde_json::from_value(event.payload.clone()).map_err(|error| RecordError::Payload {
        seq: event.seq,
        kind: event.kind.to_string(),
        reason: error.to_string(),
    })
}

/// Reads what has served a workload; empty if nothing ever has.
///
/// # Errors
/// Fails if the journal cannot be read.
pub fn workload_record(reader: &Reader, workload: &Workload) -> Result<WorkloadRecord, RecordError> {
    let events = reader.stream(&workload_stream(workload)?, 0)?;
    let stream_version = events.last().map_or(0, |event| event.version);
    let mut served = Vec::new();
    for event in &events {
        let WorkloadEvent::Serving(now) = payload(event)?;
        served.push((event.time, *now));
    }
    Ok(WorkloadRecord { workload: workload.clone(), stream_version, served })
}

/// All workloads that anything ever served.
///
/// # Errors
/// Fails if the journal cannot be read.
pub fn workloads(reader: &Reader) -> Result<Vec<Workload>, RecordError> {
    let streams = reader.streams("workload/")?;
    let names =
        streams.iter().filter_map(|stream| stream.as_str().strip_prefix("workload/")?.split_once('/'));
    let workload = |(environment, service): (&str, &str)| {
        Some(Workload { environment: environment.parse().ok()?, service: service.parse().ok()? })
    };
    Ok(names.filter_map(workload).collect())
}
