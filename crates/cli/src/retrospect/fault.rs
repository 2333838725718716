//! What is wrong with a file, and where.

use std::fmt;

use super::column::Column;
use crate::failure::Failure;

/// So many faults are shown; the others are counted.
const SHOWN: usize = 20;
/// So many characters of a field are shown.
const LONGEST: usize = 40;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// From one; `None` if it is about the file as a whole.
    pub line: Option<u64>,
    pub column: Option<Column>,
    /// What is wrong, and what to do about it.
    pub what: String,
}

impl Fault {
    /// Of the file as a whole.
    pub fn whole(what: impl Into<String>) -> Self {
        Self { line: None, column: None, what: what.into() }
    }

    /// Of a line as a whole.
    pub fn line(line: u64, what: impl Into<String>) -> Self {
        Self { line: Some(line), column: None, what: what.into() }
    }

    /// Of one field.
    pub fn field(line: u64, column: Column, what: impl Into<String>) -> Self {
        Self { line: Some(line), column: Some(column), what: what.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}")?;
            if let Some(column) = self.column {
                write!(f, ", `{}`", column.name())?;
            }
            f.write_str(": ")?;
        }
        f.write_str(&self.what)
    }
}

/// All that is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    first: Vec<Fault>,
    all: usize,
}

impl Faults {
    pub fn add(&mut self, fault: Fault) {
        if self.first.len() < SHOWN {
            self.first.push(fault);
        }
        self.all += 1;
    }

    /// The failure of the command, if anything is wrong.
    pub fn failure(&self, name: &str) -> Option<Failure> {
        let [first, others @ ..] = self.first.as_slice() else { return None };
        let mut message = format!("{name}: {first}");
        for other in others {
            message.push_str(&format!("\n{name}: {other}"));
        }
        let hidden = self.all - self.first.len();
        if hidden > 0 {
            message.push_str(&format!("\n{name}: and {hidden} more"));
        }
        Some(
            Failure::usage(message)
                .hint("nothing was judged; docs/past-incidents.md says what a file looks like"),
        )
    }

    #[cfg(test)]
    pub fn lines(&self) -> Vec<String> {
        self.first.iter().map(ToString::to_string).collect()
    }
}

/// A field as a message shows it.
pub fn quoted(text: &str) -> String {
    let mut shown: String = text.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}
