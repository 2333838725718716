//! What has to be remembered of a workload, whether or not it has instances: for targets that cannot keep it themselves.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use pilotage_spec::Workload;
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use crate::process::{file_error, read_json, write_json_durably};
use crate::{Fence, TargetError};

/// The file of a workload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkloadRecord {
    /// The version of this format; see [`WorkloadRecord::FORMAT`].
    pub format: u32,
    /// Whose it is.
    pub workload: Workload,
    /// The highest token seen.
    pub fence: Fence,
    /// The number of the next instance.
    pub next_number: u64,
    /// Where users reached it last: a port that was chosen is kept.
    pub listen: Option<SocketAddr>,
}

impl WorkloadRecord {
    /// The format written and read by this version.
    pub const FORMAT: u32 = 1;
}

/// All workloads, a file each. What is decided about one is decided by one at a time. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Claims {
    folder: Arc<PathBuf>,
    locks: Arc<Mutex<BTreeMap<Workload, Arc<AsyncMutex<()>>>>>,
}

/// A workload about which nobody else decides meanwhile.
#[derive(Debug)]
pub struct Claim {
    path: PathBuf,
    /// What is remembered; written by [`Claim::save`].
    pub record: WorkloadRecord,
    _lock: OwnedMutexGuard<()>,
}

impl Claims {
    /// Those in a folder, which must be there. Clones take turns; two that were made of one folder do not.
    pub fn new(folder: &Path) -> Self {
        Self { folder: Arc::new(folder.to_owned()), locks: Arc::default() }
    }

    /// Waits for its turn, and refuses whoever has been overtaken. Long waits belong after the claim.
    pub async fn claim(&self, workload: &Workload, fence: Fence) -> Result<Claim, TargetError> {
        let lock = {
            let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(locks.entry(workload.clone()).or_default())
        };
        let lock = lock.lock_owned().await;
        // Neither name can hold a dot.
        let path = self.folder.join(format!("{}.{}.json", workload.environment, workload.service));
        let record = read_json::<WorkloadRecord>(&path).map_err(|error| file_error("read", &path, &error))?;
        if let Some(newer) = record.as_ref().filter(|record| record.format != WorkloadRecord::FORMAT) {
            let reason = format!(
                "its format is {}, and {} is the newest known here; use the version of Pilotage that wrote it",
                newer.format,
                WorkloadRecord::FORMAT
            );
            return Err(TargetError::Failed { doing: format!("read {}", path.display()), reason });
        }
        let record = record.unwrap_or_else(|| WorkloadRecord {
            format: WorkloadRecord::FORMAT,
            workload: workload.clone(),
            fence: Fence(0),
            next_number: 1,
            listen: None,
        });
        let mut claim = Claim { path, record, _lock: lock };
        claim.advance(fence)?;
        Ok(claim)
    }
}

impl Claim {
    fn advance(&mut self, fence: Fence) -> Result<(), TargetError> {
        let held = self.record.fence;
        if fence < held {
            let workload = self.record.workload.to_string();
            return Err(TargetError::Fenced { workload, held: held.0, ours: fence.0 });
        }
        if fence > held {
            self.record.fence = fence;
            self.save()?;
        }
        Ok(())
    }

    /// Takes so many numbers for new instances. They are never used again, even if nothing comes of them.
    pub fn take_numbers(&mut self, count: u64) -> Result<std::ops::Range<u64>, TargetError> {
        let first = self.record.next_number;
        self.record.next_number += count;
        self.save()?;
        Ok(first..self.record.next_number)
    }

    /// Writes down what is remembered.
    pub fn save(&self) -> Result<(), TargetError> {
        write_json_durably(&self.path, &self.record).map_err(|error| file_error("write", &self.path, &error))
    }
}
