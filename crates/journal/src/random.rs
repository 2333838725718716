//! Random bytes from the operating system, for salts and the journal's id.

use rustix::io::Errno;
use rustix::rand::{GetRandomFlags, getrandom};

use crate::store::StorageError;

/// `N` unpredictable bytes.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], StorageError> {
    let mut bytes = [0; N];
    let mut filled = 0;
    while filled < N {
        match getrandom(&mut bytes[filled..], GetRandomFlags::empty()) {
            Ok(count) => filled += count,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(StorageError::Random { reason: errno.to_string() }),
        }
    }
    Ok(bytes)
}
