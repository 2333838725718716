//! What is allowed, less what is frozen.

use jiff::Timestamp;

use super::span::Span;

/// The allowed and the frozen time of a period.
pub(super) struct Timeline {
    /// `None`: always allowed.
    allow: Option<Spans>,
    freeze: Spans,
    /// Nothing is known about what begins behind this.
    end: Timestamp,
}

/// Spans as they were found, and with those united that overlap or touch.
struct Spans {
    found: Vec<Span>,
    united: Vec<(Timestamp, Timestamp)>,
}

impl Timeline {
    /// Out of all spans, in any order, that touch a time up to `end`.
    pub fn new(allow: Option<Vec<Span>>, freeze: Vec<Span>, end: Timestamp) -> Self {
        Self { allow: allow.map(Spans::new), freeze: Spans::new(freeze), end }
    }

    /// What allows a moment; of several the one that ends last.
    pub fn allowed_by(&self, moment: Timestamp) -> Option<&Span> {
        self.allow.as_ref()?.longest(moment)
    }

    /// What freezes a moment; of several the one that ends last.
    pub fn frozen_by(&self, moment: Timestamp) -> Option<&Span> {
        self.freeze.longest(moment)
    }

    /// Whether a deployment may begin at a moment.
    pub fn is_open(&self, moment: Timestamp) -> bool {
        let allowed = self.allow.as_ref().is_none_or(|allow| allow.cover(moment));
        allowed && !self.freeze.cover(moment)
    }

    /// The first moment after another at which it is no longer open, or is open at last.
    pub fn next_change(&self, after: Timestamp) -> Option<Timestamp> {
        let is_open = self.is_open(after);
        let spans = self.allow.iter().chain([&self.freeze]).flat_map(|spans| &spans.united);
        let edges = spans.flat_map(|(start, end)| [*start, *end]);
        let mut edges: Vec<Timestamp> = edges.filter(|edge| *edge > after && *edge <= self.end).collect();
        edges.sort_unstable();
        edges.into_iter().find(|edge| self.is_open(*edge) != is_open)
    }
}

impl Spans {
    fn new(mut found: Vec<Span>) -> Self {
        found.sort_by_key(|span| (span.start, span.end));
        let mut united: Vec<(Timestamp, Timestamp)> = Vec::new();
        for span in &found {
            match united.last_mut() {
                Some((_, end)) if span.start <= *end => *end = span.end.max(*end),
                _ => united.push((span.start, span.end)),
            }
        }
        Self { found, united }
    }

    fn cover(&self, moment: Timestamp) -> bool {
        let begun = self.united.partition_point(|(start, _)| *start <= moment);
        self.united[..begun].last().is_some_and(|(_, end)| *end > moment)
    }

    fn longest(&self, moment: Timestamp) -> Option<&Span> {
        let covering = self.found.iter().filter(|span| span.start <= moment && span.end > moment);
        covering.max_by_key(|span| span.end)
    }
}
