//! Deployments in the journal: which stream, which kinds, and back again.

use std::time::Duration;

use pilotage_engine::judge::Reading;
use pilotage_engine::{Action, ActionResult, Deployment, DeploymentEvent, DeploymentId, FoldError, Purpose};
use pilotage_journal::{Event, EventKind, NewEvent, ReadError, Reader, StreamId};
use pilotage_spec::{NameError, Timestamp};
use thiserror::Error;

/// A fact about a deployment with the circumstances of its record.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Its place in the journal.
    pub seq: u64,
    /// Its name in the journal.
    pub id: String,
    /// When it was recorded.
    pub at: Timestamp,
    /// Who caused it.
    pub actor: String,
    /// The fact.
    pub event: DeploymentEvent,
}

/// A deployment with its whole history.
#[derive(Debug, Clone, PartialEq)]
pub struct DeploymentRecord {
    /// Its name.
    pub id: DeploymentId,
    /// The version of its stream, for optimistic concurrency.
    pub stream_version: u64,
    /// What has happened, in order.
    pub history: Vec<Recorded>,
    /// Where that has led.
    pub deployment: Deployment,
}

impl DeploymentRecord {
    /// Who asked for the deployment.
    pub fn author(&self) -> &str {
        self.history.first().map_or("", |recorded| &recorded.actor)
    }

    /// How long it took, when a way back was rehearsed, from the decision until no user was on the release any more: out and
    /// back, or the other way round for a release that served already. `None` if it has not come that far.
    pub fn way_back_took(&self) -> Option<Duration> {
        let (purpose, candidate) = (self.deployment.plan.request.purpose, self.deployment.plan.candidate());
        let stable = self.deployment.plan.stable()?;
        let (from, to) = match purpose {
            Purpose::Rehearse => (self.began_back()?, stable),
            Purpose::RehearseServing => (self.gates_passed_at()?, candidate),
            Purpose::Deploy | Purpose::Restore => return None,
        };
        let switched = self.history.iter().filter(|recorded| recorded.at >= from).find(|recorded| {
            let DeploymentEvent::Executed {
                action: Action::Route(split), result: ActionResult::Done, ..
            } = &recorded.event
            else {
                return false;
            };
            split.is_all(to)
        })?;
        Some(switched.at.since(from))
    }

    fn began_back(&self) -> Option<Timestamp> {
        let began = |recorded: &&Recorded| matches!(recorded.event, DeploymentEvent::RollbackStarted { .. });
        self.history.iter().find(began).map(|recorded| recorded.at)
    }

    fn gates_passed_at(&self) -> Option<Timestamp> {
        let checked = |recorded: &&Recorded| matches!(recorded.event, DeploymentEvent::GatesChecked { .. });
        self.history.iter().rfind(checked).map(|recorded| recorded.at)
    }

    /// What the judge went by when it spoke last.
    pub fn last_reading(&self) -> Option<&Reading> {
        self.history.iter().rev().find_map(|recorded| match &recorded.event {
            DeploymentEvent::HealthChecked { reading, .. } => reading.as_deref(),
            _ => None,
        })
    }
}

/// Why a deployment cannot be read from the journal.
#[derive(Debug, Error)]
pub enum RecordError {
    /// There is no such deployment.
    #[error("there is no deployment {0}; `pilotage history` lists them")]
    Unknown(DeploymentId),
    /// The journal cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A stream's name cannot be made.
    #[error(transparent)]
    Name(#[from] NameError),
    /// An event is not one of those that this version knows.
    #[error("entry {seq} of the journal ({kind}) cannot be read by this version: {reason}")]
    Payload {
        /// The entry.
        seq: u64,
        /// Its kind.
        kind: String,
        /// Why.
        reason: String,
    },
    /// The events contradict each other.
    #[error("the history of {id} makes no sense: {source}")]
    Fold {
        /// The deployment.
        id: DeploymentId,
        /// How.
        source: FoldError,
    },
}

/// The stream in which a deployment's events stand.
///
/// # Errors
/// Never for a well-formed id; the journal checks all names alike.
pub fn deployment_stream(id: DeploymentId) -> Result<StreamId, NameError> {
    format!("deployment/{id}").parse()
}

/// A fact as the journal takes it.
///
/// # Errors
/// Never for facts of this version; the journal checks all kinds alike.
pub fn new_event(event: &DeploymentEvent) -> Result<NewEvent, RecordError> {
    let kind: EventKind = event.kind().parse()?;
    let payload = serde_json::to_value(event).map_err(|error| RecordError::Payload {
        seq: 0,
        kind: event.kind().to_owned(),
        reason: error.to_string(),
    })?;
    Ok(NewEvent::new(kind, payload))
}

/// A fact as it was recorded.
///
/// # Errors
/// Fails on an event that this version does not know.
pub fn from_event(event: &Event) -> Result<Recorded, RecordError> {
    let fact = serde_json::from_value(event.payload.clone()).map_err(|error| RecordError::Payload {
        seq: event.seq,
        kind: event.kind.to_string(),
        reason: error.to_string(),
    })?;
    Ok(Recorded {
        seq: event.seq,
        id: event.id.to_string(),
        at: event.time,
        actor: event.actor.clone(),
        event: fact,
    })
}

/// Reads one deployment.
///
/// # Errors
/// Fails if there is none, or its history cannot be read or makes no sense.
pub fn load(reader: &Reader, id: DeploymentId) -> Result<DeploymentRecord, RecordError> {
    let events = reader.stream(&deployment_stream(id)?, 0)?;
    if events.is_empty() {
        return Err(RecordError::Unknown(id));
    }
    let stream_version = events.last().map_or(0, |event| event.version);
    let history = events.iter().map(from_event).collect::<Result<Vec<_>, _>>()?;
    let deployment = Deployment::replay(history.iter().map(|recorded| (&recorded.event, recorded.at)))
        .map_err(|source| RecordError::Fold { id, source })?;
    Ok(DeploymentRecord { id, stream_version, history, deployment })
}

/// The ids of all deployments, oldest first.
///
/// # Errors
/// Fails if the journal cannot be read.
pub fn deployments(reader: &Reader) -> Result<Vec<DeploymentId>, RecordError> {
    let streams = reader.streams("deployment/")?;
    let id =
        |stream: &StreamId| stream.as_str().strip_prefix("deployment/").and_then(|name| name.parse().ok());
    let mut ids: Vec<DeploymentId> = streams.iter().filter_map(id).collect();
    ids.sort_unstable();
    Ok(ids)
}
