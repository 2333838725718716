//! Where the counts come from: something that can be read twice.

use std::fs::File;
use std::io::{self, BufReader, Seek};
use std::path::Path;

use crate::failure::Failure;

/// How much is read at once.
const BUFFER_BYTES: usize = 1 << 18;

/// A file, or a copy of what came through a pipe.
#[derive(Debug)]
pub struct Source {
    /// As messages call it.
    pub name: String,
    file: File,
}

impl Source {
    /// Opens a file; `-` is standard input.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        if path == Path::new("-") {
            return Self::copy("standard input".to_owned(), io::stdin().lock());
        }
        let name = path.display().to_string();
        let cannot = |error: io::Error| Failure::usage(format!("cannot read {name}: {error}"));
        let file = File::open(path).map_err(cannot)?;
        let kind = file.metadata().map_err(cannot)?;
        if kind.is_dir() {
            return Err(Failure::usage(format!("{name} is a folder; name a file in it")));
        }
        if kind.is_file() { Ok(Self { name, file }) } else { Self::copy(name, file) }
    }

    /// A pipe can be read once only.
    fn copy(name: String, mut from: impl io::Read) -> Result<Self, Failure> {
        let mut file = tempfile::tempfile()?;
        io::copy(&mut from, &mut file)?;
        Ok(Self { name, file })
    }

    /// From its beginning.
    pub fn read(&mut self) -> io::Result<BufReader<&File>> {
        self.file.rewind()?;
        Ok(BufReader::with_capacity(BUFFER_BYTES, &self.file))
    }
}
