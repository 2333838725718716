//! What a service writes, line by line, into files of bounded size.
//!
//! A line of the file is a time (RFC 3339, UTC), `out` or `err`, and the text. The newest file is `log`; older ones are
//! `log.1`, `log.2` and so on.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use pilotage_secrets::{Known, Masker, Stream};
use pilotage_spec::Timestamp;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;

use super::spec::LogLimits;
use crate::process::files::now;

/// A longer line is cut: the service must not fill our memory.
const MAX_LINE_BYTES: usize = 16 * 1024;
const CHUNK_BYTES: usize = 64 * 1024;
/// So many of the last lines are told with the reason of an end.
const TAIL_LINES: usize = 10;
const TAIL_LINE_CHARS: usize = 300;

/// The log of one instance.
#[derive(Debug, Clone)]
pub struct Log {
    file: Arc<Mutex<LogFile>>,
    /// What is masked.
    known: Known,
}

impl Log {
    /// Opens the log in a folder and goes on at its end. What is `known` is masked.
    pub fn open(folder: &Path, limits: LogLimits, known: Known) -> io::Result<Self> {
        let path = folder.join("log");
        let file = append_to(&path)?;
        let length = file.metadata()?.len();
        let file = LogFile { path, file, length, limits, tail: VecDeque::new(), lost_lines: 0 };
        Ok(Self { file: Arc::new(Mutex::new(file)), known })
    }

