//! What is checked before the parser sees a text: it recurses, and only so deep is safe.

use super::error::ConditionError;

/// The longest text of a condition, in bytes.
pub const TEXT_LIMIT_BYTES: usize = 4096;

/// The greatest depth of brackets.
const NESTING_LIMIT: usize = 32;

/// More operators than this in a row, as in `!!!!x`, are no condition.
const PREFIX_LIMIT: usize = 16;

/// Refuses what is too long, too deep, or holds characters that are not seen as what they are.
pub(super) fn check(text: &str) -> Result<(), ConditionError> {
    if text.trim().is_empty() {
        return Err(ConditionError::at(
            text,
            0,
            "the condition is empty",
            "write an expression that is true or false",
        ));
    }
    if text.len() > TEXT_LIMIT_BYTES {
        let fault = format!("the condition has {} bytes; at most {TEXT_LIMIT_BYTES} are allowed", text.len());
        return Err(ConditionError::at(text, 0, fault, "split it into several conditions"));
    }
    check_characters(text)?;
    check_nesting(text)
}

fn check_characters(text: &str) -> Result<(), ConditionError> {
    let hidden = |c: char| (c.is_control() && !matches!(c, '\n' | '\t' | '\r')) || is_invisible(c);
    match text.char_indices().find(|(_, c)| hidden(*c)) {
        Some((at, c)) => Err(ConditionError::at(
            text,
            at,
            format!("the character U+{:04X} is not seen as what it is", u32::from(c)),
            "take it out, or write it as `\\u` and four digits in a text",
        )),
        None => Ok(()),
    }
}

/// Characters that turn the direction of what follows, or have no width.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Counts brackets wherever they stand, in texts too: this is about what can never be deep, not about grammar.
fn check_nesting(text: &str) -> Result<(), ConditionError> {
    let (mut depth, mut prefixes) = (0_usize, 0_usize);
    for (at, c) in text.char_indices() {
        depth = match c {
            '(' | '[' | '{' => depth + 1,
            ')' | ']' | '}' => depth.saturating_sub(1),
            _ => depth,
        };
        prefixes = match c {
            '!' | '-' => prefixes + 1,
            _ if c.is_whitespace() => prefixes,
            _ => 0,
        };
        if depth > NESTING_LIMIT || prefixes > PREFIX_LIMIT {
            let mend = format!("nest at most {NESTING_LIMIT} brackets");
            return Err(ConditionError::at(text, at, "the condition is nested too deep", mend));
        }
    }
    Ok(())
}
