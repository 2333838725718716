//! Bodies of answers, compared.

use crate::comparison::{Pointer, difference};

/// Differences of one input that are ignored one after the other; enough to walk through a small body.
const MOST_IGNORED: usize = 16;

/// The first line is a pointer; then come two bodies with a zero byte between them. It does not matter which of them is
/// named first, a body is equal to itself, and a difference that is ignored is not found again.
pub fn compared_bodies(bytes: &[u8]) {
    let mut lines = bytes.splitn(2, |byte| *byte == b'\n');
    let (pointer, bodies) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let mut bodies = bodies.splitn(2, |byte| *byte == 0);
    let (one, other) = (bodies.next().unwrap_or_default(), bodies.next().unwrap_or_default());
    let mut ignored: Vec<_> =
        std::str::from_utf8(pointer).ok().and_then(Pointer::parse).into_iter().collect();
    assert_eq!(difference(one, one, &ignored), None);
    let mut found = Vec::new();
    while found.len() < MOST_IGNORED {
        let difference = self::difference(one, other, &ignored);
        assert_eq!(self::difference(other, one, &ignored), difference, "it matters which is named first");
        let Some(place) = difference.and_then(|difference| difference.pointer) else { return };
        assert!(!found.contains(&place), "{place} is ignored");
        // The whole of a body cannot be ignored.
        let Some(pointer) = Pointer::parse(&place) else { return };
        ignored.push(pointer);
        found.push(place);
    }
}
