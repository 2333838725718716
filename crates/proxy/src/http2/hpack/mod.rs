//! Header compression (RFC 7541). A [`Decoder`] and an [`Encoder`] belong to one connection each, since both ends keep a
//! table of the fields that were last sent.
//!
//! Both are made to cost little processor rather than to save bytes: a head whose fields were seen before is a few table
//! lookups, and nothing is allocated for a field. The other end chooses every byte that is decoded, so work is linear in
//! the length of the block and memory is bounded by that and by the table.

mod decode;
mod dynamic_table;
mod encode;
mod huffman;
mod integer;
mod known_names;
mod lookup;
mod static_table;
mod words;

#[cfg(test)]
mod tests;

pub(crate) use decode::Decoder;
pub(crate) use encode::Encoder;

/// A header block that cannot be read. The tables of both ends no longer agree, so the connection has to end with
/// `COMPRESSION_ERROR` (RFC 9113, section 4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HpackFault {
    /// The block ends inside of a field.
    #[error("the header block ends inside of a field")]
    Truncated,
    /// A number that nothing in a header block can be so large as (RFC 7541, section 5.1).
    #[error("a number in the header block is too large")]
    IntegerTooLarge,
    /// An index of neither table (RFC 7541, section 2.3.3).
    #[error("the header block refers to field {0} of the tables, which is not there")]
    NoSuchField(usize),
    /// What follows the last Huffman code is not the beginning of the end-of-string code, or is a whole byte or more
    /// (RFC 7541, section 5.2).
    #[error("a Huffman-coded string in the header block is padded wrongly")]
    Padding,
    /// The end-of-string code within a string (RFC 7541, section 5.2).
    #[error("a Huffman-coded string in the header block has the end-of-string code in it")]
    EndOfString,
    /// The table would be larger than we allowed (RFC 7541, section 6.3).
    #[error("the header block asks for a table of {0} bytes, more than was allowed")]
    TableTooLarge(usize),
    /// The table's size changes after a field (RFC 7541, section 4.2).
    #[error("the header block changes the size of the table after its first field")]
    LateSizeUpdate,
}