    /// Copies everything from the pipe into the log, until the last process that can write to it has ended.
    pub async fn follow(self, mut pipe: Receiver, stderr: bool) {
        let mut lines = LineSplitter::default();
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let count = match pipe.read(&mut chunk).await {
                Ok(0) | Err(_) => break,
                Ok(count) => count,
            };
            let whole = lines.split(&chunk[..count], &self.known.masker());
            self.with(|log| log.append(whole, stderr));
        }
        let last = lines.rest();
        self.with(|log| log.append(last.into_iter().collect(), stderr));
    }

    /// The last lines, for people.
    pub fn tail(&self) -> Vec<String> {
        self.with(|log| log.tail.iter().cloned().collect())
    }

    /// Forgets the last lines: those of another start explain nothing.
    pub fn forget_tail(&self) {
        self.with(|log| log.tail.clear());
    }

    fn with<T>(&self, act: impl FnOnce(&mut LogFile) -> T) -> T {
        act(&mut self.file.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[derive(Debug)]
struct LogFile {
    path: PathBuf,
    file: File,
    length: u64,
    limits: LogLimits,
    tail: VecDeque<String>,
    /// Lines that could not be written, for want of room.
    lost_lines: u64,
}

impl LogFile {
    fn append(&mut self, lines: Vec<Vec<u8>>, stderr: bool) {
        if lines.is_empty() {
            return;
        }
        let (at, count) = (now(), lines.len() as u64);
        let mut text = String::new();
        if self.lost_lines > 0 {
            let note = format!("pilotage: {} lines could not be written here and are lost", self.lost_lines);
            push_line(&mut text, at, true, &note);
        }
        for line in lines {
            let line = String::from_utf8_lossy(&line);
            push_line(&mut text, at, stderr, &line);
            if self.tail.len() == TAIL_LINES {
                self.tail.pop_front();
            }
            self.tail.push_back(line.chars().take(TAIL_LINE_CHARS).collect());
        }
        match self.write(text.as_bytes()) {
            Ok(()) => self.lost_lines = 0,
            // A full disk must not stop the service: it goes on, and the gap is noted when there is room again.
            Err(_) => self.lost_lines += count,
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.length > 0 && self.length + bytes.len() as u64 > self.limits.file_bytes {
            self.rotate()?;
        }
        let written = self.file.write_all(bytes);
        self.length = self.file.metadata()?.len();
        written
    }

    fn rotate(&mut self) -> io::Result<()> {
        let aside = |number: u32| self.path.with_file_name(format!("log.{number}"));
        let kept_aside = self.limits.files.saturating_sub(1);
        for number in (1..kept_aside).rev() {
            if aside(number).exists() {
                fs::rename(aside(number), aside(number + 1))?;
            }
        }
        if kept_aside == 0 {
            fs::remove_file(&self.path)?;
        } else {
            fs::rename(&self.path, aside(1))?;
        }
        self.file = append_to(&self.path)?;
        self.length = 0;
        Ok(())
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

fn push_line(text: &mut String, at: Timestamp, stderr: bool, line: &str) {
    let at = jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or_default();
    text.push_str(&format!("{at:.6} {} {line}\n", if stderr { "err" } else { "out" }));
}

/// One line of a log file, or `None` if it is not one.
pub fn parse_line(line: &str) -> Option<(Timestamp, bool, &str)> {
    let (at, rest) = line.split_once(' ')?;
    let (stream, text) = rest.split_once(' ')?;
    let at = at.parse::<jiff::Timestamp>().ok()?;
    Some((Timestamp::from_micros(at.as_microsecond()), stream == "err", text))
}

/// Cuts a stream of bytes into lines without secrets.
///
/// A line is masked as a whole, and only then cut if it is long: a secret must not get past in two halves. What is masked in a
/// line are secrets, and lines of secrets of several lines.
#[derive(Debug, Default)]
struct LineSplitter {
    line: Vec<u8>,
    cut_bytes: usize,
    /// What of the line the masker has not let go of yet; from the next line on, another masker may be used.
    masking: Option<Stream>,
}

impl LineSplitter {
    fn split(&mut self, chunk: &[u8], masker: &Arc<Masker>) -> Vec<Vec<u8>> {
        let mut pieces = chunk.split(|byte| *byte == b'\n');
        let last = pieces.next_back().unwrap_or_default();
        let mut lines = Vec::new();
        for piece in pieces {
            self.push(piece, masker);
            lines.push(self.take());
        }
        if !last.is_empty() {
            self.push(last, masker);
        }
        lines
    }

    fn push(&mut self, piece: &[u8], masker: &Arc<Masker>) {
        let masking = self.masking.get_or_insert_with(|| masker.stream());
        let mut masked = Vec::new();
        masking.push(piece, &mut masked);
        self.add(&masked);
    }

    fn add(&mut self, piece: &[u8]) {
        let room = MAX_LINE_BYTES - self.line.len();
        self.line.extend_from_slice(&piece[..piece.len().min(room)]);
        self.cut_bytes += piece.len().saturating_sub(room);
    }

    fn take(&mut self) -> Vec<u8> {
        if let Some(mut masking) = self.masking.take() {
            let mut rest = Vec::new();
            masking.finish(&mut rest);
            self.add(&rest);
        }
        let mut line = std::mem::take(&mut self.line);
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        match std::mem::take(&mut self.cut_bytes) {
            0 => {}
            cut => line.extend_from_slice(format!(" [{cut} bytes cut]").as_bytes()),
        }
        line
    }

    /// What is left when the stream ends without a line break.
    fn rest(&mut self) -> Option<Vec<u8>> {
        let line = self.take();
        (!line.is_empty()).then_some(line)
    }
}

#[cfg(test)]
mod tests {
    use pilotage_secrets::Secret;

    use super::*;

    fn log(limits: LogLimits) -> (tempfile::TempDir, Log) {
        let folder = tempfile::tempdir().unwrap();
        let known = Known::default();
        known.learn(&[Secret::new("hunter22")]);
        let log = Log::open(folder.path(), limits, known).unwrap();
        (folder, log)
    }

    #[test]
    fn a_flood_stays_within_the_files_it_is_given() {
        let (folder, log) = log(LogLimits { file_bytes: 10_000, files: 3 });
        for number in 0..2_000 {
            log.with(|log| log.append(vec![format!("line {number}").into_bytes()], false));
        }
        let mut names: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["log", "log.1", "log.2"]);
        for name in names {
            assert!(fs::metadata(folder.path().join(name)).unwrap().len() <= 10_000);
        }
        assert_eq!(log.tail().last().unwrap(), "line 1999");
    }

    #[test]
    fn lines_are_stamped_masked_and_read_back() {
        let (folder, log) = log(LogLimits::default());
        let before = now();
        let lines = LineSplitter::default().split(b"password is hunter22!\n", &log.known.masker());
        log.with(|log| log.append(lines, true));
        let text = fs::read_to_string(folder.path().join("log")).unwrap();
        let (at, stderr, line) = parse_line(text.trim_end()).unwrap();
        assert!(at >= before && at <= now() && stderr);
        assert_eq!(line, "password is [masked]!");
    }

    #[test]
    fn lines_are_put_together_from_pieces_and_long_ones_cut() {
        let (mut lines, masker) = (LineSplitter::default(), Arc::new(Masker::default()));
        assert_eq!(lines.split(b"a\r\nb", &masker), [b"a".to_vec()]);
        assert_eq!(lines.split(b"c\n\n", &masker), [b"bc".to_vec(), b"".to_vec()]);
        assert!(lines.split(&vec![b'x'; 3 * MAX_LINE_BYTES], &masker).is_empty());
        let long = lines.split(b"\n", &masker).remove(0);
        assert!(long.len() < MAX_LINE_BYTES + 40 && long.ends_with(b" [32768 bytes cut]"));
        assert_eq!(lines.rest(), None);
    }

    #[test]
    fn no_piece_of_a_secret_gets_into_a_line_wherever_it_is_cut() {
        let masker =
            Arc::new(Masker::new(&[Secret::new("hunter22"), Secret::new("first-line\nsecond-line")]));
        let text = b"the password hunter22 is aHVudGVyMjI=\nfirst-line\nsecond-line\nno hunter\n";
        for cut in 0..text.len() {
            let mut lines = LineSplitter::default();
            let mut all = lines.split(&text[..cut], &masker);
            all.extend(lines.split(&text[cut..], &masker));
            let all: Vec<String> = all.into_iter().map(|line| String::from_utf8(line).unwrap()).collect();
            assert_eq!(all, ["the password [masked] is [masked]=", "[masked]", "[masked]", "no hunter"]);
        }
        // Not even where a long line is cut.
        let mut lines = LineSplitter::default();
        lines.split(&vec![b'x'; MAX_LINE_BYTES - 4], &masker);
        let line = lines.split(b"hunter22\n", &masker).remove(0);
        assert!(line.ends_with(b"xxx[mas [4 bytes cut]"), "{}", String::from_utf8_lossy(&line));
    }

    #[test]
    fn a_secret_that_is_learned_meanwhile_is_masked_from_the_next_line_on() {
        let known = Known::default();
        let mut lines = LineSplitter::default();
        assert_eq!(lines.split(b"hunter22\n", &known.masker()), [b"hunter22".to_vec()]);
        known.learn(&[Secret::new("hunter22")]);
        assert_eq!(lines.split(b"hunter22\n", &known.masker()), [b"[masked]".to_vec()]);
    }
}
