//! What engines leave mounted when they are stopped.

use std::fs;
use std::path::Path;

use super::RigError;
use super::command::run;

/// Removes a folder, after whatever is mounted in it.
pub(crate) fn remove_folder(folder: &Path) -> Result<(), RigError> {
    let table = Path::new("/proc/self/mountinfo");
    let table = fs::read_to_string(table).map_err(RigError::file(table))?;
    // The fifth field is the mount point (proc_pid_mountinfo(5)); the latest mount has to go first.
    let points = table.lines().filter_map(|line| line.split(' ').nth(4));
    let inside: Vec<&str> = points.filter(|point| Path::new(point).starts_with(folder)).collect();
    for point in inside.into_iter().rev() {
        run("umount", &["--lazy", point])?;
    }
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(RigError::file(folder)(error)),
        _ => Ok(()),
    }
}
