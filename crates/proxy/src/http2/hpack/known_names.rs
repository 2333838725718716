//! Finds a name among those of [`KNOWN_FIELDS`] in one step: by a hash under which no two of them fall together. The table
//! is made when this is compiled.

use super::static_table::{Habit, KNOWN_FIELDS, STATIC_FIELDS};
use super::words::{hash_name, is_same, is_same_name};

/// Places for the names; so many more than names that a multiplier under which all differ is soon found.
const PLACES: usize = 1 << PLACES_BITS;

const PLACES_BITS: u32 = 10;

/// What tells the names apart.
const MULTIPLIER: u64 = multiplier();

/// Where in [`KNOWN_FIELDS`] the first field of a name is, or 255.
static PLACE_OF_NAME: [u8; PLACES] = match places(MULTIPLIER) {
    Some(places) => places,
    None => panic!("the multiplier is one that tells the names apart"),
};

/// How many fields of one name the static table has; they stand together. By the place of the first of them.
static STATIC_FIELDS_OF_NAME: [u8; KNOWN_FIELDS.len()] = static_fields_of_name();

const NONE: u8 = u8::MAX;

/// A name that we know.
#[derive(Debug, Clone, Copy)]
pub(super) struct KnownName {
    /// Where its first field is among [`KNOWN_FIELDS`].
    first: usize,
}

impl KnownName {
    /// Finds a name, whatever the case of its letters. `hash`: that of the name.
    pub(super) fn find(name: &[u8], hash: u64) -> Option<Self> {
        let first = usize::from(PLACE_OF_NAME[place(hash, MULTIPLIER)]);
        let known = KNOWN_FIELDS.get(first)?.name.as_bytes();
        is_same_name(known, name).then_some(Self { first })
    }

    pub(super) fn habit(self) -> Habit {
        KNOWN_FIELDS[self.first].habit
    }

    /// The index of a field of this name in the static table, if there is one.
    pub(super) fn static_index(self) -> Option<usize> {
        (self.first < STATIC_FIELDS).then_some(self.first + 1)
    }

    /// The index of the field with this value in the static table.
    pub(super) fn static_index_with(self, value: &[u8]) -> Option<usize> {
        let last = self.first + usize::from(STATIC_FIELDS_OF_NAME[self.first]);
        let with_value = |at: &usize| is_same(KNOWN_FIELDS[*at].value.as_bytes(), value);
        (self.first..last).find(with_value).map(|at| at + 1)
    }
}

const fn place(hash: u64, multiplier: u64) -> usize {
    (hash.wrapping_mul(multiplier) >> (u64::BITS - PLACES_BITS)) as usize
}

const fn multiplier() -> u64 {
    let mut candidate = 0x9e37_79b9_7f4a_7c15u64;
    while places(candidate).is_none() {
        candidate = candidate.wrapping_mul(0xd134_2543_de82_ef95) | 1;
    }
    candidate
}

/// The table that a multiplier gives, unless two names fall together.
const fn places(multiplier: u64) -> Option<[u8; PLACES]> {
    let mut places = [NONE; PLACES];
    let mut at = 0;
    while at < KNOWN_FIELDS.len() {
        let name = KNOWN_FIELDS[at].name.as_bytes();
        if at == 0 || !are_same(name, KNOWN_FIELDS[at - 1].name.as_bytes()) {
            let place = place(hash_name(name), multiplier);
            if places[place] != NONE {
                return None;
            }
            places[place] = at as u8;
        }
        at += 1;
    }
    Some(places)
}

const fn static_fields_of_name() -> [u8; KNOWN_FIELDS.len()] {
    let mut counts = [0; KNOWN_FIELDS.len()];
    let (mut at, mut first) = (0, 0);
    while at < STATIC_FIELDS {
        if !are_same(KNOWN_FIELDS[first].name.as_bytes(), KNOWN_FIELDS[at].name.as_bytes()) {
            first = at;
        }
        counts[first] += 1;
        at += 1;
    }
    counts
}

/// Comparison of slices, which cannot be done by `==` when this is compiled.
const fn are_same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(name: &str) -> Option<KnownName> {
        KnownName::find(name.as_bytes(), hash_name(name.as_bytes()))
    }

    #[test]
    fn every_known_field_is_found() {
        for (nth, field) in KNOWN_FIELDS.iter().enumerate() {
            for name in [field.name.to_owned(), field.name.to_ascii_uppercase()] {
                let found = find(&name).unwrap();
                assert_eq!(found.habit(), field.habit, "{name}");
                let index = (nth < STATIC_FIELDS).then_some(nth + 1);
                assert_eq!(found.static_index_with(field.value.as_bytes()), index, "{name}");
                assert_eq!(found.static_index().is_some(), index.is_some(), "{name}");
                assert!(found.static_index().is_none_or(|first| Some(first) <= index));
                assert_eq!(found.static_index_with(b"other"), None);
            }
        }
    }

    #[test]
    fn nothing_else_is() {
        for name in
            ["", "a", "cookies", "x-cookie", ":authorit", ":Metho\u{1}", "content_type", "CONTENT\rTYPE"]
        {
            assert!(find(name).is_none(), "{name:?}");
        }
    }
}
