//! Finds every form of every secret.

use aho_corasick::Anchored;
use aho_corasick::automaton::{Automaton as _, StateID};
use aho_corasick::nfa::contiguous::NFA;

use super::filter::Filter;

/// The forms, ready to be looked for.
pub(super) struct Automaton {
    nfa: NFA,
    filter: Filter,
    /// The state in which nothing has begun.
    start: StateID,
}

impl Automaton {
    /// `None` without any form, or if there are more than can be held, which no number of secrets within the limits makes.
    pub(super) fn new(forms: Vec<Vec<u8>>) -> Option<Self> {
        if forms.is_empty() {
            return None;
        }
        let filter = Filter::new(&forms);
        let nfa = NFA::builder().build(&forms).ok()?;
        let start = nfa.start_state(Anchored::No).ok()?;
        Some(Self { nfa, filter, start })
    }

    /// Nothing has been read.
    pub(super) fn begin(&self) -> Walk {
        Walk { state: self.start, since_start: 0 }
    }

    /// The length of the longest form, in bytes.
    pub(super) fn longest(&self) -> usize {
        self.nfa.max_pattern_len()
    }

    /// Whether any form is in the text.
    pub(super) fn is_match(&self, text: &[u8]) -> bool {
        let mut found = false;
        self.walk(&mut self.begin(), text, |_, _| found = true);
        found
    }

    /// Goes on over a piece of text, and says of each find where in the piece it ends, and how long it is: the longest that
    /// ends there.
    pub(super) fn walk(&self, walk: &mut Walk, piece: &[u8], mut found: impl FnMut(usize, usize)) {
        let mut at = 0;
        while at < piece.len() {
            if walk.state == self.start {
                walk.since_start = 0;
                at = self.filter.next(piece, at);
            }
            let Some(byte) = piece.get(at) else { return };
            walk.state = self.nfa.next_state(Anchored::No, walk.state, *byte);
            walk.since_start += 1;
            at += 1;
            if self.nfa.is_special(walk.state) && self.nfa.is_match(walk.state) {
                // Of the forms that end here, the longest comes first: the others are its ends.
                found(at, self.nfa.pattern_len(self.nfa.match_pattern(walk.state, 0)));
            }
        }
        if walk.state == self.start {
            walk.since_start = 0;
        }
    }
}

/// How far a text has been read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Walk {
    state: StateID,
    /// The bytes since nothing had begun: no form that is not yet complete begins before them.
    pub(super) since_start: usize,
}
