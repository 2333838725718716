//! What an alert from outside does: the deployment that it is about is taken back, and it is recorded in any case.
//!
//! The record of the alert and what it asks of the deployment are one transaction. So an alert that is sent twice does nothing
//! twice, whether or not a crash lies between, and none is recorded as having done what it did not.

use std::collections::{BTreeMap, HashSet};

use pilotage_engine::{Deployment, DeploymentEvent, DeploymentId, Direction, Purpose};
use pilotage_journal::{Append, AppendError, Expected, StreamId};
use pilotage_spec::{Alert, AlertCause, Hook, HookName, Project, Workload};
use pilotage_views::{self as views, AlertReceived, Consequence, DeploymentRecord};
use tracing::info;

use crate::conductor::Inner;
use crate::{Conductor, ConductorError};

/// How often the record of one alert is tried while others record something meanwhile.
const TRIES: usize = 50;

/// What is known of the alerts that were received before, by hook; read from the journal as it grows.
#[derive(Default)]
pub(crate) struct AlertLedger {
    hooks: BTreeMap<HookName, Received>,
}

#[derive(Default)]
struct Received {
    stream_version: u64,
    keys: HashSet<String>,
}

impl Conductor {
    /// Takes in one alert of a delivery that has been proved. Gives what followed, or `None` if it was received before.
    ///
    /// # Errors
    /// Fails if the journal cannot be read or written; then nothing was done, and the sender should try again.
    pub async fn alert(
        &self,
        project: &Project,
        name: &HookName,
        hook: &Hook,
        alert: Alert,
    ) -> Result<Option<AlertReceived>, ConductorError> {
        let workload = hook.workload(project, &alert);
        let severe = hook.is_severe(&alert);
        let cause = AlertCause { hook: name.clone(), source: hook.kind, alert };
        // One at a time: two of the same alert must not both be the first.
        let mut ledger = self.inner.alerts.lock().await;
        for _ in 0..TRIES {
            let stream: StreamId = format!("hook/{name}").parse()?;
            let received = ledger.hooks.entry(name.clone()).or_default();
            received.catch_up(&self.inner, &stream)?;
            if received.keys.contains(&cause.alert.key) {
                return Ok(None);
            }
            let target = self.inner.affected(&cause.alert, severe, &workload)?;
            let fact = AlertReceived {
                cause: cause.clone(),
                workload: workload.as_ref().ok().cloned(),
                consequence: target.consequence(&workload),
            };
            let expected = Expected::Version(received.stream_version);
            let own = Append::new(stream, expected, format!("hook:{name}"), vec![fact.new_event()?]);
            match self.inner.journal.append_all(self.with_effect(own, &target, &cause)?).await {
                Ok(_) => {}
                Err(AppendError::Conflict { .. }) => continue,
                Err(error) => return Err(error.into()),
            }
            info!(hook = %name, alert = %cause.alert.summary, consequence = %fact.consequence, "alert received");
            self.ring(&target);
            return Ok(Some(fact));
        }
        Err(ConductorError::NotNow(
            "too much is recorded at the same time; the alert was not taken in".to_owned(),
        ))
    }

    /// The record of the alert, and with it what is asked of the deployment.
    fn with_effect(
        &self,
        own: Append,
        target: &Affected,
        cause: &AlertCause,
    ) -> Result<Vec<Append>, ConductorError> {
        let Affected::TakenBack(record) = target else { return Ok(vec![own]) };
        let event = views::new_event(&DeploymentEvent::Alerted { alert: Box::new(cause.clone()) })?;
        let expected = Expected::Version(record.stream_version);
        let stream = views::deployment_stream(record.id)?;
        let asked = Append::new(stream, expected, format!("hook:{}", cause.hook), vec![event]);
        Ok(vec![own, asked])
    }

    fn ring(&self, target: &Affected) {
        if let Affected::TakenBack(record) = target
            && let Some(active) = self.inner.active(record.id)
        {
            active.bell.notify_one();
        }
    }
}

impl Received {
    fn catch_up(&mut self, inner: &Inner, stream: &StreamId) -> Result<(), ConductorError> {
        for event in inner.journal.stream(stream, self.stream_version)? {
            self.stream_version = event.version;
            self.keys.insert(AlertReceived::from_event(&event)?.cause.alert.key);
        }
        Ok(())
    }
}

/// What an alert is about, as things stand.
enum Affected {
    /// A deployment that goes forward.
    TakenBack(Box<DeploymentRecord>),
    /// One that goes back already.
    GoingBack(DeploymentId),
    /// One that goes back to a release that is known to be good, or only waits to be allowed to begin.
    LeftAlone(DeploymentId),
    /// One that began after the alert did.
    Younger(DeploymentId),
    /// Nothing moves the workload.
    Nothing,
    /// The file does not know what it is about.
    Unknown,
    /// It is over.
    Resolved,
    /// It is not of a severity that counts.
    NotSevere,
}

impl Affected {
    fn consequence(&self, workload: &Result<Workload, String>) -> Consequence {
        match self {
            Self::TakenBack(record) => Consequence::TakenBack { deployment: record.id },
            Self::GoingBack(id) => Consequence::GoingBack { deployment: *id },
            Self::LeftAlone(id) => Consequence::LeftAlone { deployment: *id },
            Self::Younger(id) => Consequence::Older { deployment: *id },
            Self::Nothing => Consequence::NothingMoves,
            Self::Unknown => Consequence::Unknown { reason: workload.clone().err().unwrap_or_default() },
            Self::Resolved => Consequence::Resolved,
            Self::NotSevere => Consequence::NotSevere,
        }
    }
}

impl Inner {
    fn affected(
        &self,
        alert: &Alert,
        severe: bool,
        workload: &Result<Workload, String>,
    ) -> Result<Affected, ConductorError> {
        let Ok(workload) = workload else { return Ok(Affected::Unknown) };
        if alert.resolved {
            return Ok(Affected::Resolved);
        }
        if !severe {
            return Ok(Affected::NotSevere);
        }
        let Some(id) = self.moving(workload)? else { return Ok(Affected::Nothing) };
        let record = views::load(&self.journal.reader(), id)?;
        Ok(state(record, alert))
    }
}

fn state(record: DeploymentRecord, alert: &Alert) -> Affected {
    let DeploymentRecord { id, deployment, .. } = &record;
    let id = *id;
    if deployment.end.is_some() {
        return Affected::Nothing;
    }
    if deployment.course.direction == Direction::Back {
        return Affected::GoingBack(id);
    }
    if !is_on_trial(deployment) {
        return Affected::LeftAlone(id);
    }
    // What was wrong before cannot be its doing; taking it back could not help.
    if alert.started_at.is_some_and(|since| since < deployment.started_at) {
        return Affected::Younger(id);
    }
    Affected::TakenBack(Box::new(record))
}

/// Whether it moves a release that is not known to be good.
fn is_on_trial(deployment: &Deployment) -> bool {
    deployment.gates_passed() && deployment.plan.request.purpose == Purpose::Deploy
}
