//! Starts the service's process.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pilotage_spec::substitute;
use tokio::net::unix::pipe::Receiver;

use super::pass::PASS_LISTENER;
use super::place::Place;
use super::spec::ShimSpec;

/// A process that was started.
pub struct Launched {
    /// Its process id, which is that of its group too.
    pub pid: u32,
    /// Its standard output.
    pub stdout: Receiver,
    /// Its standard error.
    pub stderr: Receiver,
}

/// Why a service was not started, in words, with what to do.
pub enum LaunchFailure {
    /// It can never be started like this.
    Hopeless(String),
    /// The system is short of something, so it may work another time.
    Passing(String),
}

impl From<String> for LaunchFailure {
    fn from(reason: String) -> Self {
        Self::Hopeless(reason)
    }
}

/// Starts the service in a process group of its own, with nothing inherited but what the specification names.
pub fn launch(spec: &ShimSpec, place: &Place) -> Result<Launched, LaunchFailure> {
    let mut env = spec.env.clone();
    let told = place.variable();
    env.extend(told.clone().map(|(name, value)| (name.to_owned(), value)));
    let arguments = fill_in(spec, &env, told.map(|(name, _)| name))?;
    let (name, arguments) =
        arguments.split_first().ok_or_else(|| "`run` is empty; name the program in it".to_owned())?;
    let program = find(name, spec, &env)?;
    let system = |error: io::Error| LaunchFailure::Passing(format!("could not be started: {error}"));
    let (stdout, child_stdout) = pipe().map_err(system)?;
    let (stderr, child_stderr) = pipe().map_err(system)?;
    let child = command(&program, name, arguments, place)
        .map_err(system)?
        .env_clear()
        .envs(&env)
        .current_dir(&spec.current_folder)
        .stdout(child_stdout)
        .stderr(child_stderr)
        .process_group(0)
        .spawn()
        .map_err(|error| if is_passing(&error) { system(error) } else { refused(&program, &error).into() })?;
    Ok(Launched { pid: child.id(), stdout, stderr })
}

/// The program, or what becomes the program once it has put the socket where it belongs.
fn command(program: &Path, name: &str, arguments: &[String], place: &Place) -> io::Result<Command> {
    let mut command = Command::new(program);
    match place {
        Place::Passed(_, listener) => {
            // The very program that runs here, even if its file has been replaced meanwhile.
            command = Command::new("/proc/self/exe");
            command.arg(PASS_LISTENER).arg(program).arg(name).stdin(listener.try_clone()?);
        }
        Place::Nowhere | Place::Port(_) | Place::Socket(_) => {
            command.arg0(name).stdin(Stdio::null());
        }
    }
    command.args(arguments);
    Ok(command)
}

fn fill_in(
    spec: &ShimSpec,
    env: &BTreeMap<String, String>,
    place: Option<&str>,
) -> Result<Vec<String>, String> {
    let known = |name: &str| {
        let substituted = Some(name) == place || spec.substituted.iter().any(|other| other == name);
        env.get(name).filter(|_| substituted).cloned()
    };
    spec.run
        .iter()
        .map(|argument| {
            substitute(argument, known)
                .map_err(|error| format!("the argument `{argument}` of `run` cannot be filled in: {error}"))
        })
        .collect()
}

fn pipe() -> io::Result<(Receiver, OwnedFd)> {
    let (reader, writer) = io::pipe()?;
    Ok((Receiver::from_owned_fd(reader.into())?, writer.into()))
}

/// Where the program is: with a `/` in the release unless it is absolute, otherwise on `PATH`.
fn find(name: &str, spec: &ShimSpec, env: &BTreeMap<String, String>) -> Result<PathBuf, String> {
    if name.contains('/') {
        let path = spec.current_folder.join(name);
        return check(&path).map(|()| path);
    }
    let search = env.get("PATH").map_or("", String::as_str);
    let found = search
        .split(':')
        .filter(|folder| folder.starts_with('/'))
        .map(|folder| Path::new(folder).join(name))
        .find(|path| check(path).is_ok());
    found.ok_or_else(|| {
        let inside = spec.current_folder.join(name).is_file();
        let mend = if inside {
            format!("the artifact holds it: write `./{name}` in `run`")
        } else {
            "install it, or write the path of a program of the artifact (`./name`) in `run`".to_owned()
        };
        format!("the program `{name}` is not on PATH ({search}); {mend}")
    })
}

/// Says what is wrong with a program before the kernel does so in fewer words.
fn check(path: &Path) -> Result<(), String> {
    let shown = path.display();
    let metadata = fs::metadata(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => format!(
            "the program {shown} is not there; does the artifact hold it under this name? Correct `artifact` or `run`"
        ),
        _ => format!("the program {shown} cannot be looked at: {error}"),
    })?;
    if !metadata.is_file() {
        return Err(format!("{shown} is not a file; name the program in `run`"));
    }
    if metadata.permissions().mode() & 0o111 == 0 {
        return Err(format!("the program {shown} is not executable; `chmod +x` it before it is deployed"));
    }
    Ok(())
}

/// Too many processes, too little memory; or a program that is still being written elsewhere.
fn is_passing(error: &io::Error) -> bool {
    use io::ErrorKind::{ExecutableFileBusy, OutOfMemory, WouldBlock};
    matches!(error.kind(), WouldBlock | OutOfMemory | ExecutableFileBusy)
}

/// Why the kernel does not run a program, in words.
pub(super) fn refused(program: &Path, error: &io::Error) -> String {
    let shown = program.display();
    // ENOEXEC has no name in `io::ErrorKind`.
    if error.raw_os_error() == Some(rustix::io::Errno::NOEXEC.raw_os_error()) {
        return format!(
            "the program {shown} is neither a program for this machine nor a script that begins with `#!`; build it for \
             this machine, or name its interpreter first in `run`"
        );
    }
    match (error.kind(), interpreter(program)) {
        (io::ErrorKind::NotFound, Some(interpreter)) => format!(
            "the program {shown} wants to be run by `{interpreter}`, which is not there; install it, or correct the first \
             line of the script"
        ),
        (io::ErrorKind::NotFound, None) => format!(
            "the program {shown} needs a loader that is not there: it was built for another system; build it for this one"
        ),
        (io::ErrorKind::PermissionDenied, _) => format!(
            "the program {shown} may not be executed by this user; check its permissions, and that its file system is not \
             mounted `noexec`"
        ),
        (io::ErrorKind::ArgumentListTooLong, _) => {
            format!("{shown}: arguments and environment are too long for the system; shorten them")
        }
        _ => format!("the program {shown} cannot be started: {error}"),
    }
}

/// What the first line of a script names.
fn interpreter(program: &Path) -> Option<String> {
    let mut line = Vec::new();
    let file = io::Read::take(File::open(program).ok()?, 256);
    BufReader::new(file).read_until(b'\n', &mut line).ok()?;
    let line = String::from_utf8(line).ok()?;
    Some(line.strip_prefix("#!")?.split_ascii_whitespace().next()?.to_owned())
}
