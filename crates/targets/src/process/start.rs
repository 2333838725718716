//! Starts a shim and waits until it answers.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use super::config::ProcessConfig;
use super::files::file_error;
use super::shim::{ShimClient, ShimSpec, ShimStatus};
use crate::TargetError;

/// A shim that does not answer by then never will.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
/// What a shim needs to end beyond the grace of its service.
const END_MARGIN: Duration = Duration::from_secs(5);
const ERROR_FILE: &str = "shim.err";

/// Starts a shim that goes on when this process ends, and says what it said first. If nothing comes of it, no process is
/// left.
pub async fn start_shim(config: &ProcessConfig, spec: &ShimSpec) -> Result<ShimStatus, TargetError> {
    let mut child = spawn(config, &spec.folder)?;
    let failed = |reason: String| TargetError::Failed { doing: format!("start {}", spec.name), reason };
    let text = serde_json::to_vec(spec).map_err(|error| failed(error.to_string()))?;
    let mut input = child.stdin.take().ok_or_else(|| failed("the shim has no standard input".into()))?;
    // A shim that has ended already says why in its error file.
    let _ = input.write_all(&text).await;
    drop(input);
    let answer = first_answer(&mut child, spec).await;
    if answer.is_err() {
        end(&mut child, spec.stop_grace).await;
    } else {
        // Reaped by whoever is its parent: this process now, later the system.
        tokio::spawn(async move { child.wait().await });
    }
    answer
}

/// Ends a shim that is of no use. SIGTERM first: it may have begun, and only it can end what it holds.
async fn end(child: &mut Child, grace: Duration) {
    if let Some(pid) = child.id().and_then(|pid| Pid::from_raw(pid.try_into().ok()?)) {
        // Not reaped yet, so that the id is still its own.
        let _ = kill_process(pid, Signal::TERM);
    }
    if timeout(grace + END_MARGIN, child.wait()).await.is_err() {
        let _ = child.kill().await;
    }
}

fn spawn(config: &ProcessConfig, folder: &Path) -> Result<Child, TargetError> {
    let error_path = folder.join(ERROR_FILE);
    let error_file = OpenOptions::new().append(true).create(true).mode(0o600).open(&error_path);
    let error_file = error_file.map_err(|error| file_error("write", &error_path, &error))?;
    Command::new(&config.program)
        .arg("shim")
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(error_file)
        .kill_on_drop(false)
        .spawn()
        .map_err(|error| TargetError::Failed {
            doing: format!("run `{} shim`, which holds an instance", config.program.display()),
            reason: error.to_string(),
        })
}

async fn first_answer(child: &mut Child, spec: &ShimSpec) -> Result<ShimStatus, TargetError> {
    let deadline = Instant::now() + ANSWER_WITHIN;
    let mut pause = Duration::from_millis(1);
    loop {
        if let Ok(status) = ShimClient::status(&spec.socket, Duration::from_secs(2)).await {
            return Ok(status);
        }
        if let Ok(Some(status)) = child.try_wait() {
            return Err(explained(&spec.folder, &spec.name, &format!("the shim {status}")));
        }
        if Instant::now() > deadline {
            let reason = format!("the shim does not answer on {}", spec.socket.display());
            return Err(TargetError::Failed { doing: format!("start {}", spec.name), reason });
        }
        sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(10));
    }
}

/// The error with what the shim itself wrote about it.
fn explained(folder: &Path, name: &str, otherwise: &str) -> TargetError {
    let text = fs::read_to_string(folder.join(ERROR_FILE)).unwrap_or_default();
    let said = text.lines().last().unwrap_or(otherwise);
    if said.contains(&io::Error::from(rustix::io::Errno::NOSPC).to_string()) {
        return TargetError::DiskFull { path: folder.display().to_string() };
    }
    TargetError::Failed { doing: format!("start {name}"), reason: said.to_owned() }
}
