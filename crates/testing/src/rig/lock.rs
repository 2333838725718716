//! Who may use a rig at the same time as whom.

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use rustix::fs::{FlockOperation, flock};

use super::{RigError, folder};

/// A lock that is held while this lives. The kernel releases it also when the process is killed.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// With others, or alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// As many as want to.
    Shared,
    /// Nobody else.
    Alone,
}

/// Those that this process shares with others, so that a test which needs two rigs on one lock takes it once: between the
/// first and the second time somebody may have begun to wait for being alone, and would be waited for.
static SHARED: Mutex<Vec<(&str, Weak<Lock>)>> = Mutex::new(Vec::new());

/// Waits until the rig may be used so, in a test.
pub(crate) fn for_test(rig: &'static str, how: Use) -> Result<Arc<Lock>, RigError> {
    if how == Use::Alone {
        return in_turn(rig, how).map(Arc::new);
    }
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let held = shared.iter().filter(|(name, _)| *name == rig).find_map(|(_, lock)| lock.upgrade());
    if let Some(held) = held {
        return Ok(held);
    }
    let taken = Arc::new(in_turn(rig, how)?);
    shared.retain(|(name, _)| *name != rig);
    shared.push((rig, Arc::downgrade(&taken)));
    Ok(taken)
}

/// Who waits to be alone holds the door, so that those who share do not keep it out for ever.
fn in_turn(rig: &str, how: Use) -> Result<Lock, RigError> {
    let door = take(&format!("{rig}.door"), Use::Alone)?;
    let lock = take(&format!("{rig}.tests"), how);
    drop(door);
    lock
}

/// What tests hold that use the Docker or the Kubernetes rig: pods run on the engine of the former.
pub(crate) const ENGINE: &str = "engine";

/// What tests hold that use the swarm, beside the other.
pub(crate) const SWARM: &str = "swarm";

/// Held by who brings a rig up or takes it down: no test uses it, so no part of it is dead because a test wants it so.
pub(crate) fn for_remake(rig: &'static str) -> Result<(Arc<Lock>, Lock), RigError> {
    Ok((for_test(rig, Use::Alone)?, for_change()?))
}

/// Held by who starts again what a test has killed.
pub(crate) fn for_change() -> Result<Lock, RigError> {
    take("change", Use::Alone)
}

/// Held by who builds something that others want as well, and would else build too.
pub(crate) fn for_build(what: &str) -> Result<Lock, RigError> {
    take(&format!("{what}.build"), Use::Alone)
}

/// Held by who needs rigs for a long time, such as a whole run of tests.
///
/// # Errors
///
/// A file of the cache folder that cannot be made.
pub fn lock_for_run() -> Result<Lock, RigError> {
    take("runs", Use::Shared)
}

/// Whether nobody holds [`lock_for_run`].
///
/// # Errors
///
/// A file of the cache folder that cannot be made.
pub fn nobody_runs() -> Result<bool, RigError> {
    let file = open("runs")?;
    Ok(flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok())
}

fn take(name: &str, how: Use) -> Result<Lock, RigError> {
    let file = open(name)?;
    let operation = match how {
        Use::Shared => FlockOperation::LockShared,
        Use::Alone => FlockOperation::LockExclusive,
    };
    flock(&file, operation)
        .map_err(|error| RigError::Command { program: format!("flock {name}"), reason: error.to_string() })?;
    Ok(Lock { _file: file })
}

fn open(name: &str) -> Result<File, RigError> {
    let path = folder::cache()?.join("locks").join(name);
    if let Some(parent) = path.parent() {
        folder::make_private(parent)?;
    }
    open_file(&path)
}

fn open_file(path: &Path) -> Result<File, RigError> {
    OpenOptions::new().create(true).truncate(false).write(true).open(path).map_err(RigError::file(path))
}
