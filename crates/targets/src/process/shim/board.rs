//! The status that everybody sees, in one place.

use pilotage_proxy::Address;
use tokio::sync::watch;

use super::protocol::ShimStatus;
use super::usage::Usage;
use crate::InstanceState;
use crate::process::files::now;
use crate::process::identity::ProcessIdentity;

/// The shim's status; every change is told to those who watch.
#[derive(Debug)]
pub struct Board {
    sender: watch::Sender<ShimStatus>,
}

impl Board {
    /// The status of a shim that has not started anything yet.
    pub fn new(name: String, shim: ProcessIdentity) -> Self {
        let status = ShimStatus {
            name,
            revision: 0,
            shim,
            process: None,
            port: None,
            socket: None,
            state: InstanceState::Starting,
            started_at: None,
            restarts: 0,
            probe_failures: 0,
            last_exit: None,
            cpu_millis: None,
            memory_bytes: None,
        };
        Self { sender: watch::Sender::new(status) }
    }

    /// Follows the status.
    pub fn subscribe(&self) -> watch::Receiver<ShimStatus> {
        self.sender.subscribe()
    }

    /// The status now.
    pub fn status(&self) -> ShimStatus {
        self.sender.borrow().clone()
    }

    /// A process was started.
    pub fn started(&self, process: ProcessIdentity, address: Option<&Address>) {
        self.update(|status| {
            status.process = Some(process);
            (status.port, status.socket) = match address {
                None => (None, None),
                Some(Address::Tcp(address)) => (Some(address.port()), None),
                Some(Address::Unix(path)) => (None, Some(path.clone())),
            };
            status.state = InstanceState::Starting;
            status.started_at = Some(now());
        });
    }

    /// Another process took the place of the one that was started.
    pub fn succeeded(&self, process: ProcessIdentity) {
        self.update(|status| status.process = Some(process));
    }

    /// The state is another.
    pub fn state(&self, state: InstanceState) {
        self.update(|status| status.state = state);
    }

    /// The first process is gone. The streak of failed probes stays until a probe passes: it may be why.
    pub fn ended(&self, how: &str) {
        self.update(|status| {
            status.process = None;
            status.last_exit = Some(how.to_owned());
            status.cpu_millis = None;
            status.memory_bytes = None;
        });
    }

    /// It is started again.
    pub fn restarting(&self) {
        self.update(|status| status.restarts += 1);
    }

    /// So many probes in a row have failed.
    pub fn probe_failures(&self, streak: u32) {
        self.update(|status| status.probe_failures = streak);
    }

    /// A reading was taken.
    pub fn usage(&self, usage: Usage) {
        self.update(|status| {
            status.cpu_millis = usage.cpu_millis;
            status.memory_bytes = Some(usage.memory_bytes);
        });
    }

    fn update(&self, change: impl FnOnce(&mut ShimStatus)) {
        self.sender.send_if_modified(|status| {
            let before = status.clone();
            change(status);
            let changed = *status != before;
            status.revision += u64::from(changed);
            changed
        });
    }
}
