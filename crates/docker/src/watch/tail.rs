//! Lines that a container wrote.

use bollard::container::LogOutput;
use bollard::errors::Error;
use bollard::query_parameters::LogsOptions;
use futures_util::{Stream, StreamExt};
use pilotage_secrets::Known;
use pilotage_spec::Timestamp;

use crate::engine::{Engine, Fault};

/// So many of the last lines are told with the reason of an end.
const TAIL_LINES: usize = 10;
const TAIL_LINE_CHARS: usize = 300;
/// A longer line is cut: a container must not fill our memory.
const LINE_CHARS: usize = 16 * 1024;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub at: Timestamp,
    pub stderr: bool,
    pub text: String,
}

/// Reads lines, oldest first, without secrets. A container that is gone has nothing to say any more.
pub(crate) async fn lines(
    engine: &Engine,
    known: &Known,
    container: &str,
    options: LogsOptions,
) -> Result<Vec<Line>, Fault> {
    let stream = engine.docker().logs(container, Some(whole(options)));
    read(engine, known, stream).await
}

/// The same of a task of a swarm, wherever it runs.
pub(crate) async fn task_lines(
    engine: &Engine,
    known: &Known,
    task: &str,
    options: LogsOptions,
) -> Result<Vec<Line>, Fault> {
    let stream = engine.docker().task_logs(task, Some(whole(options)));
    read(engine, known, stream).await
}

fn whole(options: LogsOptions) -> LogsOptions {
    LogsOptions { stdout: true, stderr: true, timestamps: true, follow: false, ..options }
}

async fn read(
    engine: &Engine,
    known: &Known,
    stream: impl Stream<Item = Result<LogOutput, Error>>,
) -> Result<Vec<Line>, Fault> {
    let mut stream = std::pin::pin!(stream);
    let mut lines = Vec::new();
    while let Some(output) = stream.next().await {
        match output {
            Ok(output) => take_in(output, known, &mut lines),
            Err(error) => match engine.fault(&error) {
                Fault::NotFound { .. } => break,
                fault => return Err(fault),
            },
        }
    }
    Ok(lines)
}

/// The last lines, for people; none if they cannot be had.
pub(crate) async fn tail(engine: &Engine, known: &Known, container: &str) -> Vec<String> {
    let options = LogsOptions { tail: TAIL_LINES.to_string(), ..LogsOptions::default() };
    for_people(lines(engine, known, container, options).await.unwrap_or_default())
}

/// The same of a task of a swarm.
pub(crate) async fn task_tail(engine: &Engine, known: &Known, task: &str) -> Vec<String> {
    let options = LogsOptions { tail: TAIL_LINES.to_string(), ..LogsOptions::default() };
    for_people(task_lines(engine, known, task, options).await.unwrap_or_default())
}

fn for_people(lines: Vec<Line>) -> Vec<String> {
    lines.into_iter().map(|line| line.text.chars().take(TAIL_LINE_CHARS).collect()).collect()
}

fn take_in(output: LogOutput, known: &Known, lines: &mut Vec<Line>) {
    let stderr = matches!(output, LogOutput::StdErr { .. });
    let bytes = output.into_bytes();
    for text in String::from_utf8_lossy(&bytes).lines() {
        // A line that was too long for the engine goes on without a time.
        let Some((at, text)) = stamped(text) else { continue };
        let text = known.text(text.trim_end_matches('\r'));
        lines.push(Line { at, stderr, text: text.chars().take(LINE_CHARS).collect() });
    }
}

/// `2026-07-01T09:30:00.000000000Z text`
fn stamped(line: &str) -> Option<(Timestamp, &str)> {
    let (at, text) = line.split_once(' ').unwrap_or((line, ""));
    let at: jiff::Timestamp = at.parse().ok()?;
    Some((Timestamp::from_micros(at.as_microsecond()), text))
}

#[cfg(test)]
mod tests {
    use pilotage_secrets::Secret;

    use super::*;

    #[test]
    fn lines_are_read_with_their_time_and_without_secrets() {
        let known = Known::default();
        known.learn(&[Secret::new("hunter22")]);
        let mut lines = Vec::new();
        let message =
            "2026-07-01T09:30:00.000000001Z the password is hunter22\r\n2026-07-01T09:30:01Z\nno time\n";
        take_in(LogOutput::StdErr { message: message.into() }, &known, &mut lines);
        let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, ["the password is [masked]", ""]);
        assert!(lines[0].stderr && lines[1].at > lines[0].at);
    }
}
