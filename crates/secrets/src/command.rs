//! Secrets that a program writes: a password manager's, a cloud's own.
//!
//! It is run with the arguments of the file and nothing else, in the project's folder, with the control plane's environment,
//! by which such programs know who asks. What it writes to standard error may hold anything, and is not repeated.

use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use zeroize::{Zeroize, Zeroizing};

use crate::{LIMIT_BYTES, Secret};

/// How long a command may take.
const LIMIT: Duration = Duration::from_secs(10);

/// Why a command has not written a secret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CommandError {
    /// It was not started.
    #[error(
        "`{program}` cannot be started: {reason}; name a program on PATH of the server, or its whole path"
    )]
    NotStarted {
        /// The program.
        program: String,
        /// In the words of the system.
        reason: String,
    },
    /// It says that it failed.
    #[error(
        "`{program}` has ended with {how} ({stderr_bytes} bytes on its standard error, which may hold secrets and are not \
         shown); run the command by hand, as the server's user"
    )]
    Failed {
        /// The program.
        program: String,
        /// Its status.
        how: String,
        /// How much it has complained, up to a limit.
        stderr_bytes: usize,
    },
    /// It did not end.
    #[error("`{program}` did not end within {} s and was killed; it must not ask for anything", LIMIT.as_secs())]
    TookTooLong {
        /// The program.
        program: String,
    },
    /// More than a secret may have.
    #[error("`{program}` writes more than {} KiB and was killed; let it write the secret alone", LIMIT_BYTES >> 10)]
    TooLong {
        /// The program.
        program: String,
    },
}

/// What the command writes to standard output.
pub(crate) async fn read(words: &[String], folder: &Path) -> Result<Secret, CommandError> {
    read_within(LIMIT, words, folder).await
}

async fn read_within(limit: Duration, words: &[String], folder: &Path) -> Result<Secret, CommandError> {
    let (program, arguments) = words.split_first().map_or(("", [].as_slice()), |(p, a)| (p.as_str(), a));
    let not_started = |error: io::Error| CommandError::NotStarted {
        program: program.to_owned(),
        reason: error.to_string(),
    };
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A group of its own, so that what it has started ends with it.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(not_started)?;
    let group = Group(child.id().and_then(|pid| Pid::from_raw(pid.try_into().ok()?)));
    let gathered = tokio::time::timeout(limit, gather(&mut child)).await;
    let program = program.to_owned();
    let failed =
        |how: String, stderr_bytes| CommandError::Failed { program: program.clone(), how, stderr_bytes };
    match gathered {
        Err(_) => Err(CommandError::TookTooLong { program }),
        Ok(Err(Broken::TooLong)) => Err(CommandError::TooLong { program }),
        Ok(Err(Broken::Pipe(error))) => Err(failed(error.to_string(), 0)),
        Ok(Ok(Gathered { status, stdout, stderr_bytes })) => {
            // It has ended and was waited for: its number may be another's by now.
            group.leave();
            match status.success() {
                true => Ok(Secret::of_text(stdout.to_vec())),
                false => Err(failed(status.to_string(), stderr_bytes)),
            }
        }
    }
}

struct Gathered {
    stdout: Zeroizing<Vec<u8>>,
    stderr_bytes: usize,
    status: ExitStatus,
}

/// Why no more is read.
enum Broken {
    TooLong,
    Pipe(io::Error),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Pipe(error)
    }
}

async fn gather(child: &mut Child) -> Result<Gathered, Broken> {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (stdout, stderr_bytes) = tokio::try_join!(gather_output(stdout), async { Ok(count(stderr).await) })?;
    Ok(Gathered { stdout, stderr_bytes, status: child.wait().await? })
}

async fn gather_output(output: Option<impl AsyncRead + Unpin>) -> Result<Zeroizing<Vec<u8>>, Broken> {
    let mut bytes = Zeroizing::new(vec![0; LIMIT_BYTES + 1]);
    let mut length = 0;
    if let Some(mut output) = output {
        while length < bytes.len() {
            match output.read(&mut bytes[length..]).await? {
                0 => break,
                count => length += count,
            }
        }
    }
    if length > LIMIT_BYTES {
        return Err(Broken::TooLong);
    }
    bytes[length..].zeroize();
    bytes.truncate(length);
    Ok(bytes)
}

/// Counts what is thrown away.
async fn count(output: Option<impl AsyncRead + Unpin>) -> usize {
    let mut total = 0_usize;
    if let Some(mut output) = output {
        let mut chunk = Zeroizing::new([0; 4096]);
        while let Ok(count @ 1..) = output.read(chunk.as_mut_slice()).await {
            total = total.saturating_add(count);
        }
    }
    total
}

/// A group of processes that is killed at the end, however that comes, unless it has ended by itself.
struct Group(Option<Pid>);

impl Group {
    fn leave(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // None of it may be left.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Longer than any test takes.
    const FOREVER: Duration = Duration::from_secs(1_000);

    async fn script(limit: Duration, text: &str) -> Result<Secret, CommandError> {
        let words = ["sh", "-c", text].map(str::to_owned);
        read_within(limit, &words, Path::new("/")).await
    }

    #[tokio::test]
    async fn what_is_written_is_the_secret_but_for_one_line_break() {
        assert_eq!(script(FOREVER, "echo noise >&2; printf 'a b\\n\\n'").await.unwrap().expose(), b"a b\n");
        let words = ["printf".to_owned(), "%s".to_owned(), "$HOME; `id` $(id)".to_owned()];
        let secret = read(&words, Path::new("/")).await.unwrap();
        assert_eq!(secret.expose(), b"$HOME; `id` $(id)", "no shell sees the arguments");
    }

    #[tokio::test]
    async fn what_fails_is_told_without_a_word_of_what_it_wrote() {
        let error = script(FOREVER, "echo hunter22; echo hunter22 >&2; exit 1").await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains("exit status: 1") && text.contains("9 bytes"), "{text}");
        assert!(!text.contains("hunter22") && !format!("{error:?}").contains("hunter22"), "{text}");
        let absent = ["no-such-program-anywhere".to_owned()];
        let text = read(&absent, Path::new("/")).await.unwrap_err().to_string();
        assert!(text.starts_with("`no-such-program-anywhere` cannot be started: No such file"), "{text}");
    }

    #[tokio::test]
    async fn what_writes_too_much_or_never_ends_is_killed_with_all_it_has_started() {
        let too_long = script(FOREVER, "head -c 10000000 /dev/zero; sleep 1000").await.unwrap_err();
        assert!(matches!(too_long, CommandError::TooLong { .. }), "{too_long}");
        let loud = script(FOREVER, "head -c 10000000 /dev/zero >&2; echo quiet").await.unwrap();
        assert_eq!(loud.expose(), b"quiet");

        let folder = tempfile::tempdir().unwrap();
        let child = folder.path().join("child");
        let text = format!("sleep 1000 & echo $! > {}; wait", child.display());
        let limit = Duration::from_millis(300);
        let slow = script(limit, &text).await.unwrap_err();
        assert!(matches!(slow, CommandError::TookTooLong { .. }), "{slow}");
        // A loaded machine may have killed it before it began anything.
        if let Ok(pid) = std::fs::read_to_string(&child) {
            let status = Path::new("/proc").join(pid.trim()).join("cmdline");
            while std::fs::read(&status).is_ok_and(|line| line.starts_with(b"sleep")) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
}
