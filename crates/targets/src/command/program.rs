//! Runs the program once for each request.

use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use pilotage_secrets::{Known, Secret};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;

use super::environment::Environment;
use super::fault::{CommandFault, Said};
use super::group::Group;

/// The longest answer, in bytes: a thousand instances and their logs fit ten times over.
const ANSWER_LIMIT_BYTES: usize = 8 << 20;
/// So many requests are worked on at a time.
const AT_ONCE: usize = 8;
/// The longest line of standard error that is passed on as one, in bytes.
const LINE_LIMIT_BYTES: usize = 4096;
/// So many lines of standard error are passed on for each request; the rest is read and dropped.
const LINES_PASSED_ON: usize = 1_000;
/// So many of the last lines are told with a failure.
const LINES_TOLD: usize = 5;
/// EX_TEMPFAIL of sysexits.h: the user is invited to try again.
const TEMPORARY_FAILURE: i32 = 75;

/// A program that is started once for each request.
#[derive(Debug)]
pub struct Program {
    words: Vec<String>,
    folder: PathBuf,
    timeout: Duration,
    known: Known,
    running: Semaphore,
}

/// What the program wrote, and how it ended.
#[derive(Debug)]
pub struct Output {
    /// Its standard output.
    pub answer: Secret,
    /// The last lines of its standard error, without secrets.
    pub said: Said,
    /// Its status.
    pub status: ExitStatus,
}

impl Output {
    /// The fault of an end without an answer that tells it.
    pub fn ended(self, verb: &'static str) -> CommandFault {
        // Without a code it was killed, by whoever needed its memory or ended the machine.
        let transient = self.status.code().is_none_or(|code| code == TEMPORARY_FAILURE);
        CommandFault::Ended { verb, how: self.status.to_string(), transient, said: self.said }
    }
}

impl Program {
    /// A program by its words, in a folder. What `known` knows is masked in all that it writes.
    pub fn new(words: Vec<String>, folder: PathBuf, timeout: Duration, known: Known) -> Self {
        Self { words, folder, timeout, known, running: Semaphore::new(AT_ONCE) }
    }

    /// Runs it with this input.
    pub async fn run(
        &self,
        verb: &'static str,
        input: &Secret,
        environment: &Environment,
    ) -> Result<Output, CommandFault> {
        // The semaphore is never closed.
        let _permit = self.running.acquire().await;
        let mut child =
            self.start(environment).map_err(|error| CommandFault::NotStarted(error.to_string()))?;
        let group = Group::of(&child);
        let mut talk = Talk { verb, known: &self.known, said: Said::default(), passed_on: 0 };
        let gathered = tokio::time::timeout(self.timeout, gather(&mut child, input, &mut talk)).await;
        match gathered {
            Err(_) => Err(CommandFault::TookTooLong { verb, limit: self.timeout, said: talk.said }),
            Ok(Err(Broken::TooLong)) => Err(CommandFault::TooLong { verb, limit_bytes: ANSWER_LIMIT_BYTES }),
            Ok(Err(Broken::Pipe(error))) => Err(CommandFault::Ended {
                verb,
                how: format!("a broken pipe ({error})"),
                transient: true,
                said: talk.said,
            }),
            Ok(Ok((answer, status))) => {
                group.leave();
                Ok(Output { answer, said: talk.said, status })
            }
        }
    }

    fn start(&self, environment: &Environment) -> io::Result<Child> {
        let (program, arguments) = self.words.split_first().ok_or(io::ErrorKind::NotFound)?;
        let program = if program.contains('/') { self.folder.join(program) } else { PathBuf::from(program) };
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(&self.folder)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A group of its own, so that what it has started ends with it.
            .process_group(0)
            .kill_on_drop(true);
        environment.give_to(&mut command);
        command.spawn()
    }
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

async fn gather(
    child: &mut Child,
    input: &Secret,
    talk: &mut Talk<'_>,
) -> Result<(Secret, ExitStatus), Broken> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let hand_over = async {
        if let Some(mut stdin) = stdin {
            // Whoever answers without having read all is free to do so.
            let _ = stdin.write_all(input.expose()).await;
            let _ = stdin.shutdown().await;
        }
        Ok(())
    };
    let listen = async {
        talk.listen(stderr).await;
        Ok(())
    };
    let (answer, (), ()) = tokio::try_join!(read_answer(stdout), hand_over, listen)?;
    Ok((answer, child.wait().await?))
}

async fn read_answer(output: Option<impl AsyncRead + Unpin>) -> Result<Secret, Broken> {
    let mut bytes = Vec::new();
    if let Some(output) = output {
        output.take(ANSWER_LIMIT_BYTES as u64 + 1).read_to_end(&mut bytes).await?;
    }
    if bytes.len() > ANSWER_LIMIT_BYTES { Err(Broken::TooLong) } else { Ok(Secret::new(bytes)) }
}

/// What the program says while it works: passed on line by line, without secrets.
struct Talk<'a> {
    verb: &'static str,
    known: &'a Known,
    said: Said,
    passed_on: usize,
}

impl Talk<'_> {
    async fn listen(&mut self, output: Option<impl AsyncRead + Unpin>) {
        let Some(mut output) = output else { return };
        let mut masked = Arc::clone(&self.known.masker()).stream();
        let (mut chunk, mut line) = ([0; 4096], Vec::new());
        while let Ok(count @ 1..) = output.read(&mut chunk).await {
            masked.push(&chunk[..count], &mut line);
            self.pass_on(&mut line);
        }
        masked.finish(&mut line);
        line.push(b'\n');
        self.pass_on(&mut line);
    }

    /// Passes on whole lines, and what is too long to be one.
    fn pass_on(&mut self, line: &mut Vec<u8>) {
        loop {
            let end = line.iter().position(|byte| *byte == b'\n');
            let length = match end {
                Some(end) => end.min(LINE_LIMIT_BYTES),
                None if line.len() > LINE_LIMIT_BYTES => LINE_LIMIT_BYTES,
                None => return,
            };
            let text = String::from_utf8_lossy(&line[..length]).trim_end().to_owned();
            let rest = if end == Some(length) { length + 1 } else { length };
            line.drain(..rest);
            if !text.is_empty() {
                self.say(text);
            }
        }
    }

    fn say(&mut self, text: String) {
        if self.passed_on < LINES_PASSED_ON {
            tracing::info!(verb = self.verb, "{text}");
        }
        self.passed_on += 1;
        if self.said.0.len() == LINES_TOLD {
            self.said.0.remove(0);
        }
        self.said.0.push(text);
    }
}
