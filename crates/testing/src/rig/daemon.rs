//! One program of a rig: started so that it outlives who started it, stopped by its recorded process.

use std::fs::{self, OpenOptions};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

use super::{RigError, wait};

/// Where the programs of a rig find others, such as `iptables` and `runc`.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How long a program has for ending after SIGTERM, and how long the kernel has after SIGKILL.
const TERM_TIME: Duration = Duration::from_secs(10);
const KILL_TIME: Duration = Duration::from_secs(10);

/// A program of a rig and how it is run; recorded, so that it can be started again exactly as it was.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Daemon {
    /// What it is called in the rig.
    pub name: String,
    pub program: PathBuf,
    pub arguments: Vec<String>,
    /// Beyond `PATH` and `HOME`.
    #[serde(default)]
    pub environment: Vec<(String, String)>,
    /// Where its output is added.
    pub log: PathBuf,
    /// A file that it leaves behind when killed, and with which it would not start again.
    #[serde(default)]
    pub pid_file: Option<PathBuf>,
    /// Whether it belongs to one test, and ends with what started it if that is killed with its group.
    #[serde(default)]
    pub of_test: bool,
    /// The process, once started.
    #[serde(default)]
    process: Option<Process>,
}

/// A process that cannot be taken for a later one with the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Process {
    id: i32,
    /// When it started, in clock ticks since boot.
    start_ticks: u64,
}

impl Daemon {
    pub(crate) fn new(name: &str, program: PathBuf, log_folder: &Path) -> Self {
        Self {
            name: name.to_owned(),
            program,
            arguments: Vec::new(),
            environment: Vec::new(),
            log: log_folder.join(format!("{name}.log")),
            pid_file: None,
            of_test: false,
            process: None,
        }
    }

    pub(crate) fn argument(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Starts it unless it runs.
    pub(crate) fn start(&mut self) -> Result<(), RigError> {
        if self.runs() {
            return Ok(());
        }
        if let Some(path) = &self.pid_file {
            // It would take the number for its own if another process has it now.
            let _ = fs::remove_file(path);
        }
        let log = OpenOptions::new().create(true).append(true).open(&self.log);
        let log = log.map_err(RigError::file(&self.log))?;
        let second = log.try_clone().map_err(RigError::file(&self.log))?;
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env_clear().env("PATH", PATH);
        command.env("HOME", std::env::var_os("HOME").unwrap_or_default());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(log).stderr(second);
        if !self.of_test {
            // A group of its own: what stops a terminal's or a test's group does not stop it.
            command.process_group(0);
        }
        let failed =
            |reason: String| RigError::Command { program: self.program.display().to_string(), reason };
        let child = command.spawn().map_err(|error| failed(error.to_string()))?;
        // Not waited for: it goes on when we end.
        let id = i32::try_from(child.id()).map_err(|error| failed(error.to_string()))?;
        let started = start_ticks(id).ok_or_else(|| failed(format!("it ended at once{}", self.log_end())))?;
        self.process = Some(Process { id, start_ticks: started });
        Ok(())
    }

    /// Whether the recorded process is there, and not only as one that nobody has waited for.
    pub(crate) fn runs(&self) -> bool {
        self.process.is_some_and(|process| start_ticks(process.id) == Some(process.start_ticks))
    }

    /// Its process id, while it runs.
    pub(crate) fn id(&self) -> Option<i32> {
        self.process.filter(|_| self.runs()).map(|process| process.id)
    }

    /// Asks it to end, kills it if it does not, and returns when it is gone.
    pub(crate) fn stop(&mut self) -> Result<(), RigError> {
        self.send(Signal::TERM);
        if !wait::until(TERM_TIME, || !self.runs()) {
            return self.kill();
        }
        self.process = None;
        Ok(())
    }

    /// Kills it and returns when it is gone.
    pub(crate) fn kill(&mut self) -> Result<(), RigError> {
        self.send(Signal::KILL);
        if !wait::until(KILL_TIME, || !self.runs()) {
            return Err(RigError::NotReady { what: format!("the end of {}", self.name), log: String::new() });
        }
        self.process = None;
        Ok(())
    }

    /// The last lines of its log, introduced for a message.
    pub(crate) fn log_end(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let last = lines.iter().skip(lines.len().saturating_sub(8)).copied().collect::<Vec<_>>();
        format!("; the end of {}:\n{}", self.log.display(), last.join("\n"))
    }

    fn send(&self, signal: Signal) {
        if let Some(process) = self.id().and_then(Pid::from_raw) {
            // If it is gone by now, that is as good.
            let _ = kill_process(process, signal);
        }
    }
}

/// When the process started, if it is there and has not ended (`proc_pid_stat(5)`).
fn start_ticks(id: i32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The second field, the name, may hold anything but ends with the last parenthesis.
    let (_, after_name) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = after_name.split(' ').collect();
    let ended = matches!(*fields.first()?, "Z" | "X");
    (!ended).then(|| fields.get(19)?.parse().ok())?
}
