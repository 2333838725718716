//! Runs a program with limits: on time, on what it writes and on memory; it dies with all that it has started.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process_group, prlimit};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};

/// How long a program may take; Argo CD gives it as long.
const TIME_LIMIT: Duration = Duration::from_secs(90);
/// The most that it may write to standard output, in bytes.
const OUTPUT_LIMIT_BYTES: usize = 16 << 20;
/// So much of its complaints is kept, in bytes.
const COMPLAINT_LIMIT_BYTES: usize = 64 << 10;
/// So much of them is shown, in characters.
const SHOWN_LIMIT: usize = 1_000;
/// The address space that it may take, in bytes; programs in Go reserve about one GiB.
const MEMORY_LIMIT_BYTES: u64 = 4 << 30;

/// Why a program has not written what was wanted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum RunError {
    /// It was not started.
    #[error("cannot be started: {0}; look at how it is installed")]
    NotStarted(String),
    /// It says that it failed.
    #[error("has ended with {how}: {complaint}")]
    Failed {
        /// Its status.
        how: String,
        /// What it says.
        complaint: String,
    },
    /// It did not end.
    #[error("did not end within {} s and was killed; look for templates that never end", TIME_LIMIT.as_secs())]
    TookTooLong,
    /// More than objects can be.
    #[error("writes more than {} MiB and was killed; split the service", OUTPUT_LIMIT_BYTES >> 20)]
    TooLong,
    /// What it wrote is no text.
    #[error("writes what is not UTF-8 text")]
    NotText,
}

impl RunError {
    /// The same with paths as they are outside of the sandbox.
    pub(super) fn without(self, folder: &str) -> Self {
        match self {
            Self::Failed { how, complaint } => Self::Failed { how, complaint: complaint.replace(folder, "") },
            other => other,
        }
    }
}

