//! Programs that run to their end.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

use super::RigError;

/// Runs a program and returns what it wrote to standard output.
pub(crate) fn output(command: &mut Command) -> Result<String, RigError> {
    let output = match command.stdin(Stdio::null()).output() {
        Ok(output) => output,
        Err(error) => return Err(failed(command, error.to_string())),
    };
    if !output.status.success() {
        return Err(failed(command, String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs a program with our own output, for what takes minutes.
pub(crate) fn show(command: &mut Command) -> Result<(), RigError> {
    match command.stdin(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(failed(command, format!("{status}; see above"))),
        Err(error) => Err(failed(command, error.to_string())),
    }
}

/// Runs a program by name, for example `ip` with `["link"]`.
pub(crate) fn run<S: AsRef<OsStr>>(program: &str, arguments: &[S]) -> Result<String, RigError> {
    output(Command::new(program).args(arguments))
}

fn failed(command: &Command, reason: String) -> RigError {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let program = words.take(5).map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ");
    RigError::Command { program, reason }
}
