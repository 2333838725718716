//! What the two halves promise together, and against others.

mod beside_h2;
mod examples;
mod faults;
mod policy;
mod round_trips;

use super::{Decoder, HpackFault};

/// A name and a value.
type Field = (Vec<u8>, Vec<u8>);

fn field(name: &str, value: &str) -> Field {
    (name.as_bytes().to_vec(), value.as_bytes().to_vec())
}

fn decoded(decoder: &mut Decoder, block: &[u8]) -> Result<Vec<Field>, HpackFault> {
    let mut fields = Vec::new();
    decoder.decode(block, |name, value| fields.push((name.to_vec(), value.to_vec())))?;
    Ok(fields)
}
