//! What serves where: the stream of each workload, and the releases that are known.

use std::net::SocketAddr;
use std::time::Duration;

use pilotage_engine::gate::{Passed, Rehearsal};
use pilotage_engine::{DeploymentId, Purpose};
use pilotage_journal::{Event, EventKind, NewEvent, Reader, StreamId};
use pilotage_spec::{
    ControllerOrder, NameError, Release, ReleaseId, RolloutController, RouteSettings, ServiceName, Timestamp,
    Version, Workload, duration_ms,
};
use serde::{Deserialize, Serialize};

use crate::RecordError;

/// One fact about a workload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "fact")]
pub enum WorkloadEvent {
    /// From now on it is served by this, and kept so.
    Serving(Box<Served>),
    /// A way back was tried out.
    Rehearsed(Rehearsed),
    /// What serves it is reached like this from now on.
    Rerouted {
        /// Its route.
        route: Box<RouteSettings>,
        /// What was typed or called.
        command: String,
    },
    /// Instances were given secrets anew while they ran.
    SecretsRotated {
        /// Which, by reference.
        secrets: Vec<String>,
        /// To which instances.
        instances: Vec<String>,
    },
    /// Somebody has an order for the controller that runs the rollouts of the workload. Recorded before it is given.
    Ordered(Ordered),
}

/// An order to a controller that runs rollouts itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ordered {
    /// Which controller.
    pub controller: RolloutController,
    /// What it is told.
    pub order: ControllerOrder,
    /// Why, if that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What was typed or called.
    pub command: String,
    /// Set when it is recorded once more, because it could not be given: why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// A way back that was tried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rehearsed {
    /// From which release.
    pub release: ReleaseId,
    /// How long it took until no user was on it any more.
    #[serde(with = "duration_ms", rename = "took_ms")]
    pub took: Duration,
    /// The deployment that has done it.
    pub deployment: DeploymentId,
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
    /// Which requests are its own, and what is done for them on the way.
    #[serde(default, skip_serializing_if = "RouteSettings::is_default")]
    pub route: RouteSettings,
    /// The deployment that brought it.
    pub deployment: DeploymentId,
    /// Whether it was brought out, or gone back to.
    #[serde(default = "deploy")]
    pub purpose: Purpose,
    /// Whether it cannot run beside another version, and was brought out by stopping the one before.
    #[serde(default)]
    pub takes_downtime: bool,
}

fn deploy() -> Purpose {
    Purpose::Deploy
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

    /// What to go back to: what served before the current version, leaving out what was gone back from.
    pub fn previous(&self) -> Option<&Served> {
        let mut good: Vec<&Served> = Vec::new();
        for (_, served) in &self.served {
            let version = &served.release.id.version;
            let known = good.iter().position(|earlier| earlier.release.id.version == *version);
            match (served.purpose, known) {
                (Purpose::Restore, Some(at)) => good.truncate(at),
                (_, Some(at)) => drop(good.remove(at)),
                (_, None) => {}
            }
            good.push(served);
        }
        good.pop();
        good.pop()
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
        let kind = match self {
            Self::Serving(_) => "workload.serving",
            Self::Rehearsed(_) => "workload.rehearsed",
            Self::Rerouted { .. } => "workload.rerouted",
            Self::SecretsRotated { .. } => "workload.secrets_rotated",
            Self::Ordered(_) => "workload.ordered",
        };
        json_event(kind, self)
    }
}

/// The event that makes a version of a service known by its digest for ever.
///
/// # Errors
/// Never for facts of this version; the journal checks all kinds alike.
pub fn release_event(release: &ReleaseId) -> Result<NewEvent, RecordError> {
    json_event("release.recorded", release)
}

/// A fact as the journal takes it.
pub(crate) fn json_event(kind: &str, fact: &impl Serialize) -> Result<NewEvent, RecordError> {
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

/// Who made a release known; `None` if it is not known.
///
/// # Errors
/// Fails if the journal cannot be read.
pub fn release_author(
    reader: &Reader,
    service: &ServiceName,
    release: &ReleaseId,
) -> Result<Option<String>, RecordError> {
    for event in reader.stream(&release_stream(service)?, 0)? {
        if payload::<ReleaseId>(&event)? == *release {
            return Ok(Some(event.actor));
        }
    }
    Ok(None)
}

/// The fact in an event.
pub(crate) fn payload<T: serde::de::DeserializeOwned>(event: &Event) -> Result<T, RecordError> {
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
    let mut served: Vec<(Timestamp, Served)> = Vec::new();
    for event in &events {
        match (payload(event)?, served.last_mut()) {
            (WorkloadEvent::Serving(now), _) => served.push((event.time, *now)),
            (WorkloadEvent::Rehearsed(_), _) => {}
            (WorkloadEvent::Rerouted { route, .. }, Some((_, now))) => now.route = *route,
            // Nothing serves that could be reached otherwise; and secrets and orders change nothing of what serves.
            (WorkloadEvent::Rerouted { .. }, None)
            | (WorkloadEvent::SecretsRotated { .. } | WorkloadEvent::Ordered(_), _) => {}
        }
    }
    Ok(WorkloadRecord { workload: workload.clone(), stream_version, served })
}

/// Where a service has been deployed successfully, and where its ways back were rehearsed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ServicePast {
    /// Every deployment that has succeeded, by environment and time.
    pub passed: Vec<Passed>,
    /// Every rehearsal, by environment and time.
    pub rehearsals: Vec<Rehearsal>,
}

