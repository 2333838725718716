//! The fields that were last sent on a connection (RFC 7541, section 2.3.2): first in, first out, bounded by bytes.
//!
//! All of them lie in one buffer, newest last, in which new ones are appended until it is full; then those that are still
//! in the table move to its front. The buffer is never longer than twice what the table may hold, so that a byte is moved
//! at most once for each byte that is added.

use std::collections::VecDeque;
use std::fmt;

/// What a field counts beside its name and value (RFC 7541, section 4.1).
const FIELD_OVERHEAD: usize = 32;

/// Bytes that the buffer begins with: what a few fields need.
const FIRST_BYTES: usize = 256;

/// Fields by their age.
pub(super) struct DynamicTable {
    bytes: Vec<u8>,
    /// How many bytes have ever been cut off in front of `bytes`; wraps.
    cut: usize,
    /// Oldest first.
    fields: VecDeque<Field>,
    size: usize,
    largest: usize,
}

#[derive(Debug, Clone, Copy)]
struct Field {
    /// How many bytes had ever been added before this field; wraps.
    begins: usize,
    name: usize,
    value: usize,
}

impl Field {
    fn size(self) -> usize {
        size_of(self.name, self.value)
    }
}

/// What a field of so many bytes counts.
pub(super) fn size_of(name: usize, value: usize) -> usize {
    name.saturating_add(value).saturating_add(FIELD_OVERHEAD)
}

/// The name of a field that is added.
#[derive(Clone, Copy)]
pub(super) enum NewName<'n> {
    Text(&'n [u8]),
    /// That of the field of this age.
    SameAs(usize),
}

impl DynamicTable {
    /// An empty table of at most so many bytes, as RFC 7541 counts them. Nothing is allocated yet.
    pub(super) fn new(largest: usize) -> Self {
        Self { bytes: Vec::new(), cut: 0, fields: VecDeque::new(), size: 0, largest }
    }

    pub(super) fn largest(&self) -> usize {
        self.largest
    }

    /// How many fields there are.
    pub(super) fn len(&self) -> usize {
        self.fields.len()
    }

    /// Name and value of the field before which so many younger ones are in the table.
    pub(super) fn get(&self, age: usize) -> Option<(&[u8], &[u8])> {
        let field = self.field(age)?;
        let begins = self.place(field);
        Some(self.bytes[begins..begins + field.name + field.value].split_at(field.name))
    }

    /// Changes the size; the oldest fields go until the rest fits.
    pub(super) fn resize(&mut self, largest: usize) {
        self.largest = largest;
        self.evict(largest);
    }

    /// Adds a field, for which the oldest ones go. One that is larger than the whole table only empties it (RFC 7541,
    /// section 4.4).
    pub(super) fn insert(&mut self, name: NewName<'_>, value: &[u8]) {
        let name_length = match name {
            NewName::Text(text) => text.len(),
            NewName::SameAs(age) => self.field(age).map_or(0, |field| field.name),
        };
        let Some(room) = self.largest.checked_sub(size_of(name_length, value.len())) else {
            return self.evict(0);
        };
        self.make_room(name_length + value.len());
        let begins = self.cut.wrapping_add(self.bytes.len());
        // The name may be of a field that goes now, so it is copied first.
        match name {
            NewName::Text(text) => self.bytes.extend_from_slice(text),
            NewName::SameAs(age) => self.copy_name(age),
        }
        self.bytes.extend_from_slice(value);
        self.evict(room);
        let field = Field { begins, name: name_length, value: value.len() };
        self.size += field.size();
        self.fields.push_back(field);
    }

    /// Writes the newest field's name in lower case.
    pub(super) fn lower_newest_name(&mut self) {
        if let Some(field) = self.field(0) {
            let begins = self.place(field);
            self.bytes[begins..begins + field.name].make_ascii_lowercase();
        }
    }

    fn field(&self, age: usize) -> Option<Field> {
        let from_oldest = self.fields.len().checked_sub(age)?.checked_sub(1)?;
        self.fields.get(from_oldest).copied()
    }

    fn place(&self, field: Field) -> usize {
        field.begins.wrapping_sub(self.cut)
    }

    fn copy_name(&mut self, age: usize) {
        if let Some(field) = self.field(age) {
            let begins = self.place(field);
            self.bytes.extend_from_within(begins..begins + field.name);
        }
    }

