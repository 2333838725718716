//! Who a process is: a process id alone is used again by the kernel, so boot and start time belong to it.

use std::io;
use std::os::fd::OwnedFd;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};

/// One process of one boot of the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessIdentity {
    /// The kernel's random id of the boot.
    pub boot_id: String,
    /// The process id.
    pub pid: u32,
    /// When the process was started, in clock ticks since the boot.
    pub start_ticks: u64,
}

impl ProcessIdentity {
    /// The identity of the running process with this id.
    pub fn of(pid: u32) -> io::Result<Self> {
        Ok(Self { boot_id: boot_id()?, pid, start_ticks: ProcessStat::read(pid)?.start_ticks })
    }

    /// A handle on the process, or `None` if it has ended.
    ///
    /// The handle is opened before the start time is compared: whatever ends in between, the handle never refers to
    /// another process than the one compared.
    pub fn open(&self) -> Option<OwnedFd> {
        let pid = Pid::from_raw(self.pid.try_into().ok()?)?;
        let handle = pidfd_open(pid, PidfdFlags::NONBLOCK).ok()?;
        let stat = ProcessStat::read(self.pid).ok()?;
        let same = stat.start_ticks == self.start_ticks && boot_id().ok()? == self.boot_id;
        (same && !stat.has_ended()).then_some(handle)
    }

    /// Whether the process still runs.
    pub fn is_alive(&self) -> bool {
        self.open().is_some()
    }

    /// Sends a signal; `false` if the process has ended.
    pub fn signal(&self, signal: Signal) -> bool {
        self.open().is_some_and(|handle| pidfd_send_signal(handle, signal).is_ok())
    }
}

/// The kernel's id of this boot.
pub fn boot_id() -> io::Result<String> {
    Ok(std::fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned())
}

/// What `/proc/PID/stat` says, as far as it is needed here; see proc_pid_stat(5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessStat {
    /// The process id.
    pub pid: u32,
    /// `R`, `S`, …; `Z` for one that has ended and waits to be reaped.
    pub state: char,
    /// The parent's process id.
    pub parent: u32,
    /// The session's id.
    pub session: u32,
    /// Processor time used by it and by the children it has reaped, in clock ticks.
    pub cpu_ticks: u64,
    /// When it was started, in clock ticks since the boot.
    pub start_ticks: u64,
    /// Resident memory in pages.
    pub resident_pages: u64,
}

impl ProcessStat {
    /// Reads one process.
    pub fn read(pid: u32) -> io::Result<Self> {
        let text = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
        Self::parse(pid, &text).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "unknown format"))
    }

    fn parse(pid: u32, text: &str) -> Option<Self> {
        // The name, in parentheses, may itself hold blanks and parentheses.
        let fields: Vec<&str> = text.get(text.rfind(')')? + 1..)?.split_ascii_whitespace().collect();
        let number = |index: usize| fields.get(index)?.parse::<i64>().ok();
        let unsigned = |index: usize| Some(number(index)?.max(0).unsigned_abs());
        Some(Self {
            pid,
            state: fields.first()?.chars().next()?,
            parent: unsigned(1)?.try_into().ok()?,
            session: unsigned(3)?.try_into().ok()?,
            cpu_ticks: (11..=14).map_while(unsigned).sum(),
            start_ticks: unsigned(19)?,
            resident_pages: unsigned(21)?,
        })
    }

    /// Whether it has ended and only its exit status is left.
    pub fn has_ended(&self) -> bool {
        matches!(self.state, 'Z' | 'X' | 'x')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_blanks_and_parentheses_does_not_shift_the_fields() {
        let text = "7 (a) b (c) S 1 7 3 0 -1 4 0 0 0 0 10 20 3 4 20 0 1 0 999 4096 12 0";
        let stat = ProcessStat::parse(7, text).unwrap();
        assert_eq!((stat.parent, stat.session, stat.cpu_ticks), (1, 3, 37));
        assert_eq!((stat.start_ticks, stat.resident_pages), (999, 12));
    }

    #[test]
    fn an_identity_with_another_start_time_or_boot_is_not_alive() {
        let own = ProcessIdentity::of(std::process::id()).unwrap();
        assert!(own.is_alive());
        assert!(!ProcessIdentity { start_ticks: own.start_ticks + 1, ..own.clone() }.is_alive());
        assert!(!ProcessIdentity { boot_id: "another".into(), ..own }.is_alive());
    }
}
