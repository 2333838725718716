//! A connection through the `ssh` program, to an engine that `docker system dial-stdio` speaks to at the other end.

use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

/// So much of what `ssh` says is kept, in bytes.
const WORDS_LIMIT: u64 = 4 * 1024;

/// How a host is reached.
#[derive(Debug, Clone)]
pub(super) struct Ssh {
    /// The program, looked up on `PATH` unless it has a `/`.
    pub program: PathBuf,
    pub user: Option<String>,
    pub host: String,
    pub port: Option<u16>,
}

/// What `ssh` wrote last: why there is no connection.
#[derive(Debug, Clone, Default)]
pub(super) struct LastWords(Arc<Mutex<String>>);

impl LastWords {
    /// The last line, if there is one.
    pub fn last_line(&self) -> Option<String> {
        let words = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        words.lines().map(str::trim).rfind(|line| !line.is_empty()).map(str::to_owned)
    }

    fn set(&self, words: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = words;
    }
}

impl Ssh {
    /// The arguments. A host whose key is not known is refused, and nobody is asked for anything.
    fn arguments(&self) -> Vec<String> {
        let mut arguments: Vec<String> = [
            "-T",
            "-o",
            "BatchMode=yes",
            "-o",
            "StrictHostKeyChecking=yes",
            "-o",
            "ConnectTimeout=10",
            "-o",
            "ServerAliveInterval=15",
        ]
        .map(str::to_owned)
        .into();
        if let Some(user) = &self.user {
            arguments.extend(["-l".to_owned(), user.clone()]);
        }
        if let Some(port) = self.port {
            arguments.extend(["-p".to_owned(), port.to_string()]);
        }
        arguments.extend(["--".to_owned(), self.host.clone()]);
        arguments.extend(["docker", "system", "dial-stdio"].map(str::to_owned));
        arguments
    }

    /// Starts the program. It ends with the connection.
    pub fn connect(&self, words: &LastWords) -> io::Result<SshConnection> {
        let mut child = Command::new(&self.program)
            .args(self.arguments())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| {
                let program = self.program.display();
                io::Error::new(error.kind(), format!("the program `{program}` cannot be run: {error}"))
            })?;
        let missing = || io::Error::other("a pipe of the program is missing");
        let input = child.stdin.take().ok_or_else(missing)?;
        let output = child.stdout.take().ok_or_else(missing)?;
        let errors = child.stderr.take().ok_or_else(missing)?;
        words.set(String::new());
        tokio::spawn(listen(errors, words.clone()));
        Ok(SshConnection { input, output, _child: child })
    }
}

/// Takes in what the program says until it ends; what is beyond the limit is read and forgotten, so that it never waits.
async fn listen(mut errors: ChildStderr, words: LastWords) {
    let mut bytes = Vec::new();
    let _ = (&mut errors).take(WORDS_LIMIT).read_to_end(&mut bytes).await;
    words.set(String::from_utf8_lossy(&bytes).into_owned());
    let _ = tokio::io::copy(&mut errors, &mut tokio::io::sink()).await;
}

/// Both directions of a running `ssh`.
#[derive(Debug)]
pub(super) struct SshConnection {
    input: ChildStdin,
    output: ChildStdout,
    /// Killed when it is dropped.
    _child: Child,
}

impl AsyncRead for SshConnection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.output).poll_read(context, buffer)
    }
}

impl AsyncWrite for SshConnection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.input).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.input).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.input).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_end_the_options_before_the_host() {
        let ssh = Ssh {
            program: "ssh".into(),
            user: Some("deploy".into()),
            host: "host.example.com".into(),
            port: Some(2222),
        };
        let arguments = ssh.arguments();
        let end = arguments.iter().position(|argument| argument == "--").unwrap();
        assert_eq!(arguments[end + 1..], ["host.example.com", "docker", "system", "dial-stdio"]);
        let has = |option: &[&str]| arguments[..end].windows(2).any(|pair| pair == option);
        assert!(has(&["-o", "StrictHostKeyChecking=yes"]) && has(&["-o", "BatchMode=yes"]));
        assert!(has(&["-l", "deploy"]) && has(&["-p", "2222"]));
    }

    #[tokio::test]
    async fn a_program_that_is_missing_is_named() {
        let ssh = Ssh { program: "/nowhere/ssh".into(), user: None, host: "host".into(), port: None };
        let error = ssh.connect(&LastWords::default()).unwrap_err().to_string();
        assert!(error.contains("`/nowhere/ssh` cannot be run"), "{error}");
    }
}
