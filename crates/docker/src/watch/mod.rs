//! What is known of the containers, and how it is kept true: the engine's events, a look at everything now and then, and
//! probes of our own. It is never the answer to `observe`, which asks the engine.

mod events;
mod held;
mod look;
pub(crate) mod readings;
mod registry;
mod supervise;
mod tail;

pub(crate) use events::watch;
pub(crate) use held::Held;
pub(crate) use registry::{Registry, protocol};
pub(crate) use supervise::{AbortOnDrop, Streaks};
pub(crate) use tail::{lines, task_lines, task_tail};