/// Runs a program with its arguments in a folder, with these variables and no others.
pub(super) async fn run(
    words: &[OsString],
    environment: Vec<(&'static str, OsString)>,
    folder: &Path,
) -> Result<String, RunError> {
    run_within(TIME_LIMIT, words, environment, folder).await
}

pub(super) async fn run_within(
    limit: Duration,
    words: &[OsString],
    environment: Vec<(&'static str, OsString)>,
    folder: &Path,
) -> Result<String, RunError> {
    let Some((program, arguments)) = words.split_first() else {
        return Err(RunError::NotStarted("no program is named".to_owned()));
    };
    let mut child = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(environment)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A group of its own, so that what it has started ends with it.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| RunError::NotStarted(error.to_string()))?;
    let pid = child.id().and_then(|pid| Pid::from_raw(pid.try_into().ok()?));
    let group = Group(pid);
    limit_memory(pid);
    match tokio::time::timeout(limit, gather(&mut child)).await {
        Err(_) => Err(RunError::TookTooLong),
        Ok(Err(Broken::TooLong)) => Err(RunError::TooLong),
        Ok(Err(Broken::Pipe(error))) => {
            Err(RunError::Failed { how: "a broken pipe".to_owned(), complaint: error.to_string() })
        }
        Ok(Ok(Gathered { status, output, complaint })) => {
            // It has ended and was waited for: its number may be another's by now.
            group.leave();
            if !status.success() {
                return Err(RunError::Failed { how: status.to_string(), complaint: shown(&complaint) });
            }
            String::from_utf8(output).map_err(|_| RunError::NotText)
        }
    }
}

/// A limit that comes a moment after the start, which is early enough for what grows. Without the right to set it, the time is
/// the limit.
fn limit_memory(pid: Option<Pid>) {
    let limit = Rlimit { current: Some(MEMORY_LIMIT_BYTES), maximum: Some(MEMORY_LIMIT_BYTES) };
    if pid.is_some() {
        let _ = prlimit(pid, Resource::As, limit);
    }
}

struct Gathered {
    status: ExitStatus,
    output: Vec<u8>,
    complaint: Vec<u8>,
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
    let (output, complaint) = tokio::try_join!(whole(stdout), async { Ok(beginning(stderr).await) })?;
    Ok(Gathered { status: child.wait().await?, output, complaint })
}

async fn whole(output: Option<impl AsyncRead + Unpin>) -> Result<Vec<u8>, Broken> {
    let mut bytes = Vec::new();
    if let Some(output) = output {
        output.take(OUTPUT_LIMIT_BYTES as u64 + 1).read_to_end(&mut bytes).await?;
    }
    if bytes.len() > OUTPUT_LIMIT_BYTES { Err(Broken::TooLong) } else { Ok(bytes) }
}

/// What was written first; the rest is read, so that the program can go on, and thrown away.
async fn beginning(output: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut kept = Vec::new();
    if let Some(mut output) = output {
        let mut chunk = [0; 4096];
        while let Ok(count @ 1..) = output.read(&mut chunk).await {
            let room = COMPLAINT_LIMIT_BYTES - kept.len();
            kept.extend_from_slice(&chunk[..count.min(room)]);
        }
    }
    kept
}

/// The end of what a program complains about, in one line.
fn shown(complaint: &[u8]) -> String {
    let text = String::from_utf8_lossy(complaint);
    let words: Vec<&str> =
        text.split(|c: char| c.is_control() || c == ' ').filter(|word| !word.is_empty()).collect();
    let line = words.join(" ");
    match line.char_indices().rev().nth(SHOWN_LIMIT - 1) {
        Some((from, _)) if from > 0 => format!("… {}", &line[from..]),
        _ if line.is_empty() => "it does not say why".to_owned(),
        _ => line,
    }
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

    async fn script(limit: Duration, text: &str) -> Result<String, RunError> {
        let words = ["/bin/sh", "-c", text].map(OsString::from);
        run_within(limit, &words, vec![("PATH", "/usr/bin:/bin".into()), ("ONE", "1".into())], Path::new("/"))
            .await
    }

    #[tokio::test]
    async fn a_program_sees_the_given_variables_and_no_others() {
        let output = script(FOREVER, "env").await.unwrap();
        assert!(output.contains("ONE=1\n") && !output.contains("CARGO"), "{output}");
    }

    #[tokio::test]
    async fn what_a_program_complains_about_is_told_in_one_line_without_the_folder() {
        let error = script(FOREVER, "printf 'wrong\\n\\tin /secret/place/a.yaml\\033[31m' >&2; exit 3")
            .await
            .unwrap_err();
        assert_eq!(
            error.without("/secret/place/").to_string(),
            "has ended with exit status: 3: wrong in a.yaml [31m"
        );
        let long = script(FOREVER, "head -c 300000 /dev/zero | tr '\\0' x >&2; exit 1").await.unwrap_err();
        assert!(long.to_string().chars().count() < 1_100);
        let absent = run(&["/no/such/program".into()], Vec::new(), Path::new("/")).await.unwrap_err();
        assert!(matches!(absent, RunError::NotStarted(_)), "{absent}");
    }

    #[tokio::test]
    async fn what_writes_too_much_never_ends_or_is_no_text_is_refused() {
        let too_long = script(FOREVER, "head -c 100000000 /dev/zero; sleep 1000").await;
        assert_eq!(too_long, Err(RunError::TooLong));
        assert_eq!(script(FOREVER, "printf '\\377'").await, Err(RunError::NotText));

        let folder = tempfile::tempdir().unwrap();
        let child = folder.path().join("child");
        let text = format!("sleep 1000 & echo $! > {}; wait", child.display());
        assert_eq!(script(Duration::from_millis(300), &text).await, Err(RunError::TookTooLong));
        // A loaded machine may have killed it before it began anything.
        if let Ok(pid) = std::fs::read_to_string(&child) {
            let line = Path::new("/proc").join(pid.trim()).join("cmdline");
            while std::fs::read(&line).is_ok_and(|line| line.starts_with(b"sleep")) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
}
