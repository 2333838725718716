//! One writing process at a time, held by a lock on a side file that ends with the process.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::error::OpenError;
use super::place;

/// The right to write. Given back when dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the right to write the journal at `path`, and notes this process in the side file.
    pub(crate) fn acquire(path: &Path) -> Result<Self, OpenError> {
        let side = place::beside(path, ".lock");
        let failed = |action| {
            let side = side.clone();
            move |source| OpenError::Io { action, path: side, source }
        };
        let mut options = OpenOptions::new();
        let mut file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&side)
            .map_err(failed("open the lock file"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::InUse { path: path.to_owned(), pid: holder(&mut file) });
            }
            Err(TryLockError::Error(source)) => return Err(failed("lock")(source)),
        }
        note_process(&mut file).map_err(failed("write to the lock file"))?;
        Ok(Self { _file: file })
    }
}

fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn note_process(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}
