//! One instance as the control plane sees it.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pilotage_proxy::Address;

use super::instance::InstanceRecord;
use super::orphan::Orphan;
use super::shim::{Records, ShimStatus};
use crate::{Fence, Instance, InstanceState};

/// An instance that has not ended.
#[derive(Debug)]
pub struct Held {
    /// What it was meant to be.
    pub record: InstanceRecord,
    /// Its folder.
    pub folder: PathBuf,
    /// Its shim's socket.
    pub socket: PathBuf,
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    status: ShimStatus,
    /// Its shim has died.
    orphan: Option<Orphan>,
    /// It gets no traffic any more because the holder of this token wants it stopped.
    draining: Option<Fence>,
}

impl Held {
    /// An instance whose shim has said this.
    pub fn new(record: InstanceRecord, folder: PathBuf, socket: PathBuf, status: ShimStatus) -> Self {
        Self { record, folder, socket, known: Mutex::new(Known { status, orphan: None, draining: None }) }
    }

    /// The shim's files.
    pub fn records(&self) -> Records {
        Records { folder: self.folder.clone() }
    }

    /// What the shim said last.
    pub fn status(&self) -> ShimStatus {
        self.known().status.clone()
    }

    /// Takes in what the shim said, unless something newer is known; says whether anything but the readings is new.
    pub fn update(&self, status: ShimStatus) -> bool {
        let mut known = self.known();
        if status.revision < known.status.revision {
            return false;
        }
        let news = known.status.without_readings() != status.without_readings();
        known.status = status;
        news
    }

    /// Notes that the shim has died.
    pub fn lose(&self, orphan: Orphan) {
        self.known().orphan = Some(orphan);
    }

    /// What the dead shim left behind; `None` while the shim lives.
    pub fn orphan(&self) -> Option<Orphan> {
        self.known().orphan.clone()
    }

    /// Takes it out of the traffic, or (`None`) back in.
    pub fn drain(&self, by: Option<Fence>) {
        self.known().draining = by;
    }

    /// Who wants it stopped.
    pub fn draining(&self) -> Option<Fence> {
        self.known().draining
    }

    /// How it is, as far as is known.
    pub fn state(&self) -> InstanceState {
        let known = self.known();
        match (&known.orphan, known.draining) {
            (Some(_), _) => InstanceState::Lost,
            (None, Some(_)) => InstanceState::Stopping,
            (None, None) => known.status.state.clone(),
        }
    }

    /// Where traffic may be sent, if it may be.
    pub fn serving(&self) -> Option<Address> {
        let known = self.known();
        let takes_traffic = known.draining.is_none()
            && match &known.orphan {
                // Better an instance without a supervisor than none; it is taken out when it ends.
                Some(orphan) => orphan.serves,
                None => known.status.state == InstanceState::Ready,
            };
        if takes_traffic { known.status.address() } else { None }
    }

    /// The instance for an observation.
    pub fn observed(&self) -> Instance {
        let state = self.state();
        let status = self.status();
        Instance {
            name: self.record.name.clone(),
            release: self.record.release.id.clone(),
            address: status.address(),
            pid: status.process.as_ref().map(|process| process.pid),
            started_at: status.started_at,
            restarts: status.restarts,
            probe_failures: status.probe_failures,
            cpu_millis: status.cpu_millis,
            memory_bytes: status.memory_bytes,
            state,
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use pilotage_spec::{Digest, Health, InstanceSpec, Release, ReleaseId, Resources, Workload};

    use super::*;
    use crate::process::files::now;
    use crate::process::identity::ProcessIdentity;

    fn status(revision: u64, state: InstanceState) -> ShimStatus {
        ShimStatus {
            name: "test.api.1".into(),
            revision,
            shim: ProcessIdentity { boot_id: "boot".into(), pid: 1, start_ticks: 1 },
            process: None,
            port: Some(20_000),
            socket: None,
            state,
            started_at: None,
            restarts: 0,
            probe_failures: 0,
            last_exit: None,
            cpu_millis: None,
            memory_bytes: None,
        }
    }

    fn record() -> InstanceRecord {
        let workload = Workload { environment: "test".parse().unwrap(), service: "api".parse().unwrap() };
        let second = std::time::Duration::from_secs(1);
        let instance = InstanceSpec {
            run: vec!["./api".into()],
            env: Default::default(),
            health: Health { live: None, ready: None, interval: second, timeout: second },
            resources: Resources::default(),
            stop_grace: second,
            start_timeout: second,
            reload: None,
            image: None,
            container_port: None,
            kubernetes: None,
            objects: None,
            smoke: Vec::new(),
            listen: Default::default(),
            protocol: Default::default(),
        };
        let id = ReleaseId { version: "1.0.0".parse().unwrap(), digest: Digest::from_bytes([0; 32]) };
        InstanceRecord {
            format: InstanceRecord::FORMAT,
            name: "test.api.1".into(),
            number: 1,
            workload,
            release: Release { id, instance },
            created_at: now(),
            replaces: None,
        }
    }

    #[test]
    fn an_answer_that_was_overtaken_does_not_bring_a_crashed_instance_back() {
        let held = Held::new(record(), "/".into(), "/".into(), status(4, InstanceState::Ready));
        assert!(held.serving().is_some());
        assert!(held.update(status(6, InstanceState::Waiting { reason: "ended".into() })));
        assert!(!held.update(status(5, InstanceState::Ready)));
        assert_eq!(held.serving(), None);
    }

    #[test]
    fn readings_are_no_news() {
        let held = Held::new(record(), "/".into(), "/".into(), status(1, InstanceState::Ready));
        assert!(!held.update(ShimStatus { cpu_millis: Some(5), ..status(2, InstanceState::Ready) }));
        assert_eq!(held.observed().cpu_millis, Some(5));
    }
}
