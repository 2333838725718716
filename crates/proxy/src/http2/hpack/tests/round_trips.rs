//! What is written is read.

use proptest::prelude::*;

use super::super::{Encoder, static_table::KNOWN_FIELDS};
use super::*;

#[derive(Debug, Clone)]
enum Step {
    Block(Vec<Field>),
    LargestTable(usize),
}

fn any_field() -> impl Strategy<Value = Field> {
    let known = prop::sample::select(&KNOWN_FIELDS[..]);
    let own =
        prop::sample::select(vec!["x", "X-Custom", "x-custom", "x-other", "x-a-rather-long-name-of-a-field"]);
    let name = prop_oneof![
        known.clone().prop_map(|field| field.name.as_bytes().to_vec()),
        own.prop_map(|name| name.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..300),
    ];
    let value = prop_oneof![
        4 => prop::sample::select(vec!["", "a", "b", "gzip", "application/grpc"]).prop_map(|value| value.as_bytes().to_vec()),
        2 => prop::collection::vec(any::<u8>(), 0..300),
        1 => prop::collection::vec(any::<u8>(), 3000..5000),
    ];
    prop_oneof![(name, value), known.prop_map(|known| field(known.name, known.value)),]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        5 => prop::collection::vec(any_field(), 0..20).prop_map(Step::Block),
        1 => prop_oneof![0usize..6000, Just(0), Just(4096)].prop_map(Step::LargestTable),
    ];
    prop::collection::vec(step, 0..12)
}

proptest! {
    #[test]
    fn what_is_written_is_read(steps in steps()) {
        let (mut encoder, mut decoder) = (Encoder::new(), Decoder::new(4096));
        for step in steps {
            let fields = match step {
                Step::Block(fields) => fields,
                Step::LargestTable(bytes) => {
                    encoder.set_largest_table(bytes);
                    continue;
                }
            };
            let mut block = Vec::new();
            encoder.begin(&mut block);
            fields.iter().for_each(|(name, value)| encoder.encode(name, value, &mut block));
            let lower = |(name, value): &Field| (name.to_ascii_lowercase(), value.clone());
            prop_assert_eq!(decoded(&mut decoder, &block), Ok(fields.iter().map(lower).collect()));
            prop_assert_eq!(decoder.table().all(), encoder.table().all(), "both ends have the same table");
            prop_assert!(encoder.table().size() <= encoder.table().largest());
        }
    }

    /// No byte may harm, and what two decoders read is the same.
    #[test]
    fn any_bytes_can_be_decoded(blocks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..8)) {
        let (mut one, mut other) = (Decoder::new(300), Decoder::new(300));
        for block in blocks {
            prop_assert_eq!(decoded(&mut one, &block), decoded(&mut other, &block));
            prop_assert!(one.table().size() <= 300);
        }
    }
}
