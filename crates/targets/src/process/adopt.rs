//! Finds the instances that an earlier control plane started.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::config::ProcessConfig;
use super::files::{file_error, read_json};
use super::held::Held;
use super::identity::boot_id;
use super::instance::{InstanceRecord, RECORD_FILE};
use super::orphan::Orphan;
use super::registry::Registry;
use super::secrets::remove_files;
use super::shared::hold;
use super::shim::{Records, ShimClient, ShimStatus};
use super::tasks::Tasks;
use crate::TargetError;

/// A shim that was started just before the control plane ended shows itself by then.
const SHOWS_WITHIN: Duration = Duration::from_secs(2);

/// What became of an instance.
enum Fate {
    /// Its shim answers.
    Held(ShimStatus),
    /// Its shim has died; this is what it wrote last.
    Lost(ShimStatus),
    /// It was stopped.
    Ended,
    /// The machine was started anew since.
    BeforeBoot(ShimStatus),
    /// It was never started.
    NeverStarted,
}

/// Takes over what is there. Instances of before a restart of the machine are gone.
pub async fn adopt(
    config: &ProcessConfig,
    registry: &Arc<Registry>,
    tasks: &Tasks,
) -> Result<(), TargetError> {
    let folder = config.instances_folder();
    let failed = |error: io::Error| file_error("read", &folder, &error);
    for entry in std::fs::read_dir(&folder).map_err(failed)? {
        let folder = entry.map_err(failed)?.path();
        let Some(record) = read_record(&folder)? else { continue };
        if let Some(held) = adopt_one(record, folder, config).await {
            hold(held, registry, tasks);
        }
    }
    Ok(())
}

/// What is written down of an instance, unless nothing can have come of it.
fn read_record(folder: &Path) -> Result<Option<InstanceRecord>, TargetError> {
    let path = folder.join(RECORD_FILE);
    match read_json::<InstanceRecord>(&path) {
        Ok(Some(record)) if record.format == InstanceRecord::FORMAT => Ok(Some(record)),
        Ok(Some(record)) => Err(TargetError::Failed {
            doing: format!("read {}", path.display()),
            reason: format!(
                "its format is {}, and {} is the newest known here; use the version of Pilotage that wrote it",
                record.format,
                InstanceRecord::FORMAT
            ),
        }),
        // The control plane ended while it was preparing; no shim is started before the record is there.
        Ok(None) => {
            let _ = std::fs::remove_dir_all(folder);
            Ok(None)
        }
        // A record is not made durable: a power failure, which no instance survives, may have damaged it.
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) => {
            tracing::warn!(path = %path.display(), %error, "an instance's record is damaged; it is passed over");
            Ok(None)
        }
        Err(error) => Err(file_error("read", &path, &error)),
    }
}

async fn adopt_one(record: InstanceRecord, folder: PathBuf, config: &ProcessConfig) -> Option<Held> {
    let socket = config.shim_socket(&record.name);
    let records = Records { folder: folder.clone() };
    let name = record.name.clone();
    match fate(&records, &socket).await {
        Fate::Held(status) => {
            tracing::info!(instance = name, "adopted");
            Some(Held::new(record, folder, socket, status))
        }
        Fate::Lost(status) => {
            tracing::warn!(instance = name, "lost: its supervisor has died");
            let orphan = Orphan::of(&status);
            let held = Held::new(record, folder, socket, status);
            held.lose(orphan);
            Some(held)
        }
        Fate::BeforeBoot(status) => {
            // From now on it counts as one that has ended. If that cannot be written, the next one who looks will.
            let service_socket = status.socket.clone();
            let _ = records.write_exit_of(status);
            for socket in [Some(socket), service_socket].into_iter().flatten() {
                let _ = std::fs::remove_file(socket);
            }
            remove_files(&config.secrets_folder(&name));
            None
        }
        Fate::Ended => None,
        Fate::NeverStarted => {
            let _ = std::fs::remove_dir_all(&folder);
            remove_files(&config.secrets_folder(&name));
            None
        }
    }
}

async fn fate(records: &Records, socket: &Path) -> Fate {
    let deadline = Instant::now() + SHOWS_WITHIN;
    loop {
        if records.has_ended() {
            return Fate::Ended;
        }
        let written = records.read().ok().flatten();
        if let Ok(status) = ShimClient::status(socket, SHOWS_WITHIN).await {
            // Whoever answers has to be the one who wrote down that it holds the instance.
            if written.as_ref().is_some_and(|written| written.shim == status.shim) && status.shim.is_alive() {
                return Fate::Held(status);
            }
        }
        match written {
            Some(status) if boot_id().is_ok_and(|boot| boot != status.shim.boot_id) => {
                return Fate::BeforeBoot(status);
            }
            Some(status) if !status.shim.is_alive() => {
                return if records.has_ended() { Fate::Ended } else { Fate::Lost(status) };
            }
            // It lives and does not answer: it will, or its monitor will find out.
            Some(status) if Instant::now() > deadline => return Fate::Held(status),
            None if Instant::now() > deadline => return Fate::NeverStarted,
            _ => sleep(Duration::from_millis(20)).await,
        }
    }
}
