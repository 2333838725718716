//! The programs that render, and where they are.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The programs that render. All of them are optional.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Programs {
    /// `kustomize`.
    pub kustomize: Option<PathBuf>,
    /// `kubectl`, which has a `kustomize` of its own.
    pub kubectl: Option<PathBuf>,
    /// `helm`.
    pub helm: Option<PathBuf>,
    /// `unshare` of util-linux, which takes the network away from the others.
    pub unshare: Option<PathBuf>,
}

impl Programs {
    /// Those on the `PATH` of this process.
    pub fn installed() -> Self {
        Self::in_path(&std::env::var_os("PATH").unwrap_or_default())
    }

    fn in_path(path: &OsStr) -> Self {
        let find = |name: &str| {
            // Relative folders of a PATH would depend on where the server was started.
            let folders = std::env::split_paths(path).filter(|folder| folder.is_absolute());
            folders.map(|folder| folder.join(name)).find(|file| is_program(file))
        };
        Self {
            kustomize: find("kustomize"),
            kubectl: find("kubectl"),
            helm: find("helm"),
            unshare: find("unshare"),
        }
    }
}

fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}
