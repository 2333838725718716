//! What processes and the machine as a whole use, as the kernel counts it; see proc(5).

use std::fs;
use std::time::{Duration, Instant};

use rustix::param::clock_ticks_per_second;

use super::Program;
use crate::fault::{During, Fault};

/// Time on a processor.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcessorTime {
    /// In the program's own code.
    pub user: Duration,
    /// In the kernel on its behalf; the loopback device's work too.
    pub system: Duration,
}

impl ProcessorTime {
    pub fn total(self) -> Duration {
        self.user + self.system
    }

    /// What was used since an earlier reading.
    pub fn since(self, earlier: Self) -> Self {
        Self {
            user: self.user.saturating_sub(earlier.user),
            system: self.system.saturating_sub(earlier.system),
        }
    }
}

/// What a program has used so far: all its processes with all their threads.
pub fn processor_time(program: &Program) -> Result<ProcessorTime, Fault> {
    let mut sum = ProcessorTime::default();
    for process in program.processes() {
        let [user, system, ..] = times(&process.to_string())?;
        sum = ProcessorTime { user: sum.user + user, system: sum.system + system };
    }
    Ok(sum)
}

/// What a program holds in memory: its processes' proportional set size, so that pages they share count once.
pub fn memory_bytes(program: &Program) -> Result<u64, Fault> {
    let mut sum = 0;
    for process in program.processes() {
        let path = format!("/proc/{process}/smaps_rollup");
        let text = fs::read_to_string(&path).during(&path)?;
        let kilobytes = text.lines().find_map(|line| line.strip_prefix("Pss:")).and_then(first_number);
        sum += kilobytes.ok_or_else(|| Fault::new(format!("{path} names no Pss")))? * 1024;
    }
    Ok(sum)
}

/// A reading of what the whole machine did, and of what of it was ours.
#[derive(Debug)]
pub struct MachineUse {
    taken: Instant,
    busy: Duration,
    ours: Duration,
}

impl MachineUse {
    /// Reads it. Ours are this process, what it started and waited for, and these programs.
    pub fn read(programs: &[&Program]) -> Result<Self, Fault> {
        let mut ours: Duration = times("self")?.iter().sum();
        for program in programs {
            ours += processor_time(program)?.total();
        }
        Ok(Self { taken: Instant::now(), busy: machine_busy()?, ours })
    }

    /// What others used from one reading to the next, as a share of one processor.
    pub fn foreign_share(&self, later: &Self) -> f64 {
        let busy = later.busy.saturating_sub(self.busy);
        let ours = later.ours.saturating_sub(self.ours);
        busy.saturating_sub(ours).as_secs_f64() / later.taken.duration_since(self.taken).as_secs_f64()
    }
}

/// User and system time of a process, then those of its children that ended and were waited for.
fn times(process: &str) -> Result<[Duration; 4], Fault> {
    let path = format!("/proc/{process}/stat");
    let text = fs::read_to_string(&path).during(&path)?;
    // The second field is the program's name, which may hold anything; utime, the 14th, is the 12th after it.
    let fields = text.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().skip(11).take(4));
    let ticks: Vec<u64> = fields.into_iter().flatten().filter_map(|field| field.parse().ok()).collect();
    match ticks.as_slice() {
        [user, system, waited_user, waited_system] => {
            Ok([user, system, waited_user, waited_system].map(|ticks| from_ticks(*ticks)))
        }
        _ => Err(Fault::new(format!("{path} has another form than proc(5) says"))),
    }
}

/// How long the processors did anything, added up. Time that the hypervisor took away counts too.
fn machine_busy() -> Result<Duration, Fault> {
    let text = fs::read_to_string("/proc/stat").during("/proc/stat")?;
    let line = text.lines().next().unwrap_or_default();
    let ticks: Vec<u64> = line.split_whitespace().skip(1).filter_map(|field| field.parse().ok()).collect();
    match ticks.as_slice() {
        [user, nice, system, _idle, _waiting, interrupts, soft_interrupts, stolen, ..] => {
            Ok(from_ticks(user + nice + system + interrupts + soft_interrupts + stolen))
        }
        _ => Err(Fault::new("/proc/stat has another form than proc(5) says")),
    }
}

fn from_ticks(ticks: u64) -> Duration {
    Duration::from_secs_f64(ticks as f64 / clock_ticks_per_second() as f64)
}

fn first_number(text: &str) -> Option<u64> {
    text.split_whitespace().next()?.parse().ok()
}
