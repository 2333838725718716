//! Header blocks, read (RFC 7541, section 3.2).

use std::fmt;

use super::dynamic_table::{DynamicTable, NewName};
use super::integer::Reader;
use super::static_table::{STATIC_FIELDS, static_field};
use super::{HpackFault, huffman};

/// The size of the table that both ends begin with (RFC 9113, section 6.5.2).
const FIRST_TABLE: usize = 4096;

/// Most bytes that are kept for the next string to be decoded into.
const KEPT_SCRATCH: usize = 4096;

/// Reads the header blocks of one connection, each once and in their order.
pub(crate) struct Decoder {
    table: DynamicTable,
    largest_table: usize,
    /// What names and values are decoded into.
    name: Vec<u8>,
    value: Vec<u8>,
}

impl Decoder {
    /// `largest_table`: what the peer was told in `SETTINGS_HEADER_TABLE_SIZE`, 4096 if it was told nothing. Bytes as RFC
    /// 7541, section 4.1, counts them. A peer that was told less than 4096 may use more until it has acknowledged that.
    pub(crate) fn new(largest_table: usize) -> Self {
        let table = DynamicTable::new(largest_table.min(FIRST_TABLE));
        Self { table, largest_table, name: Vec::new(), value: Vec::new() }
    }

    /// Decodes one whole header block; `each` gets every field in its order, name first. Fields before a fault have been
    /// given to it then.
    ///
    /// One byte can stand for a field as long as the table. What is kept of the fields is for the caller to bound; the rest
    /// of a block that is too large has to be decoded all the same, or the next one could not be.
    ///
    /// # Errors
    /// When the block cannot be read. No other block of the connection can be then.
    pub(crate) fn decode(
        &mut self,
        block: &[u8],
        mut each: impl FnMut(&[u8], &[u8]),
    ) -> Result<(), HpackFault> {
        let mut block = Reader::new(block);
        self.size_updates(&mut block)?;
        // The first bits of a field say how it is represented (RFC 7541, section 6).
        while let Some(first) = block.peek() {
            match first {
                0x80.. => {
                    let (name, value) = field(&self.table, block.integer(7)?)?;
                    each(name, value);
                }
                0x40.. => self.literal(&mut block, 6, Added::ToTable, &mut each)?,
                0x20.. => return Err(HpackFault::LateSizeUpdate),
                _ => self.literal(&mut block, 4, Added::Nowhere, &mut each)?,
            }
        }
        for scratch in [&mut self.name, &mut self.value] {
            if scratch.capacity() > KEPT_SCRATCH {
                *scratch = Vec::new();
            }
        }
        Ok(())
    }

    fn size_updates(&mut self, block: &mut Reader<'_>) -> Result<(), HpackFault> {
        while let Some(0x20..0x40) = block.peek() {
            let size = block.integer(5)?;
            if size > self.largest_table {
                return Err(HpackFault::TableTooLarge(size));
            }
            self.table.resize(size);
        }
        Ok(())
    }

    /// A field whose value is written out, and perhaps its name. `bits`: of the name's index.
    fn literal(
        &mut self,
        block: &mut Reader<'_>,
        bits: u32,
        added: Added,
        each: &mut impl FnMut(&[u8], &[u8]),
    ) -> Result<(), HpackFault> {
        let index = block.integer(bits)?;
        if index == 0 {
            let name = string(block, &mut self.name)?;
            let value = string(block, &mut self.value)?;
            each(name, value);
            if added == Added::ToTable {
                self.table.insert(NewName::Text(name), value);
            }
            return Ok(());
        }
        let value = string(block, &mut self.value)?;
        let (name, _) = field(&self.table, index)?;
        each(name, value);
        if added == Added::ToTable {
            let name = match static_field(index) {
                Some((name, _)) => NewName::Text(name),
                None => NewName::SameAs(index - STATIC_FIELDS - 1),
            };
            self.table.insert(name, value);
        }
        Ok(())
    }
}

/// Without what was read, some of which is secret.
impl fmt::Debug for Decoder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Decoder").field("table", &self.table).finish_non_exhaustive()
    }
}

/// Whether a field goes into the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Added {
    ToTable,
    Nowhere,
}

/// The field of an index into both tables (RFC 7541, section 2.3.3).
fn field(table: &DynamicTable, index: usize) -> Result<(&[u8], &[u8]), HpackFault> {
    let field = match index.checked_sub(STATIC_FIELDS + 1) {
        Some(age) => table.get(age),
        None => static_field(index),
    };
    field.ok_or(HpackFault::NoSuchField(index))
}

/// The next string (RFC 7541, section 5.2), as it stands in the block or decoded into `scratch`.
fn string<'s, 'b: 's>(block: &mut Reader<'b>, scratch: &'s mut Vec<u8>) -> Result<&'s [u8], HpackFault> {
    let is_coded = block.peek().is_some_and(|first| first & 0x80 != 0);
    let length = block.integer(7)?;
    let bytes = block.take(length)?;
    if !is_coded {
        return Ok(bytes);
    }
    huffman::decode(bytes, scratch)?;
    Ok(scratch)
}

#[cfg(test)]
impl Decoder {
    pub(super) fn table(&self) -> &DynamicTable {
        &self.table
    }
}
