//! Finds fields of the dynamic table by hash.
//!
//! Fields with hashes that end up in one bucket are a chain, newest first. Who chooses the fields can make chains long, so
//! only the first few of one are looked at; nothing worse comes of it than a field that is sent once more in full. A chain
//! ends at the first field that is no longer in the table, so nothing has to be taken out.

/// Most fields that a table of the size that we write with has room for.
pub(super) const MOST_FIELDS: usize = 128;

const BUCKETS: usize = 1 << BUCKETS_BITS;
const BUCKETS_BITS: u32 = 7;

/// Most fields of a chain that are looked at.
const MOST_STEPS: usize = 6;

/// Fields of the dynamic table by one hash: of the name, or of name and value. Fields are numbered as they are added, from
/// one; numbers wrap, which at worst makes a field be looked at in vain.
#[derive(Debug)]
pub(super) struct Lookup {
    /// The newest field of each bucket.
    newest: [u16; BUCKETS],
    /// By the number of a field: the next older one of its bucket.
    older: [u16; MOST_FIELDS],
    /// The number of the newest field.
    last: u16,
}

impl Lookup {
    pub(super) fn new() -> Self {
        Self { newest: [0; BUCKETS], older: [0; MOST_FIELDS], last: 0 }
    }

    /// Another field is the newest.
    pub(super) fn add(&mut self, hash: u64) {
        self.last = self.last.wrapping_add(1);
        let newest = &mut self.newest[bucket(hash)];
        self.older[usize::from(self.last) % MOST_FIELDS] = *newest;
        *newest = self.last;
    }

    /// The age of the newest field that has this hash and is the right one. `fields`: how many the table has.
    pub(super) fn find(&self, hash: u64, fields: usize, is_it: impl Fn(usize) -> bool) -> Option<usize> {
        let mut number = self.newest[bucket(hash)];
        for _ in 0..MOST_STEPS {
            let age = usize::from(self.last.wrapping_sub(number));
            if age >= fields {
                return None;
            }
            if is_it(age) {
                return Some(age);
            }
            number = self.older[usize::from(number) % MOST_FIELDS];
        }
        None
    }
}

const fn bucket(hash: u64) -> usize {
    (hash >> (u64::BITS - BUCKETS_BITS)) as usize
}

#[cfg(test)]
mod tests {
    use super::super::words::hash_field;
    use super::*;

    #[test]
    fn the_newest_is_found_as_long_as_it_is_there() {
        let mut lookup = Lookup::new();
        let hash = |nth: u64| hash_field(7, &nth.to_le_bytes());
        assert_eq!(lookup.find(hash(0), 0, |_| true), None);
        for nth in 0..200_000u64 {
            lookup.add(hash(nth));
            let fields = usize::try_from(nth + 1).unwrap().min(20);
            assert_eq!(lookup.find(hash(nth), fields, |_| true), Some(0), "{nth}");
            if nth > 19 {
                assert_eq!(lookup.find(hash(nth - 19), fields, |age| age == 19), Some(19), "{nth}");
                assert_eq!(lookup.find(hash(nth - 20), fields, |age| age == 20), None, "{nth}");
            }
        }
    }

    #[test]
    fn long_chains_are_not_followed_to_their_end() {
        let mut lookup = Lookup::new();
        (0..MOST_FIELDS).for_each(|_| lookup.add(1));
        let looked_at = std::cell::Cell::new(0);
        assert_eq!(
            lookup.find(1, MOST_FIELDS, |_| {
                looked_at.set(looked_at.get() + 1);
                false
            }),
            None
        );
        assert_eq!(looked_at.get(), MOST_STEPS);
    }
}
