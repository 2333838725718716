//! Where rigs keep what they need: `~/.cache/pilotage-test`, the same for all checkouts of one user.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::RigError;

/// What survives a rig, such as built programs.
pub(crate) fn cache() -> Result<PathBuf, RigError> {
    let home = std::env::var_os("HOME").filter(|home| !home.is_empty());
    let home = home.ok_or(RigError::Unfit("HOME is not set, so there is no place for the rig"))?;
    Ok(Path::new(&home).join(".cache/pilotage-test"))
}

/// The folder of one running rig. Unix sockets lie in it, whose paths must be short.
pub(crate) fn run(rig: &str) -> Result<PathBuf, RigError> {
    Ok(cache()?.join("run").join(rig))
}

/// Makes a folder that only its owner may enter: tokens and sockets lie in it.
pub(crate) fn make_private(path: &Path) -> Result<(), RigError> {
    fs::create_dir_all(path)
        .and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(0o700)))
        .map_err(RigError::file(path))
}

/// Writes a whole file, with its folder.
pub(crate) fn write(path: &Path, content: impl AsRef<[u8]>) -> Result<(), RigError> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(RigError::file(parent))?;
    }
    fs::write(path, content).map_err(RigError::file(path))
}

/// Text for a path in an argument or a configuration file.
pub(crate) fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
