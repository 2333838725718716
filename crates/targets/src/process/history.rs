//! What is left of instances that have ended: their logs, so that it can be found out why.

use std::fs;

use pilotage_spec::Workload;

use super::config::ProcessConfig;
use super::shim::Records;

/// So many ended instances of a workload are kept.
const ENDED_KEPT: usize = 10;

/// Removes the folders of the instances that ended longest ago. What cannot be removed now is removed another time.
pub fn forget_oldest(config: &ProcessConfig, workload: &Workload) {
    let Ok(entries) = fs::read_dir(config.instances_folder()) else { return };
    let prefix = format!("{}.{}.", workload.environment, workload.service);
    let mut ended: Vec<(u64, std::path::PathBuf)> = entries
        .flatten()
        .filter_map(|entry| {
            let number = entry.file_name().to_str()?.strip_prefix(&prefix)?.parse().ok()?;
            let folder = entry.path();
            Records { folder: folder.clone() }.has_ended().then_some((number, folder))
        })
        .collect();
    ended.sort_unstable_by(|a, b| b.cmp(a));
    for (_, folder) in ended.into_iter().skip(ENDED_KEPT) {
        if let Err(error) = fs::remove_dir_all(&folder) {
            tracing::warn!(folder = %folder.display(), %error, "the remains of an instance could not be removed");
        }
    }
}
