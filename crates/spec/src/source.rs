//! The text of a file by lines: where a byte is, as people count.

use std::ops::Range;

/// A text with the beginnings of its lines.
pub(crate) struct Source<'a> {
    text: &'a str,
    line_starts: Vec<usize>,
}

impl<'a> Source<'a> {
    /// Finds the lines of a text.
    pub fn new(text: &'a str) -> Self {
        let behind_breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        Self { text, line_starts: std::iter::once(0).chain(behind_breaks).collect() }
    }

    /// The whole text.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The part of a span that lies on its first line, moved to character borders.
    pub fn within(&self, span: &Range<usize>) -> Range<usize> {
        let start = self.text.floor_char_boundary(span.start);
        let line_end = self.line_around(start).end;
        let start = start.min(line_end);
        let end = self.text.floor_char_boundary(span.end).clamp(start, line_end);
        start..end
    }

    /// The line of a byte, from 1.
    pub fn line(&self, at: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= at)
    }

    /// The column of a byte, from 1, in characters. A byte order mark is not one.
    pub fn column(&self, at: usize) -> usize {
        let start = self.line_around(at).start;
        self.text[start..at].trim_start_matches('\u{feff}').chars().count() + 1
    }

    /// The bytes of the line of a byte, without its end.
    pub fn line_around(&self, at: usize) -> Range<usize> {
        let line = self.line(at);
        let start = self.line_starts[line - 1];
        let end = self.line_starts.get(line).map_or(self.text.len(), |next| next - 1);
        start..start + self.text[start..end].trim_end_matches('\r').len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_as_people_do() {
        let source = Source::new("\u{feff}aü\r\n\nb");
        let places: Vec<(usize, usize)> =
            [3, 4, 6, 8, 9, 10].into_iter().map(|at| (source.line(at), source.column(at))).collect();
        assert_eq!(places, [(1, 1), (1, 2), (1, 3), (2, 1), (3, 1), (3, 2)]);
        assert_eq!(
            [source.line_around(4), source.line_around(8), source.line_around(10)],
            [0..6, 8..8, 9..10]
        );
    }

    #[test]
    fn spans_stay_on_their_first_line_and_within_the_text() {
        let source = Source::new("aü\r\nb");
        assert_eq!(source.within(&(0..5)), 0..3);
        assert_eq!(source.within(&(2..3)), 1..3);
        assert_eq!(source.within(&(4..5)), 3..3);
        assert_eq!(source.within(&(5..90)), 5..6);
        assert_eq!(source.within(&(70..90)), 6..6);
        assert_eq!(Source::new("").within(&(0..9)), 0..0);
    }
}
