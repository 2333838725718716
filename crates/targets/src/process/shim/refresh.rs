//! New values of secrets that the service has as files.

use std::fs;
use std::io;
use std::path::PathBuf;

use pilotage_secrets::{Known, Secret};
use pilotage_spec::ReloadSignal;
use rustix::process::{Pid, Signal, kill_process};

use super::spec::ShimSpec;
use crate::process::identity::ProcessIdentity;
use crate::process::refresh::NEXT;

/// Puts new values in the place of old ones, and tells the service.
pub struct Refresher {
    files: Vec<PathBuf>,
    known: Known,
    signal: Option<Signal>,
}

impl Refresher {
    /// For the service of this specification, whose log is masked by what is `known`.
    pub fn new(spec: &ShimSpec, known: Known) -> Self {
        let signal = spec.reload.map(|reload| match reload {
            ReloadSignal::Hup => Signal::HUP,
            ReloadSignal::Usr1 => Signal::USR1,
            ReloadSignal::Usr2 => Signal::USR2,
        });
        Self { files: spec.secret_files.clone(), known, signal }
    }

    /// Learns the values that the files have now.
    pub fn learn(&self) -> io::Result<()> {
        let values = self.files.iter().map(|file| fs::read(file).map(Secret::new));
        self.known.learn(&values.collect::<io::Result<Vec<_>>>()?);
        Ok(())
    }

    /// Puts what the control plane has laid beside the files in their place. It is masked before the service can see it.
    pub fn refresh(&self, service: Option<&ProcessIdentity>) -> io::Result<()> {
        for file in &self.files {
            let next = file.with_extension(NEXT);
            match fs::read(&next) {
                Ok(bytes) => self.known.learn(&[Secret::new(bytes)]),
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            }
            fs::rename(next, file)?;
        }
        let service = service.filter(|service| service.is_alive());
        let pid = service.and_then(|service| Pid::from_raw(service.pid.try_into().ok()?));
        if let (Some(pid), Some(signal)) = (pid, self.signal) {
            // It may have ended at this very moment; then it finds the new value when it is started again.
            let _ = kill_process(pid, signal);
        }
        Ok(())
    }
}
