//! Who may run where.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_setaffinity};

use crate::fault::{During, Fault};

/// The processor that the proxy under load has to itself.
pub const PROXY: usize = 0;

/// The processor of the load generator and the upstream.
pub const LOAD: usize = 1;

/// What this thread starts from now on, and the thread itself, run on one processor only.
pub fn pin_this_thread(processor: usize) -> Result<(), Fault> {
    let mut set = CpuSet::new();
    set.set(processor);
    sched_setaffinity(None, &set).during(format_args!("taking processor {processor} (two are needed)"))
}

/// This process and those that it starts may open as many files as the system lets them.
pub fn raise_descriptor_limit() -> Result<(), Fault> {
    let hard = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: hard, maximum: hard })
        .during("raising the limit of open files")
}
