//! Compressed heads of HTTP/2.

use crate::http2::hpack::{Decoder, Encoder};

/// The table that the peer may use: small, so that fields are pushed out of it.
const LARGEST_TABLE: usize = 512;

/// Header blocks of one connection, each after a byte with its length. Whatever is read of them is read again when we have
/// written it, whatever table we may use for that.
pub fn header_blocks(bytes: &[u8]) {
    let mut decoder = Decoder::new(LARGEST_TABLE);
    let (mut encoder, mut again) = (Encoder::new(), Decoder::new(4096));
    let mut rest = bytes;
    while let Some((length, after)) = rest.split_first() {
        let (block, after) = after.split_at(usize::from(*length).min(after.len()));
        rest = after;
        let Some(fields) = decoded(&mut decoder, block) else { return };
        let mut ours = Vec::new();
        encoder.set_largest_table(block.len() * 8);
        encoder.begin(&mut ours);
        fields.iter().for_each(|(name, value)| encoder.encode(name, value, &mut ours));
        let lower = |(name, value): (Vec<u8>, Vec<u8>)| (name.to_ascii_lowercase(), value);
        let fields: Vec<_> = fields.into_iter().map(lower).collect();
        assert_eq!(decoded(&mut again, &ours), Some(fields), "what we write is not what we have read");
    }
}

fn decoded(decoder: &mut Decoder, block: &[u8]) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut fields = Vec::new();
    decoder.decode(block, |name, value| fields.push((name.to_vec(), value.to_vec()))).ok()?;
    Some(fields)
}
