//! A value that nobody is to see.

use std::fmt;

use zeroize::{Zeroize, Zeroizing};

/// A longer secret is taken for a mistake, in bytes.
pub const LIMIT_BYTES: usize = 64 * 1024;

/// A secret. It shows itself to nobody by itself: whoever needs the value says so. It is wiped from memory at its end.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// A secret of these bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    /// A secret out of a text in a file or of a program: one trailing line break is the editor's, not the secret's.
    pub(crate) fn of_text(mut bytes: Vec<u8>) -> Self {
        for end in [b'\n', b'\r'] {
            if bytes.last() != Some(&end) {
                break;
            }
            bytes.pop();
        }
        Self::new(bytes)
    }

    /// The value, for the one who needs it.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The value as a text, if it is one.
    pub fn expose_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([masked])")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

/// Reads into memory that is wiped when it is let go of, and fails if there is more than a secret may have.
pub(crate) fn read_limited(mut input: impl std::io::Read) -> std::io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut bytes = Zeroizing::new(vec![0; LIMIT_BYTES + 1]);
    let mut length = 0;
    loop {
        match input.read(&mut bytes[length..]) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    if length > LIMIT_BYTES {
        return Ok(None);
    }
    bytes[length..].zeroize();
    bytes.truncate(length);
    Ok(Some(bytes))
}
