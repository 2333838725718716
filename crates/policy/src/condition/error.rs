//! Why a text is not a condition.

use thiserror::Error;

/// What is wrong with the text of a condition, and where.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{fault}, at line {line}, column {column}; {mend}")]
pub struct ConditionError {
    /// What is wrong.
    pub fault: String,
    /// What to do about it.
    pub mend: String,
    /// The line of the text, from 1.
    pub line: usize,
    /// The column in that line, in characters, from 1.
    pub column: usize,
}

impl ConditionError {
    /// A fault at a byte of the text.
    pub(super) fn at(text: &str, offset: usize, fault: impl Into<String>, mend: impl Into<String>) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        Self {
            fault: fault.into(),
            mend: mend.into(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

/// A text from elsewhere made fit for a message: control characters escaped, a long one cut.
pub(super) fn shown(text: &str) -> String {
    const LONGEST_CHARACTERS: usize = 160;
    let mut shown: String = text
        .chars()
        .take(LONGEST_CHARACTERS)
        .flat_map(|c| if c.is_control() { c.escape_debug().collect() } else { vec![c] })
        .collect();
    if text.chars().nth(LONGEST_CHARACTERS).is_some() {
        shown.push('…');
    }
    shown
}
