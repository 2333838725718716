//! Masks bytes that come in pieces, and holds back no more than may still become a secret.

use std::collections::VecDeque;
use std::sync::Arc;

use super::automaton::{Automaton, Walk};
use super::{MASK, Masker};

/// Masks bytes that come in pieces: the result does not depend on how they are cut.
///
/// It holds back at most as many bytes as the longest form of a secret has, and usually none.
#[derive(Debug)]
pub struct Stream {
    masker: Arc<Masker>,
    state: State,
}

impl Stream {
    pub(super) fn new(masker: Arc<Masker>) -> Self {
        Self { masker, state: State::default() }
    }

    /// Takes a piece, and adds to `output` what is certain by now.
    pub fn push(&mut self, piece: &[u8], output: &mut Vec<u8>) {
        match &self.masker.automaton {
            Some(automaton) => self.state.push(automaton, piece, output),
            None => output.extend_from_slice(piece),
        }
    }

    /// The end: nothing more comes, so that nothing that is held back becomes a secret any more. Another text may follow.
    pub fn finish(&mut self, output: &mut Vec<u8>) {
        self.state.finish(output);
    }

    /// How many bytes are held back now.
    pub fn held_bytes(&self) -> usize {
        self.state.held.len()
    }
}

/// How far a text has been masked.
#[derive(Debug, Default)]
pub(super) struct State {
    /// `None` at the beginning.
    walk: Option<Walk>,
    /// What is held back.
    held: Vec<u8>,
    /// How many bytes came before what is held back.
    passed: u64,
    /// Where there are secrets, in bytes since the beginning: disjoint, in order, and none before what is held back but for the
    /// first, which may have begun there.
    runs: VecDeque<Run>,
}

/// From the first byte of a secret to behind its last, or the same of several that overlap.
#[derive(Debug, Clone, Copy)]
struct Run {
    start: u64,
    end: u64,
}

impl State {
    /// See [`Stream::push`].
    pub(super) fn push(&mut self, automaton: &Automaton, piece: &[u8], output: &mut Vec<u8>) {
        let mut walk = self.walk.unwrap_or_else(|| automaton.begin());
        let before = self.passed + self.held.len() as u64;
        let runs = &mut self.runs;
        automaton.walk(&mut walk, piece, |end, length| {
            let end = before + end as u64;
            add(runs, Run { start: end.saturating_sub(length as u64), end });
        });
        self.walk = Some(walk);
        let total = before + piece.len() as u64;
        let open = walk.since_start.min(automaton.longest().saturating_sub(1)) as u64;
        self.release(total - open, piece, output);
    }

    /// See [`Stream::finish`].
    pub(super) fn finish(&mut self, output: &mut Vec<u8>) {
        let total = self.passed + self.held.len() as u64;
        self.release(total, &[], output);
        *self = Self::default();
    }

    /// Adds everything before `until` to the output; no secret that is found later begins before it.
    fn release(&mut self, until: u64, piece: &[u8], output: &mut Vec<u8>) {
        let (first, held) = (self.passed, self.held.len() as u64);
        let part = |from: u64, to: u64, output: &mut Vec<u8>| {
            let cut = |bytes: &[u8], begin: u64| {
                let place = |at: u64| {
                    usize::try_from(at.saturating_sub(begin)).unwrap_or(usize::MAX).min(bytes.len())
                };
                place(from)..place(to)
            };
            output.extend_from_slice(&self.held[cut(&self.held, first)]);
            output.extend_from_slice(&piece[cut(piece, first + held)]);
        };
        let mut at = first;
        while let Some(run) = self.runs.front().copied().filter(|run| run.start < until || run.end <= until) {
            if run.start >= at {
                part(at, run.start, output);
                output.extend_from_slice(MASK.as_bytes());
            }
            at = run.end.min(until).max(at);
            if run.end > until {
                break;
            }
            // A secret that is found later may overlap with this one, unless all that comes begins behind it.
            self.runs.pop_front();
        }
        part(at, until.max(at), output);
        self.keep(until.max(at), piece);
    }

    /// Holds back what comes from `from` on.
    fn keep(&mut self, from: u64, piece: &[u8]) {
        let held = self.held.len() as u64;
        let gone = from - self.passed;
        if gone >= held {
            let begin = usize::try_from(gone - held).unwrap_or(usize::MAX).min(piece.len());
            self.held.clear();
            self.held.extend_from_slice(&piece[begin..]);
        } else {
            self.held.drain(..usize::try_from(gone).unwrap_or(0));
            self.held.extend_from_slice(piece);
        }
        self.passed = from;
    }
}

/// Adds a run, which ends behind all others, together with those that it overlaps.
fn add(runs: &mut VecDeque<Run>, mut run: Run) {
    while let Some(last) = runs.back().copied().filter(|last| last.end > run.start) {
        run.start = run.start.min(last.start);
        run.end = run.end.max(last.end);
        runs.pop_back();
    }
    runs.push_back(run);
}
