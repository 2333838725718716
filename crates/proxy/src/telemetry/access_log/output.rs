//! Where lines go, and what is done when it cannot take them.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{OFlags, fcntl_setfl};

use super::AccessLogTarget;

/// Writes whole lines: one that could be written only in part is ended before the next begins.
#[derive(Debug)]
pub(super) struct Lines<W> {
    output: W,
    /// What is still to come of a line that was begun.
    rest: Vec<u8>,
}

/// What became of lines.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// So many are written.
    pub(super) lines: u64,
    /// Why the others were not.
    pub(super) error: Option<io::Error>,
}

impl<W: Write> Lines<W> {
    pub(super) fn new(output: W) -> Self {
        Self { output, rest: Vec::new() }
    }

    /// Writes lines, each with its end, as far as they go. A line that was begun counts when it is ended.
    pub(super) fn write(&mut self, text: &[u8]) -> Written {
        let (taken, error) = write_some(&mut self.output, &self.rest);
        self.rest.drain(..taken);
        if error.is_some() {
            return Written { lines: 0, error };
        }
        let ended = u64::from(taken > 0);
        let (taken, error) = write_some(&mut self.output, text);
        let (before, after) = text.split_at(taken);
        if before.last().is_some_and(|last| *last != b'\n') {
            self.rest.extend(after.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default());
        }
        Written { lines: ended + count_lines(before), error }
    }

    /// Whether a line was begun and is not ended.
    pub(super) fn is_within_line(&self) -> bool {
        !self.rest.is_empty()
    }
}

/// How many lines end in a text.
pub(super) fn count_lines(text: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', text).count() as u64
}

/// How many bytes could be written, and why not all.
fn write_some(output: &mut impl Write, text: &[u8]) -> (usize, Option<io::Error>) {
    let mut taken = 0;
    while taken < text.len() {
        match output.write(&text[taken..]) {
            Ok(0) => return (taken, Some(io::ErrorKind::WriteZero.into())),
            Ok(more) => taken += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (taken, Some(error)),
        }
    }
    (taken, None)
}

/// The open end of the log.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) lines: Lines<File>,
    /// None for standard output, which cannot be opened anew.
    path: Option<PathBuf>,
}

impl Output {
    pub(super) fn open(target: &AccessLogTarget) -> io::Result<Self> {
        match target {
            AccessLogTarget::Stdout => {
                let output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
                Ok(Self { lines: Lines::new(output), path: None })
            }
            AccessLogTarget::File(path) => {
                Ok(Self { lines: Lines::new(open(path)?), path: Some(path.clone()) })
            }
        }
    }

    /// Opens the file anew: always, or only if what stands under its name is no longer what is open. Says whether a line
    /// that was begun is lost by it. If it cannot be opened, the file that is open goes on being used.
    pub(super) fn reopen(&mut self, always: bool) -> io::Result<bool> {
        let Some(path) = &self.path else { return Ok(false) };
        if !always && is_same(&self.lines.output, path) {
            return Ok(false);
        }
        let lost = self.lines.is_within_line();
        self.lines = Lines::new(open(path)?);
        Ok(lost)
    }
}

fn is_same(file: &File, path: &Path) -> bool {
    let place = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), path.metadata()) {
        (Ok(open), Ok(named)) => place(open) == place(named),
        _ => false,
    }
}

/// Without waiting for the reader of a pipe, which is an error if there is none; writing may wait for it.
fn open(path: &Path) -> io::Result<File> {
    let without_waiting = OFlags::NONBLOCK.bits().cast_signed();
    let mut options = OpenOptions::new();
    options.create(true).append(true).mode(0o640).custom_flags(without_waiting);
    let file = options.open(path)?;
    fcntl_setfl(&file, OFlags::APPEND)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk with room for so many bytes.
    struct Disk {
        written: Vec<u8>,
        room: usize,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let taken = bytes.len().min(self.room);
            if taken == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.room -= taken;
            self.written.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_stay_whole_on_a_disk_that_fills_up() {
        for room in 0..20 {
            let mut lines = Lines::new(Disk { written: Vec::new(), room });
            let first = lines.write(b"one\ntwo\nthree\n");
            assert_eq!(first.error.is_some(), room < 14, "{room}");
            let full = lines.write(b"lost\n");
            lines.output.room = 100;
            let last = lines.write(b"four\n");
            assert!(last.error.is_none());

            let text = String::from_utf8(lines.output.written).unwrap();
            assert!(text.ends_with('\n'), "{room}: {text}");
            let known = ["one", "two", "three", "lost", "four"];
            assert!(text.lines().all(|line| known.contains(&line)), "{room}: {text}");
            let counted = first.lines + full.lines + last.lines;
            assert_eq!(counted, text.lines().count() as u64, "{room}: {text}");
        }
    }

    #[test]
    fn a_file_that_was_moved_away_is_opened_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("access.log");
        let mut output = Output::open(&AccessLogTarget::File(path.clone())).unwrap();
        output.lines.write(b"one\n");
        assert!(!output.reopen(false).unwrap());
        output.lines.write(b"two\n");
        std::fs::rename(&path, folder.path().join("access.log.1")).unwrap();
        output.reopen(false).unwrap();
        output.lines.write(b"three\n");
        assert_eq!(std::fs::read_to_string(folder.path().join("access.log.1")).unwrap(), "one\ntwo\n");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "three\n");

        std::fs::remove_dir_all(folder.path()).unwrap();
        assert!(output.reopen(false).is_err());
        assert!(output.lines.write(b"four\n").error.is_none(), "the file that is open goes on being used");
    }
}
