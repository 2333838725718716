//! Running other programs, and how a task fails.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};

use thiserror::Error;

/// Why a task did not succeed.
#[derive(Debug, Error)]
pub enum TaskError {
    /// Called wrongly; holds what is right.
    #[error("{0}")]
    Usage(&'static str),
    /// A program could not be run.
    #[error("cannot run `{program}`: {source}")]
    Spawn {
        /// The program and its first words.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// What was asked for did not succeed.
    #[error("{0}")]
    Failed(String),
    /// Tests failed, which has been said; their count stays the last line.
    #[error("tests failed")]
    Tests,
}

impl TaskError {
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 64,
            _ => 1,
        }
    }
}

/// The cargo that runs this task.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).stdin(Stdio::null());
    command
}

/// The folder of the workspace, so that tasks work from any folder.
pub fn root() -> PathBuf {
    let xtask = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().map(PathBuf::from).unwrap_or(xtask)
}

/// Runs a program to its end with our own output.
pub fn run(command: &mut Command) -> Result<(), TaskError> {
    let status = command.status().map_err(|source| TaskError::Spawn { program: shown(command), source })?;
    if status.success() { Ok(()) } else { Err(TaskError::Failed(format!("`{}` failed", shown(command)))) }
}

/// Whether a program can be run and succeeds, without showing what it says.
pub fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|s| s.success())
}

/// Which of a program's two outputs is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    Standard,
    Error,
}

/// Runs a program and hands each line of one output to `each_line` as it comes; the other output is our own.
pub fn run_by_line(
    command: &mut Command,
    output: Output,
    mut each_line: impl FnMut(&str),
) -> Result<ExitStatus, TaskError> {
    match output {
        Output::Standard => command.stdout(Stdio::piped()),
        Output::Error => command.stderr(Stdio::piped()),
    };
    let program = shown(command);
    let failed = |source| TaskError::Spawn { program: program.clone(), source };
    let mut child = command.spawn().map_err(failed)?;
    let lines: Option<Box<dyn BufRead>> = match output {
        Output::Standard => child.stdout.take().map(|pipe| Box::new(BufReader::new(pipe)) as _),
        Output::Error => child.stderr.take().map(|pipe| Box::new(BufReader::new(pipe)) as _),
    };
    for line in lines.into_iter().flat_map(|lines| lines.split(b'\n')) {
        let line = line.map_err(failed)?;
        each_line(&String::from_utf8_lossy(&line));
    }
    child.wait().map_err(failed)
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.take(6).map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
