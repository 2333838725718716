//! One deployment's stream, read and written.

use std::time::Duration;

use pilotage_engine::{Deployment, DeploymentEvent, DeploymentId, Request};
use pilotage_journal::{Append, AppendError, Expected, Journal, LeaseName, StreamId};
use pilotage_views::{self as views, DeploymentRecord, RecordError, WorkloadEvent};

use crate::{ConductorError, crash};

/// The name under which the control plane records what nobody asked for.
pub(crate) const SELF: &str = "pilotage";

/// The right to record facts of a deployment: its workload's lease.
#[derive(Debug, Clone)]
pub(crate) struct Right {
    pub(crate) lease: LeaseName,
    pub(crate) token: u64,
}

/// A deployment with the means to add to its history.
pub(crate) struct DeploymentLog {
    journal: Journal,
    stream: StreamId,
    record: DeploymentRecord,
}

impl DeploymentLog {
    pub(crate) fn load(journal: &Journal, id: DeploymentId) -> Result<Self, ConductorError> {
        let record = views::load(&journal.reader(), id)?;
        Ok(Self { journal: journal.clone(), stream: views::deployment_stream(id)?, record })
    }

    pub(crate) fn id(&self) -> DeploymentId {
        self.record.id
    }

    /// Who asked for it.
    pub(crate) fn author(&self) -> &str {
        self.record.author()
    }

    /// How long it took, when a way back was rehearsed, until no user was on the release any more.
    pub(crate) fn way_back_took(&self) -> Option<Duration> {
        self.record.way_back_took()
    }

    pub(crate) fn deployment(&self) -> &Deployment {
        &self.record.deployment
    }

    /// Takes in what others have recorded meanwhile.
    pub(crate) fn refresh(&mut self) -> Result<(), ConductorError> {
        for event in self.journal.stream(&self.stream, self.record.stream_version)? {
            let recorded = views::from_event(&event)?;
            self.record
                .deployment
                .apply(&recorded.event, recorded.at)
                .map_err(|source| RecordError::Fold { id: self.record.id, source })?;
            self.record.stream_version = event.version;
            self.record.history.push(recorded);
        }
        Ok(())
    }

    /// Records facts, all or none; `also` in the same transaction. Says false, and records nothing, if somebody else has
    /// recorded something in the meantime: then what was decided no longer counts.
    pub(crate) async fn record(
        &mut self,
        events: &[DeploymentEvent],
        right: &Right,
        also: Vec<(StreamId, WorkloadEvent)>,
    ) -> Result<bool, ConductorError> {
        let mut appends = Vec::new();
        for (stream, event) in also {
            appends.push(Append::new(stream, Expected::Any, SELF, vec![event.new_event()?]));
        }
        self.record_with(events, right, appends).await
    }

    /// The same with anything else in the same transaction.
    pub(crate) async fn record_with(
        &mut self,
        events: &[DeploymentEvent],
        right: &Right,
        also: Vec<Append>,
    ) -> Result<bool, ConductorError> {
        let subject = events.last().map_or("", subject);
        crash::point(subject, "before_record");
        let events = events.iter().map(views::new_event).collect::<Result<Vec<_>, _>>()?;
        let expected = Expected::Version(self.record.stream_version);
        let own = Append::new(self.stream.clone(), expected, SELF, events);
        let mut appends = vec![own.fenced(right.lease.clone(), right.token)];
        appends.extend(also);
        match self.journal.append_all(appends).await {
            Ok(_) => {}
            Err(AppendError::Conflict { .. }) => {
                self.refresh()?;
                return Ok(false);
            }
            Err(error) => return Err(error.into()),
        }
        crash::point(subject, "after_record");
        self.refresh()?;
        Ok(true)
    }

    /// Records what somebody asked for, unless the deployment has ended.
    pub(crate) async fn request(
        &mut self,
        request: Request,
        reason: Option<String>,
        actor: &str,
    ) -> Result<(), ConductorError> {
        self.record_for(actor, &DeploymentEvent::Requested { request, reason }).await
    }

    /// Records what somebody has said or asked for, unless the deployment has ended.
    pub(crate) async fn record_for(
        &mut self,
        actor: &str,
        event: &DeploymentEvent,
    ) -> Result<(), ConductorError> {
        loop {
            if self.deployment().end.is_some() {
                return Err(ConductorError::Ended(self.record.id));
            }
            let event = views::new_event(event)?;
            let expected = Expected::Version(self.record.stream_version);
            match self.journal.append(Append::new(self.stream.clone(), expected, actor, vec![event])).await {
                Ok(_) => return Ok(()),
                Err(AppendError::Conflict { .. }) => self.refresh()?,
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// The name by which crash points speak of a record.
fn subject(event: &DeploymentEvent) -> &'static str {
    event.kind().strip_prefix("deployment.").unwrap_or_default()
}
