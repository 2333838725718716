//! Passes over what cannot be the beginning of a form, by its first four bytes, and by four bytes a little further on: tables of
//! bits that fit into the fastest memory, without a step that waits for the one before.

use super::SHORTEST_BYTES;

/// 2^18 bits are 32 KiB; with 200 secrets a few places in a hundred pass one table in vain, and hardly any both.
const BITS: u32 = 18;
/// Fibonacci hashing: 2^32 divided by the golden ratio (Knuth, The Art of Computer Programming 3, section 6.4).
const MULTIPLIER: u32 = 0x9E37_79B1;

/// The second four bytes begin so far behind the first at most.
const FURTHEST: usize = 4;

/// Where a form may begin: everywhere where one does, and at few other places.
pub(super) struct Filter {
    first: Table,
    second: Table,
    /// How far the second four bytes are behind the first: as far as the shortest form allows.
    behind: usize,
}

impl Filter {
    /// Every form has at least four bytes.
    pub(super) fn new(forms: &[Vec<u8>]) -> Self {
        let shortest = forms.iter().map(Vec::len).min().unwrap_or_default();
        let behind = shortest.saturating_sub(SHORTEST_BYTES).min(FURTHEST);
        let (mut first, mut second) = (Table::default(), Table::default());
        for form in forms {
            first.add(form);
            second.add(form.get(behind..).unwrap_or_default());
        }
        Self { first, second, behind }
    }

    /// The next place from `at` on where a form may begin; the last few bytes are always such places.
    #[inline]
    pub(super) fn next(&self, text: &[u8], at: usize) -> usize {
        let rest = text.get(at..).unwrap_or_default();
        // Behind this there is no room for both.
        let last = (rest.len() + 1).saturating_sub(SHORTEST_BYTES + self.behind);
        let mut from = 0;
        while from < last {
            let mut firsts = rest[from..last + SHORTEST_BYTES - 1].windows(SHORTEST_BYTES);
            let Some(found) = firsts.position(|four| self.first.has(four)) else { break };
            if self.second.has(&rest[from + found + self.behind..]) {
                return at + from + found;
            }
            from += found + 1;
        }
        at + last
    }
}

/// A set of four-byte texts, with few that do not belong to it.
struct Table(Box<[u64; 1 << (BITS - 6)]>);

impl Default for Table {
    fn default() -> Self {
        Self(Box::new([0; 1 << (BITS - 6)]))
    }
}

impl Table {
    /// Adds the first four bytes of a text that has so many.
    fn add(&mut self, text: &[u8]) {
        if let Some(four) = text.first_chunk() {
            let (word, bit) = place(*four);
            self.0[word] |= bit;
        }
    }

    #[inline]
    fn has(&self, text: &[u8]) -> bool {
        text.first_chunk().is_some_and(|four| {
            let (word, bit) = place(*four);
            self.0[word] & bit != 0
        })
    }
}

#[inline]
fn place(four: [u8; SHORTEST_BYTES]) -> (usize, u64) {
    let hash = u32::from_le_bytes(four).wrapping_mul(MULTIPLIER) >> (32 - BITS);
    ((hash >> 6) as usize, 1 << (hash & 63))
}
