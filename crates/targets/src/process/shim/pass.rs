//! The step between a shim and a service that is handed its socket: sd_listen_fds(3) names the service's own process, which is
//! only known once it is there.

use std::convert::Infallible;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use rustix::io::{FdFlags, dup2, fcntl_setfd};

use super::launch::refused;

/// The word that makes the program take this step.
pub const PASS_LISTENER: &str = "pass-listener";
/// The first descriptor that is passed.
const FIRST: i32 = 3;
/// What a shell says of a program that it cannot execute.
const NOT_EXECUTED: u8 = 126;

/// `pilotage pass-listener PROGRAM NAME ARGUMENT…`: takes the socket on standard input, puts it where services look for it, and
/// becomes the program.
pub fn pass_listener(arguments: Vec<OsString>) -> ExitCode {
    let Err(reason) = become_service(&arguments);
    eprintln!("pilotage: {reason}");
    ExitCode::from(NOT_EXECUTED)
}

fn become_service(arguments: &[OsString]) -> Result<Infallible, String> {
    let [program, name, arguments @ ..] = arguments else {
        return Err("name the program, its name and its arguments".to_owned());
    };
    let program = Path::new(program);
    if is_bare_text(program) {
        return Err(refused(program, &rustix::io::Errno::NOEXEC.into()));
    }
    // Open until the very end, which is the beginning of the program.
    let _listener = take_listener().map_err(|error| format!("the socket cannot be passed on: {error}"))?;
    let error = Command::new(program)
        .arg0(name)
        .args(arguments)
        .env("LISTEN_FDS", "1")
        .env("LISTEN_FDNAMES", "http")
        .env("LISTEN_PID", std::process::id().to_string())
        .stdin(Stdio::null())
        .exec();
    Err(refused(program, &error))
}

/// Whether it is a text that does not say who is to read it: execvp(3) would hand it to a shell.
fn is_bare_text(program: &Path) -> bool {
    let mut begin = Vec::new();
    let read = File::open(program).and_then(|file| file.take(256).read_to_end(&mut begin));
    read.is_ok() && !begin.starts_with(b"#!") && !begin.contains(&0)
}

/// Makes the socket on standard input the first descriptor that is passed, and lets it outlive the change of programs.
fn take_listener() -> io::Result<OwnedFd> {
    let copy = io::stdin().as_fd().try_clone_to_owned()?;
    let listener = if copy.as_raw_fd() == FIRST { copy } else { replace_first(&copy)? };
    fcntl_setfd(&listener, FdFlags::empty())?;
    Ok(listener)
}

/// Whoever started Pilotage may have left this descriptor open, as a job server of make does.
#[expect(unsafe_code, reason = "only so can a descriptor be named by its number")]
fn replace_first(listener: &OwnedFd) -> io::Result<OwnedFd> {
    // SAFETY: it is open, or else the copy would have got it, as the lowest from there on; and nothing in this process, which
    // has just begun, has opened it or knows of it, so that it can be owned here.
    let mut first = unsafe { OwnedFd::from_raw_fd(FIRST) };
    dup2(listener, &mut first)?;
    Ok(first)
}
