//! The key that signs clients' cookies: a file in the state folder, made once. With another key every client would be
//! a stranger, and could change versions.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::rand::{GetRandomFlags, getrandom};
use zeroize::Zeroizing;

use super::EdgeError;
use crate::routing::CookieKey;

const KEY: &str = "cookie.key";
const STAGED: &str = "cookie.key.new";

/// For the user that the edge runs as, and nobody else.
const MODE: u32 = 0o600;

type Bytes = Zeroizing<[u8; CookieKey::LENGTH]>;

/// Reads the key from the state folder, which is locked; makes one if there is none, or if the file is none. Blocks.
pub(super) fn cookie_key(folder: &Path) -> Result<CookieKey, EdgeError> {
    let path = folder.join(KEY);
    match read(&path) {
        Ok(Some(bytes)) => return Ok(CookieKey::new(bytes)),
        Ok(None) => tracing::error!(
            "{} does not hold a key of {} bytes; a new one takes its place, and clients that were known by a cookie \
             are strangers once",
            path.display(),
            CookieKey::LENGTH
        ),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(EdgeError::io(format!("reading {}", path.display()))(error)),
    }
    create(folder).map(CookieKey::new).map_err(EdgeError::io(format!("writing {}", path.display())))
}

/// Uses the key of the edge before this one, whatever has become of the file since: it is written again if it does not
/// hold that key. Blocks.
pub(super) fn kept(folder: &Path, key: CookieKey) -> Result<CookieKey, EdgeError> {
    let path = folder.join(KEY);
    if !matches!(read(&path), Ok(Some(stored)) if *stored == *key.bytes()) {
        tracing::warn!("{} does not hold the key that is in use; it is written again", path.display());
        store(folder, key.bytes()).map_err(EdgeError::io(format!("writing {}", path.display())))?;
    }
    Ok(key)
}

/// `None` if the file is not a key.
fn read(path: &Path) -> io::Result<Option<Bytes>> {
    let text = Zeroizing::new(fs::read(path)?);
    if fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
        tracing::warn!(
            "others could read {}; it is now for its owner alone. If somebody may have, remove it and start the edge again",
            path.display()
        );
        fs::set_permissions(path, fs::Permissions::from_mode(MODE))?;
    }
    Ok(<[u8; CookieKey::LENGTH]>::try_from(text.as_slice()).ok().map(Zeroizing::new))
}

fn create(folder: &Path) -> io::Result<Bytes> {
    let mut bytes = Zeroizing::new([0; CookieKey::LENGTH]);
    let filled = getrandom(bytes.as_mut_slice(), GetRandomFlags::empty())?;
    if filled != CookieKey::LENGTH {
        return Err(io::Error::other("the system gave fewer random bytes than were asked for"));
    }
    store(folder, &bytes)?;
    Ok(bytes)
}

/// Written beside its place first, so that no crash leaves half a key.
fn store(folder: &Path, bytes: &[u8; CookieKey::LENGTH]) -> io::Result<()> {
    let staged = folder.join(STAGED);
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(MODE).open(&staged)?;
    file.set_permissions(fs::Permissions::from_mode(MODE))?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(staged, folder.join(KEY))?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(folder: &Path) -> Vec<u8> {
        fs::read(folder.join(KEY)).unwrap()
    }

    fn mode(folder: &Path) -> u32 {
        fs::metadata(folder.join(KEY)).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_key_is_made_once_and_for_its_owner_alone() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        cookie_key(one.path()).unwrap();
        let first = stored(one.path());
        assert_eq!((first.len(), mode(one.path())), (CookieKey::LENGTH, MODE));
        cookie_key(one.path()).unwrap();
        assert_eq!(stored(one.path()), first);
        cookie_key(other.path()).unwrap();
        assert_ne!(stored(other.path()), first);
        assert!(!one.path().join(STAGED).exists());
    }

    #[test]
    fn a_file_that_is_no_key_is_replaced_and_an_open_one_closed() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(KEY), "short").unwrap();
        cookie_key(folder.path()).unwrap();
        let made = stored(folder.path());
        assert_eq!(made.len(), CookieKey::LENGTH);
        fs::set_permissions(folder.path().join(KEY), fs::Permissions::from_mode(0o644)).unwrap();
        cookie_key(folder.path()).unwrap();
        assert_eq!((stored(folder.path()), mode(folder.path())), (made, MODE));
    }

    #[test]
    fn a_key_in_use_is_put_back() {
        let folder = tempfile::tempdir().unwrap();
        let key = || CookieKey::new(Zeroizing::new([7; CookieKey::LENGTH]));
        assert_eq!(kept(folder.path(), key()).unwrap().bytes(), key().bytes());
        assert_eq!((stored(folder.path()), mode(folder.path())), (key().bytes().to_vec(), MODE));
        fs::write(folder.path().join(KEY), "short").unwrap();
        kept(folder.path(), key()).unwrap();
        assert_eq!(cookie_key(folder.path()).unwrap().bytes(), key().bytes());
    }

    #[test]
    fn a_key_that_cannot_be_read_stops_the_start() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(KEY)).unwrap();
        let error = cookie_key(folder.path()).unwrap_err();
        assert!(error.to_string().contains(KEY), "{error}");
    }
}
