//! Records of CSV with a header line.

use std::io::{self, BufRead};

use csv::{ByteRecord, ReaderBuilder, Trim};

use super::column::{COLUMNS, Column};
use super::fault::{Fault, quoted};
use super::record::{Record, Sink};

/// What the first line should be.
const HEADER: &str = "the first line names the columns, for example `time,version,requests,failed`";

pub fn read(input: impl BufRead, sink: &mut impl Sink) -> io::Result<()> {
    let mut reader = ReaderBuilder::new().flexible(true).trim(Trim::All).from_reader(input);
    let header = reader.byte_headers()?.clone();
    let Some(columns) = columns(&header, sink) else { return Ok(()) };
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record)? {
        let line = record.position().map_or(0, csv::Position::line);
        if record.len() == columns.len() {
            take(&record, line, &columns, sink);
        } else {
            let (fields, names) = (record.len(), columns.len());
            sink.fault(Fault::line(line, format!("{fields} fields where the header has {names}")));
        }
    }
    Ok(())
}

/// Which column stands where; nothing if that is no header.
fn columns(header: &ByteRecord, sink: &mut impl Sink) -> Option<Vec<Option<Column>>> {
    if header.iter().all(<[u8]>::is_empty) {
        sink.fault(Fault::whole(format!("the file is empty; {HEADER}")));
        return None;
    }
    let names: Vec<String> = header.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    let columns: Vec<Option<Column>> = names.iter().map(|name| Column::named(name)).collect();
    if columns.iter().all(Option::is_none) {
        sink.fault(Fault::line(1, no_header(&names)));
        return None;
    }
    let mut sound = true;
    for needed in Column::NEEDED {
        if !columns.contains(&Some(needed)) {
            let what = format!("there is no column `{}`; {HEADER}", needed.name());
            sink.fault(Fault::line(1, what));
            sound = false;
        }
    }
    for (index, (name, column)) in names.iter().zip(&columns).enumerate() {
        match column {
            None => sink.unknown(name),
            Some(column) if columns[..index].contains(&Some(*column)) => {
                sink.fault(Fault::line(1, format!("the column `{name}` is there twice; leave one out")));
                sound = false;
            }
            Some(_) => {}
        }
    }
    sound.then_some(columns)
}

fn no_header(names: &[String]) -> String {
    match names {
        [only] if only.contains([';', '\t']) => {
            "columns are separated by commas here; replace the semicolons or tabs".to_owned()
        }
        _ => {
            let first = quoted(names.first().map_or("", String::as_str));
            format!("there is no header line, for {first} is not the name of a column; {HEADER}")
        }
    }
}

fn take(record: &ByteRecord, line: u64, columns: &[Option<Column>], sink: &mut impl Sink) {
    let mut fields = [None; COLUMNS];
    for (bytes, column) in record.iter().zip(columns) {
        let Some(column) = column else { continue };
        match std::str::from_utf8(bytes) {
            Ok("") => {}
            Ok(text) => fields[*column as usize] = Some(text),
            Err(_) => return sink.fault(Fault::field(line, *column, "this is not UTF-8; convert the file")),
        }
    }
    sink.record(&Record { line, fields });
}
