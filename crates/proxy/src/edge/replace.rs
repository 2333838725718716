//! Starts the edge that takes this one's place.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::sync::Mutex;

use super::control::Control;
use super::phase::Phase;
use crate::control::Replacement;

/// How long the new edge may take until it serves.
const START_LIMIT: Duration = Duration::from_secs(20);

/// What the kernel puts behind the path of a program whose file is gone; see proc_pid_exe(5).
const DELETED: &str = " (deleted)";

/// How a successor of this edge is started, one at a time.
#[derive(Debug)]
pub(super) struct Successor {
    executable: io::Result<PathBuf>,
    arguments: Vec<OsString>,
    busy: Mutex<()>,
}

impl Successor {
    /// To be called at the start of the process, while the file it was started from is most likely still there.
    pub(super) fn new(arguments: Vec<OsString>) -> Self {
        let executable = std::env::current_exe().map(|path| without_mark(&path));
        Self { executable, arguments, busy: Mutex::new(()) }
    }

    fn start(&self, executable: Option<PathBuf>) -> Result<Child, String> {
        if self.arguments.is_empty() {
            return Err("it was started by a program that does not let it be replaced".to_owned());
        }
        let executable = match (executable, &self.executable) {
            (Some(named), _) => named,
            (None, Ok(own)) => own.clone(),
            (None, Err(error)) => {
                return Err(format!("it does not know which file it was started from: {error}"));
            }
        };
        Command::new(&executable)
            .args(&self.arguments)
            .stdin(Stdio::null())
            .kill_on_drop(false)
            .spawn()
            .map_err(|error| format!("{} cannot be started: {error}", executable.display()))
    }
}

/// Starts another edge and waits until it serves in place of this one. If that fails, with the reason, this one serves on.
pub(super) async fn replace(control: &Control, executable: Option<PathBuf>) -> Result<Replacement, String> {
    let Ok(_busy) = control.successor.busy.try_lock() else {
        return Err("it is being replaced already; wait for that".to_owned());
    };
    if control.phases.now() != Phase::Serving {
        return Err("it is being replaced or stopped already".to_owned());
    }
    control.take_failure();
    let mut child = control.successor.start(executable)?;
    let pid = child.id().unwrap_or_default();
    tracing::info!(pid, "started another edge to take over");
    let reason = tokio::select! {
        // In this order: one that has taken over may have ended since, and has taken over all the same.
        biased;
        _ = control.phases.reached(&[Phase::HandedOver, Phase::Stopping]) => "it was told to stop".to_owned(),
        ended = child.wait() => match ended {
            Ok(status) => format!("the new edge ended before it had taken over: {status}; the log says why"),
            Err(error) => format!("the new edge cannot be watched: {error}"),
        },
        () = tokio::time::sleep(START_LIMIT) => {
            format!("the new edge did not take over within {} s", START_LIMIT.as_secs())
        }
    };
    // A hand-over that is going on at this very moment has its own, shorter limit.
    let settled = [Phase::Serving, Phase::HandedOver, Phase::Drained, Phase::Stopping];
    control.phases.reached(&settled).await;
    if matches!(control.phases.now(), Phase::HandedOver | Phase::Drained)
        && let Some(replacement) = control.replacement()
    {
        return Ok(replacement);
    }
    end(&mut child).await;
    Err(control.take_failure().unwrap_or(reason))
}

/// Kills a new edge that is of no use. It serves nobody.
async fn end(child: &mut Child) {
    if let Err(error) = child.kill().await {
        tracing::debug!(%error, "the new edge had ended already");
    }
}

fn without_mark(path: &Path) -> PathBuf {
    let text = path.as_os_str().to_str().and_then(|text| text.strip_suffix(DELETED));
    text.filter(|_| !path.exists()).map_or_else(|| path.to_owned(), PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_replaced_program_is_that_of_the_new_one() {
        assert_eq!(without_mark(Path::new("/nowhere/pilotage (deleted)")), Path::new("/nowhere/pilotage"));
        assert_eq!(without_mark(Path::new("/nowhere/pilotage")), Path::new("/nowhere/pilotage"));
        let folder = tempfile::tempdir().unwrap();
        let odd = folder.path().join("pilotage (deleted)");
        std::fs::write(&odd, "").unwrap();
        assert_eq!(without_mark(&odd), odd);
    }
}
