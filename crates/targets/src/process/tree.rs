//! The processes below a process, read from `/proc`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rustix::process::Signal;

use super::identity::{ProcessIdentity, ProcessStat, boot_id};

/// All living processes below `root`, without `root` itself.
///
/// Every process of the machine is looked at, so that nothing is missed; [`family`] is the cheap way.
pub fn descendants(root: u32) -> Vec<ProcessStat> {
    below(root, &all_processes())
}

/// All living processes that belong to the session `session`.
pub fn session_members(session: u32) -> Vec<ProcessStat> {
    all_processes().into_values().filter(|stat| stat.session == session && !stat.has_ended()).collect()
}

/// The living processes below `root`, found by the kernel's lists of children: cheap, but one that is being started or
/// ends at this moment may be missed. A kernel without these lists (`CONFIG_PROC_CHILDREN`) is asked the long way.
pub fn family(root: u32) -> Vec<ProcessStat> {
    if !Path::new("/proc/thread-self/children").exists() {
        return descendants(root);
    }
    let mut found = Vec::new();
    let mut open = vec![root];
    while let Some(pid) = open.pop() {
        for child in children(pid) {
            if let Ok(stat) = ProcessStat::read(child) {
                found.push(stat);
                open.push(child);
            }
        }
    }
    found.retain(|stat| !stat.has_ended());
    found
}

/// Sends a signal to processes that were found before; those that have ended meanwhile are passed over.
pub fn signal_all(processes: &[ProcessStat], signal: Signal) {
    let Ok(boot_id) = boot_id() else { return };
    for stat in processes {
        let identity =
            ProcessIdentity { boot_id: boot_id.clone(), pid: stat.pid, start_ticks: stat.start_ticks };
        identity.signal(signal);
    }
}

fn children(pid: u32) -> Vec<u32> {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    threads
        .flatten()
        .filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok())
        .flat_map(|list| {
            list.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<u32>>()
        })
        .collect()
}

fn all_processes() -> BTreeMap<u32, ProcessStat> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return BTreeMap::new() };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, ProcessStat::read(pid).ok()?)))
        .collect()
}

fn below(root: u32, all: &BTreeMap<u32, ProcessStat>) -> Vec<ProcessStat> {
    let mut inside = BTreeSet::from([root]);
    // A child may have a smaller id than its parent, so one pass is not enough.
    loop {
        let before = inside.len();
        inside.extend(
            all.values()
                .filter(|stat| inside.contains(&stat.parent))
                .map(|stat| stat.pid)
                .collect::<Vec<_>>(),
        );
        if inside.len() == before {
            break;
        }
    }
    inside.remove(&root);
    inside.iter().filter_map(|pid| all.get(pid)).filter(|stat| !stat.has_ended()).copied().collect()
}
