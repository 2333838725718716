//! A record of a file, before its fields are understood; and which form a file has.

use std::io::{self, BufRead};

use super::column::COLUMNS;
use super::fault::Fault;
use super::{csv_records, json_records};

/// One line's fields, in the order of [`Column::ALL`](super::column::Column::ALL); `None` if there is no such field or nothing in it.
#[derive(Debug)]
pub struct Record<'a> {
    pub line: u64,
    pub fields: [Option<&'a str>; COLUMNS],
}

/// What takes records in.
pub trait Sink {
    fn record(&mut self, record: &Record<'_>);
    fn fault(&mut self, fault: Fault);
    /// A column or key that is not known; may be said again and again.
    fn unknown(&mut self, name: &str);
}

/// Reads a whole file, CSV or NDJSON as its first character says.
pub fn read(mut input: impl BufRead, sink: &mut impl Sink) -> io::Result<()> {
    const MARK: &[u8] = b"\xef\xbb\xbf";
    if input.fill_buf()?.starts_with(MARK) {
        input.consume(MARK.len());
    }
    let first = input.fill_buf()?.iter().find(|byte| !byte.is_ascii_whitespace()).copied();
    match first {
        // Nothing but white space so far is left to the reader of CSV, which skips empty lines.
        Some(b'{') => json_records::read(input, sink),
        Some(b'[') => {
            sink.fault(Fault::whole(
                "this is a JSON list; write one object a line, for example with `jq -c '.[]'`",
            ));
            Ok(())
        }
        _ => csv_records::read(input, sink),
    }
}
