//! What the two halves promise together, and against others.

mod beside_h2;
mod examples;
mod faults;
mod policy;
mod round_trips;

use super::{Decoder, HpackFault};

/// A name and a value.
type Field = (Vec<u8>, Vec<u8>);

/// The usual head of a gRPC request.
const GRPC: [(&str, &str); 8] = [
    (":method", "POST"),
    (":scheme", "http"),
    (":path", "/bench.Echo/Say"),
    (":authority", "127.0.0.1:1234"),
    ("content-type", "application/grpc"),
    ("te", "trailers"),
    ("user-agent", "grpc-go/1.70.0"),
    ("grpc-accept-encoding", "gzip"),
];

fn field(name: &str, value: &str) -> Field {
    (name.as_bytes().to_vec(), value.as_bytes().to_vec())
}

fn decoded(decoder: &mut Decoder, block: &[u8]) -> Result<Vec<Field>, HpackFault> {
    let mut fields = Vec::new();
    decoder.decode(block, |name, value| fields.push((name.to_vec(), value.to_vec())))?;
    Ok(fields)
}
