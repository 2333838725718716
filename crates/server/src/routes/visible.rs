//! What of the journal somebody may see: what is about a service in an environment, with its verb there; all else, such as
//! who was given a token, with `audit` everywhere.

use std::collections::HashMap;

use pilotage_access::Caller;
use pilotage_journal::{Event, Reader, StreamId};
use pilotage_spec::Verb;
use pilotage_views as views;

/// What somebody may see, with what was looked up for it.
pub(super) struct Visible {
    caller: Caller,
    /// What the deployments are about; `None` for one that nobody can say.
    deployments: HashMap<StreamId, Option<(String, String)>>,
}

/// Deployments that are remembered at once; beyond that, all are looked up anew.
const REMEMBERED_LIMIT: usize = 1_000;

impl Visible {
    pub(super) fn to(caller: Caller) -> Self {
        Self { caller, deployments: HashMap::new() }
    }

    /// Whether somebody may see an event. Reads the journal; only to be used where that may take its time.
    pub(super) fn shows(&mut self, event: &Event, reader: &Reader) -> bool {
        let may_audit = self.caller.permissions.everywhere(Verb::Audit);
        if may_audit && self.caller.permissions.everywhere(Verb::Read) {
            return true;
        }
        match self.about(&event.stream, reader) {
            Some((environment, service)) => self.caller.may(Verb::Read, &environment, &service),
            None => may_audit,
        }
    }

    /// Environment and service that a stream is about.
    fn about(&mut self, stream: &StreamId, reader: &Reader) -> Option<(String, String)> {
        if let Some(workload) = stream.as_str().strip_prefix("workload/") {
            let (environment, service) = workload.split_once('/')?;
            return Some((environment.to_owned(), service.to_owned()));
        }
        let id = stream.as_str().strip_prefix("deployment/")?.parse().ok()?;
        if self.deployments.len() >= REMEMBERED_LIMIT {
            self.deployments.clear();
        }
        let found = self.deployments.entry(stream.clone());
        found
            .or_insert_with(|| {
                let workload = views::load(reader, id).ok()?.deployment.plan.request.workload;
                Some((workload.environment.to_string(), workload.service.to_string()))
            })
            .clone()
    }
}
