//! Whether a version is rolled out, and if it is not, why not yet.

mod pod;
mod status;
mod why;

pub(crate) use pod::{
    PodState, Trouble, has_stopped, running_since, says_never, service, state, terminated_last, timestamp,
};
pub(crate) use status::{Missing, missing, missing_of_stateful_set};
pub(crate) use why::{Told, why};
