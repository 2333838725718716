//! The machine: who runs on which processor, what they use of it, and the programs that are started on it.

mod processors;
mod program;
mod usage;

pub use processors::{LOAD, PROXY, pin_this_thread, raise_descriptor_limit};
pub use program::{Program, free_address};
pub use usage::{MachineUse, ProcessorTime, memory_bytes, processor_time};
