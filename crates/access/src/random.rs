//! Random bytes from the operating system.

use rustix::io::Errno;
use rustix::rand::{GetRandomFlags, getrandom};
use thiserror::Error;

/// The operating system gives no random bytes.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the operating system gives no random bytes: {0}")]
pub struct RandomError(String);

/// `N` unpredictable bytes.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], RandomError> {
    let mut bytes = [0; N];
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match getrandom(rest, GetRandomFlags::empty()) {
            Ok(count) => filled += count,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(RandomError(errno.to_string())),
        }
    }
    Ok(bytes)
}
