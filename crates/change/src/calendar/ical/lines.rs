//! Content lines (RFC 5545, section 3.1): unfolded, and split into name, parameters and value.

use std::borrow::Cow;

use crate::calendar::error::IcalFault;

/// A content line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Where it begins, from 1.
    pub number: usize,
    text: Cow<'a, str>,
    /// Where the name ends.
    name: usize,
    /// Where the value begins.
    value: usize,
}

impl Line<'_> {
    /// The name of the property, as written: case makes no difference.
    pub fn name(&self) -> &str {
        &self.text[..self.name]
    }

    /// What stands behind the colon.
    pub fn value(&self) -> &str {
        &self.text[self.value..]
    }

    /// The value of a parameter, without quotes.
    pub fn parameter(&self, wanted: &str) -> Option<&str> {
        let mut rest = &self.text[self.name..self.value - 1];
        while let Some(parameter) = rest.strip_prefix(';') {
            let end = unquoted(parameter, ';').unwrap_or(parameter.len());
            let (name, value) = parameter[..end].split_once('=')?;
            if name.eq_ignore_ascii_case(wanted) {
                return Some(value.trim_matches('"'));
            }
            rest = &parameter[end..];
        }
        None
    }

    /// A fault of this line.
    pub fn fault(&self, reason: impl Into<String>) -> IcalFault {
        IcalFault::new(self.number, reason)
    }
}

/// The lines of a text. A line that begins with a space or tab goes on with the one before it.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Result<Line<'_>, IcalFault>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut rest = text.lines().enumerate().peekable();
    std::iter::from_fn(move || {
        let (index, first) = rest.by_ref().find(|(_, line)| !line.trim().is_empty())?;
        let mut whole = Cow::Borrowed(first);
        while let Some((_, more)) = rest.next_if(|(_, line)| line.starts_with([' ', '\t'])) {
            whole.to_mut().push_str(&more[1..]);
        }
        Some(split(index + 1, whole))
    })
}

fn split(number: usize, text: Cow<'_, str>) -> Result<Line<'_>, IcalFault> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let name = text.bytes().position(|byte| !is_name(byte)).unwrap_or(text.len());
    // Hardly any line has quotes, and there are very many lines.
    let colon = text.find(':').filter(|colon| !text[..*colon].contains('"'));
    let colon = colon.or_else(|| unquoted(&text, ':'));
    match colon {
        Some(colon) if name > 0 && (name == colon || text[name..].starts_with(';')) => {
            Ok(Line { number, text, name, value: colon + 1 })
        }
        _ => Err(IcalFault::new(number, "this is not `NAME:value`, as every line of a calendar is")),
    }
}

/// Where a character is that does not stand in quotes.
fn unquoted(text: &str, wanted: char) -> Option<usize> {
    let mut in_quotes = false;
    text.char_indices().find_map(|(index, c)| {
        in_quotes ^= c == '"';
        (!in_quotes && c == wanted).then_some(index)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Line<'_>> {
        lines(text).map(Result::unwrap).collect()
    }

    #[test]
    fn folded_lines_are_joined_and_keep_their_number() {
        let lines = read("\u{feff}SUMMARY:Christ\r\n mas\r\n\t time\r\n\r\nUID:1\n");
        let seen: Vec<_> = lines.iter().map(|line| (line.number, line.name(), line.value())).collect();
        assert_eq!(seen, [(1, "SUMMARY", "Christmas time"), (5, "UID", "1")]);
    }

    #[test]
    fn colons_and_semicolons_in_quotes_are_text() {
        let lines = read("DTSTART;X-A=\"a:b;c\";tzid=\"Europe/Berlin\":20261224T000000");
        assert_eq!(lines[0].value(), "20261224T000000");
        assert_eq!(lines[0].parameter("TZID"), Some("Europe/Berlin"));
        assert_eq!(lines[0].parameter("X-A"), Some("a:b;c"));
        assert_eq!(lines[0].parameter("VALUE"), None);
    }

    #[test]
    fn what_is_no_line_of_a_calendar_is_a_fault() {
        for text in ["<html>", "DTSTART", "DTSTART;TZID=\"a:1", ":1", "a b:1", "DTSTART TZID:1"] {
            assert!(lines(text).next().unwrap().is_err(), "{text}");
        }
    }
}
