//! The key for clients' cookies on its way: in a pipe, so that no message, which may be logged, ever holds it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;

use zeroize::Zeroizing;

use crate::routing::CookieKey;

/// A pipe with the key in it, and nothing else.
pub(super) fn sealed(key: &CookieKey) -> io::Result<OwnedFd> {
    let (reader, mut writer) = io::pipe()?;
    // A pipe has room for far more; see pipe(7).
    writer.write_all(key.bytes())?;
    Ok(reader.into())
}

/// The key in such a pipe.
pub(super) fn opened(pipe: OwnedFd) -> io::Result<CookieKey> {
    let mut bytes = Zeroizing::new([0; CookieKey::LENGTH]);
    File::from(pipe).read_exact(bytes.as_mut_slice())?;
    Ok(CookieKey::new(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_arrives_as_it_was_and_half_a_key_does_not() {
        let key = CookieKey::new(Zeroizing::new([9; CookieKey::LENGTH]));
        assert_eq!(opened(sealed(&key).unwrap()).unwrap().bytes(), key.bytes());

        let (reader, mut writer) = io::pipe().unwrap();
        writer.write_all(&[9; CookieKey::LENGTH - 1]).unwrap();
        drop(writer);
        assert_eq!(opened(reader.into()).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
