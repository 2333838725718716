//! Header blocks, written (RFC 7541, section 3.1).
//!
//! Strings are written as they are. The Huffman code would save a quarter or so of those that are in no table, and to read
//! one path in it takes more instructions than to read all the other fields of a usual head.

use super::dynamic_table::{DynamicTable, NewName, size_of};
use super::integer;
use super::known_names::KnownName;
use super::lookup::{Lookup, MOST_FIELDS};
use super::static_table::{Habit, STATIC_FIELDS};
use super::words::{hash_field, hash_name, is_same, is_same_name};

/// The largest table that we use: what every peer begins with.
const LARGEST_TABLE: usize = 4096;

// The least that a field counts is 32 bytes.
const _: () = assert!(LARGEST_TABLE / 32 <= MOST_FIELDS);

/// Longest value that is worth its place in the table. Longer ones push out much and seldom come again.
const LONGEST_REPEATED: usize = 128;

/// How a field is written whose value is in no table (RFC 7541, section 6.2).
#[derive(Debug, Clone, Copy)]
struct Literal {
    /// The first bits, which say so.
    pattern: u8,
    /// How many bits are left for the index of the name.
    index_bits: u32,
}

const ADDED_TO_TABLE: Literal = Literal { pattern: 0x40, index_bits: 6 };
const NOT_ADDED: Literal = Literal { pattern: 0x00, index_bits: 4 };
const NEVER_ADDED: Literal = Literal { pattern: 0x10, index_bits: 4 };

/// Writes the header blocks of one connection, which have to be sent in the order in which they were written.
#[derive(Debug)]
pub(crate) struct Encoder {
    table: DynamicTable,
    by_field: Box<Lookup>,
    by_name: Box<Lookup>,
    /// The smallest size that the table had since the last block, if the peer has to be told of a change.
    smallest: Option<usize>,
}

impl Encoder {
    /// With a table of 4096 bytes, as long as the peer has not said otherwise.
    pub(crate) fn new() -> Self {
        Self {
            table: DynamicTable::new(LARGEST_TABLE),
            by_field: Box::new(Lookup::new()),
            by_name: Box::new(Lookup::new()),
            smallest: None,
        }
    }

    /// The peer's `SETTINGS_HEADER_TABLE_SIZE`, of which we use at most 4096 bytes. The next block says so.
    pub(crate) fn set_largest_table(&mut self, bytes: usize) {
        let bytes = bytes.min(LARGEST_TABLE);
        if bytes != self.table.largest() {
            self.table.resize(bytes);
            self.smallest = Some(self.smallest.map_or(bytes, |smallest| smallest.min(bytes)));
        }
    }

    /// Begins a header block, which is what is added to `out` from here on.
    pub(crate) fn begin(&mut self, out: &mut Vec<u8>) {
        let Some(smallest) = self.smallest.take() else { return };
        // The peer has to drop what we have dropped, although there is room again (RFC 7541, section 4.2).
        if smallest < self.table.largest() {
            integer::write(smallest, 5, 0x20, out);
        }
        integer::write(self.table.largest(), 5, 0x20, out);
    }

    /// Adds a field. The name may be in any case and is written in lower case; both are taken to be valid.
    pub(crate) fn encode(&mut self, name: &[u8], value: &[u8], out: &mut Vec<u8>) {
        let hash = hash_name(name);
        let known = KnownName::find(name, hash);
        if let Some(index) = known.and_then(|known| known.static_index_with(value)) {
            return integer::write(index, 7, 0x80, out);
        }
        let known_index = known.and_then(KnownName::static_index);
        let index_of_name = || known_index.or_else(|| self.find_name(name, hash)).unwrap_or(0);
        match self.habit(known, name, value) {
            Habit::Repeats => self.repeated(name, value, hash, known_index, out),
            Habit::Changes => NOT_ADDED.write(index_of_name(), name, value, out),
            Habit::Secret => NEVER_ADDED.write(index_of_name(), name, value, out),
        }
    }

    fn habit(&self, known: Option<KnownName>, name: &[u8], value: &[u8]) -> Habit {
        let fits =
            value.len() <= LONGEST_REPEATED && size_of(name.len(), value.len()) <= self.table.largest() / 2;
        match known.map_or(Habit::Repeats, KnownName::habit) {
            Habit::Repeats if !fits => Habit::Changes,
            habit => habit,
        }
    }

    /// A field that is in the table or goes there now.
    fn repeated(&mut self, name: &[u8], value: &[u8], hash: u64, known: Option<usize>, out: &mut Vec<u8>) {
        let field_hash = hash_field(hash, value);
        let is_it = |age| {
            let field = self.table.get(age);
            field.is_some_and(|(old_name, old_value)| {
                is_same(old_value, value) && is_same_name(old_name, name)
            })
        };
        if let Some(age) = self.by_field.find(field_hash, self.table.len(), is_it) {
            return integer::write(STATIC_FIELDS + 1 + age, 7, 0x80, out);
        }
        let index = known.or_else(|| self.find_name(name, hash)).unwrap_or(0);
        ADDED_TO_TABLE.write(index, name, value, out);
        self.table.insert(NewName::Text(name), value);
        self.table.lower_newest_name();
        self.by_field.add(field_hash);
        self.by_name.add(hash);
    }

    /// The index of a field of the dynamic table that has this name.
    fn find_name(&self, name: &[u8], hash: u64) -> Option<usize> {
        let is_it = |age| self.table.get(age).is_some_and(|(old_name, _)| is_same_name(old_name, name));
        let age = self.by_name.find(hash, self.table.len(), is_it)?;
        Some(STATIC_FIELDS + 1 + age)
    }
}

impl Literal {
    /// `index`: of a field with this name, or 0.
    fn write(self, index: usize, name: &[u8], value: &[u8], out: &mut Vec<u8>) {
        integer::write(index, self.index_bits, self.pattern, out);
        if index == 0 {
            string(name, out);
            let begins = out.len() - name.len();
            out[begins..].make_ascii_lowercase();
        }
        string(value, out);
    }
}

fn string(text: &[u8], out: &mut Vec<u8>) {
    integer::write(text.len(), 7, 0x00, out);
    out.extend_from_slice(text);
}

#[cfg(test)]
impl Encoder {
    pub(super) fn table(&self) -> &DynamicTable {
        &self.table
    }
}
