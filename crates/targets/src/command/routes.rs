//! The traffic of each workload as it was asked for last. An engine knows the shares; what else belongs to them, such as how long
//! requests are held, need not come back from it.

use std::path::PathBuf;

use pilotage_spec::Workload;
use serde::{Deserialize, Serialize};

use super::contract;
use crate::process::{file_error, read_json, write_json_durably};
use crate::{TargetError, Traffic};

/// The file of a workload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteRecord {
    /// The version of this format; see [`RouteRecord::FORMAT`].
    format: u32,
    /// Whose it is.
    workload: Workload,
    /// What was asked for, with the address at which users reach it.
    pub traffic: Traffic,
    /// Rises with every switch.
    pub epoch: u64,
}

impl RouteRecord {
    /// The format written and read by this version.
    const FORMAT: u32 = 1;
}

/// The records of all workloads, in a folder.
#[derive(Debug)]
pub struct Routes {
    folder: PathBuf,
}

impl Routes {
    /// The records in a folder that exists.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// What was asked for last.
    pub fn read(&self, workload: &Workload) -> Result<Option<RouteRecord>, TargetError> {
        let path = self.file(workload);
        let record = read_json::<RouteRecord>(&path).map_err(|error| file_error("read", &path, &error))?;
        match record.as_ref().filter(|record| record.format != RouteRecord::FORMAT) {
            None => Ok(record),
            Some(newer) => {
                let reason = format!(
                    "its format is {}, and {} is the newest known here; use the version of Pilotage that wrote it",
                    newer.format,
                    RouteRecord::FORMAT
                );
                Err(TargetError::Failed { doing: format!("read {}", path.display()), reason })
            }
        }
    }

    /// Writes down what is in force from now on, and returns its epoch.
    pub fn write(&self, workload: &Workload, traffic: Traffic) -> Result<u64, TargetError> {
        let epoch = self.read(workload)?.map_or(0, |record| record.epoch) + 1;
        let record = RouteRecord { format: RouteRecord::FORMAT, workload: workload.clone(), traffic, epoch };
        let path = self.file(workload);
        write_json_durably(&path, &record).map_err(|error| file_error("write", &path, &error))?;
        Ok(epoch)
    }

    fn file(&self, workload: &Workload) -> PathBuf {
        // Neither name can hold a dot.
        self.folder.join(format!("{}.{}.json", workload.environment, workload.service))
    }
}

/// The traffic as it is now: what was asked for, corrected by what the engine says.
pub fn in_force(record: Option<&RouteRecord>, now: contract::Shares) -> Option<Traffic> {
    let listen = now.listen.or_else(|| record.map(|record| record.traffic.listen))?;
    let shares = now.shares.into_iter().map(|share| (share.version, share.share)).collect();
    let asked_for = record.map_or_else(|| Traffic::new(listen), |record| record.traffic.clone());
    Some(in_same_order(Traffic { listen, shares, ..asked_for.clone() }, &asked_for))
}

/// An engine lists versions in an order of its own; versions without a share may be listed or not.
fn in_same_order(mut now: Traffic, asked_for: &Traffic) -> Traffic {
    let place =
        |version: &pilotage_spec::Version| asked_for.shares.iter().position(|(asked, _)| asked == version);
    now.shares.retain(|(version, share)| *share > 0 || place(version).is_some());
    for (version, share) in &asked_for.shares {
        if *share == 0 && !now.shares.iter().any(|(listed, _)| listed == version) {
            now.shares.push((version.clone(), 0));
        }
    }
    now.shares.sort_by_key(|(version, _)| place(version).unwrap_or(usize::MAX));
    now
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::{Share, Shares};

    fn record(shares: &[(&str, u32)]) -> RouteRecord {
        let mut traffic = Traffic::new("127.0.0.1:80".parse().unwrap());
        traffic.shares = shares.iter().map(|(version, share)| (version.parse().unwrap(), *share)).collect();
        traffic.hold_ms = 7;
        let workload = Workload { environment: "test".parse().unwrap(), service: "api".parse().unwrap() };
        RouteRecord { format: 1, workload, traffic, epoch: 3 }
    }

    fn now(shares: &[(&str, u32)]) -> Shares {
        let share =
            |(version, share): &(&str, u32)| Share { version: version.parse().unwrap(), share: *share };
        Shares { listen: None, shares: shares.iter().map(share).collect() }
    }

    #[test]
    fn what_the_engine_has_as_asked_for_is_just_that() {
        let record = record(&[("1.1.0", 500), ("1.0.0", 9_500), ("0.9.0", 0)]);
        let seen = in_force(Some(&record), now(&[("1.0.0", 9_500), ("1.1.0", 500), ("0.8.0", 0)]));
        assert_eq!(seen.as_ref(), Some(&record.traffic));
    }

    #[test]
    fn shares_changed_by_hand_are_seen() {
        let record = record(&[("1.1.0", 500), ("1.0.0", 9_500)]);
        let seen = in_force(Some(&record), now(&[("1.0.0", 10_000)])).unwrap();
        assert_eq!(seen.shares, [("1.0.0".parse().unwrap(), 10_000)]);
        assert_eq!(seen.hold_ms, 7);
    }

    #[test]
    fn without_a_record_only_what_the_engine_says_is_known() {
        let address = "127.0.0.1:81".parse().unwrap();
        let shares = Shares { listen: Some(address), ..now(&[("1.0.0", 10_000)]) };
        assert_eq!(in_force(None, shares).map(|traffic| traffic.listen), Some(address));
        assert_eq!(in_force(None, now(&[("1.0.0", 10_000)])), None);
    }
}
