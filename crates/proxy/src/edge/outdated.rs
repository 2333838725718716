//! Whether a running edge is of an older make than a program.

use std::cmp::Ordering;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use semver::Version;

use crate::control::Identity;

/// The version that this is built as.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

impl Identity {
    /// Whether a program of this version should take the edge's place: the edge is of an older version, or of the same
    /// version and was started from another file, as after a new build.
    ///
    /// An edge whose version or file cannot be found out is left as it is: it serves.
    pub fn is_outdated(&self, program: &Path) -> bool {
        let (Ok(running), Ok(own)) = (Version::parse(&self.version), Version::parse(VERSION)) else {
            return false;
        };
        match running.cmp_precedence(&own) {
            Ordering::Less => true,
            Ordering::Greater => false,
            Ordering::Equal => is_another_file(self.pid, program),
        }
    }
}

/// Whether a process runs another file than this. That of a process stays the same when its path is replaced; see
/// proc_pid_exe(5).
fn is_another_file(pid: u32, program: &Path) -> bool {
    let file = |path: &Path| path.metadata().map(|file| (file.dev(), file.ino())).ok();
    match (file(Path::new(&format!("/proc/{pid}/exe"))), file(program)) {
        (Some(running), Some(program)) => running != program,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(version: &str) -> Identity {
        Identity { pid: std::process::id(), version: version.to_owned(), started_micros: 0 }
    }

    #[test]
    fn older_versions_and_other_files_are_outdated() {
        let program = std::env::current_exe().unwrap();
        assert!(own("0.0.1").is_outdated(&program));
        assert!(own(&format!("{VERSION}-rc.1")).is_outdated(&program), "what came before the release");
        assert!(own(VERSION).is_outdated(Path::new("/bin/sh")));

        assert!(!own(VERSION).is_outdated(&program));
        assert!(!own("999.0.0").is_outdated(Path::new("/bin/sh")), "nobody goes back unasked");
        assert!(!own("unknown").is_outdated(Path::new("/bin/sh")));
        assert!(!own(VERSION).is_outdated(Path::new("/nowhere/pilotage")));
    }
}