    /// Takes the oldest fields out until those that stay count at most `most`.
    fn evict(&mut self, most: usize) {
        while self.size > most {
            let Some(oldest) = self.fields.pop_front() else { return };
            self.size -= oldest.size();
        }
    }

    /// Makes the buffer take so many more bytes.
    fn make_room(&mut self, more: usize) {
        if self.bytes.len() + more <= self.bytes.capacity() {
            return;
        }
        let most = self.largest.saturating_mul(2);
        if self.bytes.len() + more > most {
            self.cut_off_old();
        }
        let needed = self.bytes.len() + more;
        let wanted = needed.max(2 * self.bytes.capacity()).max(FIRST_BYTES).min(most).max(needed);
        self.bytes.reserve_exact(wanted - self.bytes.len());
    }

    /// Moves what is in the table to the front of the buffer.
    fn cut_off_old(&mut self) {
        let old = self.fields.front().map_or(self.bytes.len(), |oldest| self.place(*oldest));
        self.bytes.drain(..old);
        self.cut = self.cut.wrapping_add(old);
    }
}

/// Without the fields, some of which are secrets.
impl fmt::Debug for DynamicTable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = out.debug_struct("DynamicTable");
        shown.field("size", &self.size).field("largest", &self.largest).finish_non_exhaustive()
    }
}

#[cfg(test)]
impl DynamicTable {
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// All fields, newest first.
    pub(super) fn all(&self) -> Vec<(String, String)> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let fields = (0..self.len()).filter_map(|age| self.get(age));
        fields.map(|(name, value)| (text(name), text(value))).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Change {
        Insert(Vec<u8>, Vec<u8>),
        InsertSameName(usize, Vec<u8>),
        Resize(usize),
    }

    fn changes() -> impl Strategy<Value = Vec<Change>> {
        let text = || prop::collection::vec(any::<u8>(), 0..60);
        let change = prop_oneof![
            6 => (text(), text()).prop_map(|(name, value)| Change::Insert(name, value)),
            4 => (0usize..8, text()).prop_map(|(age, value)| Change::InsertSameName(age, value)),
            1 => (0usize..400).prop_map(Change::Resize),
        ];
        prop::collection::vec(change, 0..60)
    }

    /// The table as the format tells it, in the plainest way.
    struct Plain {
        fields: VecDeque<(Vec<u8>, Vec<u8>)>,
        largest: usize,
    }

    impl Plain {
        fn insert(&mut self, name: Vec<u8>, value: Vec<u8>) {
            self.fields.push_front((name, value));
            self.evict();
        }

        fn size(&self) -> usize {
            self.fields.iter().map(|(name, value)| name.len() + value.len() + 32).sum()
        }

        fn evict(&mut self) {
            while self.size() > self.largest {
                self.fields.pop_back();
            }
        }
    }

    proptest! {
        #[test]
        fn it_holds_what_the_format_says(changes in changes()) {
            let mut table = DynamicTable::new(300);
            let mut plain = Plain { fields: VecDeque::new(), largest: 300 };
            let mut ever_largest = 300;
            for change in changes {
                match change {
                    Change::Insert(name, value) => {
                        table.insert(NewName::Text(&name), &value);
                        plain.insert(name, value);
                    }
                    Change::InsertSameName(age, value) => {
                        let Some((name, _)) = plain.fields.get(age).cloned() else { continue };
                        table.insert(NewName::SameAs(age), &value);
                        plain.insert(name, value);
                    }
                    Change::Resize(largest) => {
                        table.resize(largest);
                        plain.largest = largest;
                        plain.evict();
                        ever_largest = ever_largest.max(largest);
                    }
                }
                prop_assert_eq!(table.size(), plain.size());
                prop_assert_eq!(table.len(), plain.fields.len());
                for (age, (name, value)) in plain.fields.iter().enumerate() {
                    prop_assert_eq!(table.get(age), Some((&name[..], &value[..])));
                }
                prop_assert_eq!(table.get(table.len()), None);
                prop_assert_eq!(table.get(usize::MAX), None);
                prop_assert!(table.bytes.capacity() <= 2 * ever_largest.max(FIRST_BYTES));
            }
        }
    }
}