/// Reads where a service has been.
///
/// # Errors
/// Fails if the journal cannot be read.
pub fn service_past(reader: &Reader, service: &ServiceName) -> Result<ServicePast, RecordError> {
    let mut past = ServicePast::default();
    for workload in workloads(reader)?.into_iter().filter(|workload| workload.service == *service) {
        for event in reader.stream(&workload_stream(&workload)?, 0)? {
            let (environment, at) = (workload.environment.clone(), event.time);
            match payload(&event)? {
                WorkloadEvent::Serving(served) if served.purpose == Purpose::Deploy => {
                    let ReleaseId { version, digest } = served.release.id;
                    past.passed.push(Passed { environment, version, digest, at });
                }
                WorkloadEvent::Rehearsed(Rehearsed { release, took, .. }) => {
                    let ReleaseId { version, digest } = release;
                    past.rehearsals.push(Rehearsal { environment, version, digest, took, at });
                }
                WorkloadEvent::Serving(_)
                | WorkloadEvent::Rerouted { .. }
                | WorkloadEvent::SecretsRotated { .. }
                | WorkloadEvent::Ordered(_) => {}
            }
        }
    }
    Ok(past)
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use pilotage_spec::{Digest, Health, InstanceSpec, Resources};

    use super::*;

    fn served(version: &str, purpose: Purpose) -> (Timestamp, Served) {
        let health = Health { live: None, ready: None, interval: Duration::ZERO, timeout: Duration::ZERO };
        let instance = InstanceSpec {
            run: Vec::new(),
            env: [].into(),
            health,
            resources: Resources::default(),
            stop_grace: Duration::ZERO,
            start_timeout: Duration::ZERO,
            reload: None,
            image: None,
            container_port: None,
            kubernetes: None,
            objects: None,
            smoke: Vec::new(),
            listen: Default::default(),
            protocol: Default::default(),
        };
        let id = ReleaseId { version: version.parse().unwrap(), digest: Digest::from_bytes([1; 32]) };
        let served = Served {
            release: Release { id, instance },
            replicas: 1,
            listen: "127.0.0.1:1".parse().unwrap(),
            route: RouteSettings::default(),
            deployment: DeploymentId(1),
            purpose,
            takes_downtime: false,
        };
        (Timestamp::from_micros(0), served)
    }

    fn previous(history: &[(&str, Purpose)]) -> Option<String> {
        let workload = Workload { environment: "dev".parse().unwrap(), service: "api".parse().unwrap() };
        let served = history.iter().map(|(version, purpose)| served(version, *purpose)).collect();
        let record = WorkloadRecord { workload, stream_version: 0, served };
        record.previous().map(|served| served.release.id.version.to_string())
    }

    #[test]
    fn going_back_twice_does_not_bring_the_bad_version_back() {
        use Purpose::{Deploy, Restore};
        assert_eq!(previous(&[("1.0.0", Deploy)]), None);
        assert_eq!(previous(&[("1.0.0", Deploy), ("2.0.0", Deploy)]).as_deref(), Some("1.0.0"));
        assert_eq!(previous(&[("1.0.0", Deploy), ("2.0.0", Deploy), ("1.0.0", Restore)]), None);
        let three = [("1.0.0", Deploy), ("2.0.0", Deploy), ("3.0.0", Deploy), ("2.0.0", Restore)];
        assert_eq!(previous(&three).as_deref(), Some("1.0.0"));
        let mended = [("1.0.0", Deploy), ("2.0.0", Deploy), ("1.0.0", Restore), ("2.0.1", Deploy)];
        assert_eq!(previous(&mended).as_deref(), Some("1.0.0"));
        let grown = [("1.0.0", Deploy), ("2.0.0", Deploy), ("2.0.0", Deploy)];
        assert_eq!(previous(&grown).as_deref(), Some("1.0.0"));
    }
}
