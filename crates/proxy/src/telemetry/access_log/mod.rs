//! The access log: a line of JSON for each request that has come to its end.
//!
//! A worker moves a small value into a bounded ring of its own and goes on; a thread of the log's makes lines of the values
//! and writes them. Where the ring is full, because the disk or the reader of the pipe is too slow, the line is
//! dropped and counted. No request ever waits.

mod entry;
mod line;
mod output;
mod ring;
mod watch;
mod writer;

use std::path::PathBuf;

pub(crate) use entry::{AccessEntry, RequestOutcome, RequestText};
pub(crate) use ring::AccessLog;
pub(crate) use writer::AccessLogWriter;

/// Where the access log is written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessLogTarget {
    /// Standard output.
    Stdout,
    /// A file, which is appended to, and opened anew when somebody has moved it away.
    File(PathBuf),
}
