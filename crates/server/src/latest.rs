//! Which deployment of each workload ended last.

use std::collections::{BTreeMap, HashMap};

use pilotage_engine::{DeploymentEvent, DeploymentId};
use pilotage_journal::{Event, Reader};
use pilotage_spec::Workload;
use pilotage_views::{RecordError, from_event};

/// Which deployment of each workload ended last, as the journal told up to some entry. Each entry is read once, so that
/// a status costs the same however many deployments there were.
#[derive(Debug, Default)]
pub(crate) struct Latest {
    /// The last entry that is counted in.
    seq: u64,
    /// What the deployments move that have not ended.
    moving: HashMap<DeploymentId, Workload>,
    ended: BTreeMap<Workload, DeploymentId>,
}

impl Latest {
    /// Takes in what the journal has got since. After an error everything is read anew.
    pub(crate) fn catch_up(&mut self, reader: &Reader) -> Result<(), RecordError> {
        let (seq, known) = (self.seq, std::mem::take(self));
        let mut failed = None;
        let caught_up = reader.fold(seq, known, |latest, event| {
            if failed.is_none() {
                failed = latest.take_in(&event).err();
            }
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
        *self = caught_up;
        Ok(())
    }

    /// The deployment of a workload that ended last.
    pub(crate) fn ended(&self, workload: &Workload) -> Option<DeploymentId> {
        self.ended.get(workload).copied()
    }

    fn take_in(&mut self, event: &Event) -> Result<(), RecordError> {
        self.seq = event.seq;
        let name = event.stream.as_str().strip_prefix("deployment/");
        let Some(id) = name.and_then(|name| name.parse().ok()) else { return Ok(()) };
        match event.kind.as_str() {
            "deployment.started" => {
                if let DeploymentEvent::Started { plan, .. } = from_event(event)?.event {
                    self.moving.insert(id, plan.request.workload);
                }
            }
            "deployment.completed" => {
                self.ended.extend(self.moving.remove(&id).map(|workload| (workload, id)));
            }
            _ => {}
        }
        Ok(())
    }
}
