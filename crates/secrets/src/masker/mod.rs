//! Replaces known secrets by `[masked]`, in whatever usual form they appear.
//!
//! `forms` knows in which forms a secret appears; `filter` passes over all that cannot begin one; `automaton` finds them
//! (Aho-Corasick, Communications of the ACM 18(6), 1975) and `runs` puts overlapping finds together; `stream` does so piece by piece.
//!
//! What is masked is the union of all finds, so that of two secrets that overlap nothing is left over; and it does not depend
//! on how a text is cut into pieces.

mod automaton;
mod filter;
mod forms;
mod stream;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use automaton::Automaton;
use stream::State;
pub use stream::Stream;

use crate::Secret;

/// What stands in place of a secret.
pub const MASK: &str = "[masked]";

/// A secret, or a line of one, that is shorter than this is not looked for: it would be found everywhere.
pub const SHORTEST_BYTES: usize = 4;

/// Replaces known secrets.
///
/// A secret is looked for as it is, line by line if it has several, and in Base64 (both alphabets, at any offset), hexadecimal, and
/// escaped for URLs, JSON, shells and HTML. What is not found: a part of a secret, other encodings and compressed text.
#[derive(Default)]
pub struct Masker {
    /// `None`: there is nothing to be looked for.
    automaton: Option<Automaton>,
    /// What a text without white space is masked by: it may be a name, which an easily guessed secret must not make unreadable.
    names: Option<Automaton>,
}

impl Masker {
    /// Masks these secrets.
    pub fn new(secrets: &[Secret]) -> Self {
        let all = forms::of_all(secrets.iter());
        let uncommon = forms::of_all(secrets.iter().filter(|secret| !is_like_a_name(secret.expose())));
        Self { automaton: Automaton::new(all), names: Automaton::new(uncommon) }
    }

    /// Whether there is nothing to be masked.
    pub fn is_empty(&self) -> bool {
        self.automaton.is_none()
    }

    /// The text without secrets.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        masked(self.automaton.as_ref(), text)
    }

    /// The text without secrets, for a text that may be a name, a version or a digest of Pilotage's own: one without white space
    /// is left alone by secrets that could be a short name themselves, such as `staging` or `postgres`. Whoever has such a
    /// password has none; but a name that is masked would make a record unreadable.
    pub fn field<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let is_name = !text.contains(char::is_whitespace);
        masked(if is_name { self.names.as_ref() } else { self.automaton.as_ref() }, text)
    }

    /// Masks bytes that come in pieces.
    pub fn stream(self: &Arc<Self>) -> Stream {
        Stream::new(Arc::clone(self))
    }
}

impl fmt::Debug for Masker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Masker")
    }
}

fn masked<'a>(automaton: Option<&Automaton>, text: &'a str) -> Cow<'a, str> {
    let Some(automaton) = automaton else { return Cow::Borrowed(text) };
    if !automaton.is_match(text.as_bytes()) {
        return Cow::Borrowed(text);
    }
    let mut state = State::default();
    let mut bytes = Vec::with_capacity(text.len());
    state.push(automaton, text.as_bytes(), &mut bytes);
    state.finish(&mut bytes);
    // A secret may begin or end within a character, if it is no text itself.
    Cow::Owned(
        String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
    )
}

/// A short word of lower-case letters, digits and what stands between them in names, versions and paths.
fn is_like_a_name(secret: &[u8]) -> bool {
    const LONGEST_BYTES: usize = 15;
    let in_name = |byte: &u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.' | b'/')
    };
    secret.len() <= LONGEST_BYTES && secret.iter().all(in_name)
}
