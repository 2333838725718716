//! What a head costs when its fields were sent before. Built with `--release` and run alone under
//! `valgrind --tool=callgrind`, the instructions of a test are those of so many heads.

use std::hint::black_box;

use super::super::Encoder;
use super::*;

const HEADS: usize = 100_000;

fn write_head(encoder: &mut Encoder, block: &mut Vec<u8>) {
    block.clear();
    encoder.begin(block);
    for (name, value) in black_box(&GRPC) {
        encoder.encode(name.as_bytes(), value.as_bytes(), block);
    }
}

#[test]
#[ignore = "measured from outside"]
fn heads_that_are_written() {
    let (mut encoder, mut block) = (Encoder::new(), Vec::new());
    for _ in 0..HEADS {
        write_head(&mut encoder, &mut block);
    }
    assert_eq!(block.len(), 24);
}

#[test]
#[ignore = "measured from outside"]
fn heads_that_are_read() {
    let (mut encoder, mut decoder, mut block) = (Encoder::new(), Decoder::new(4096), Vec::new());
    write_head(&mut encoder, &mut block);
    decoder.decode(&block, |_, _| {}).unwrap();
    write_head(&mut encoder, &mut block);
    let mut bytes = 0;
    for _ in 0..HEADS {
        decoder
            .decode(black_box(&block), |name, value| bytes += black_box(name.len() + value.len()))
            .unwrap();
    }
    let in_one: usize = GRPC.iter().map(|(name, value)| name.len() + value.len()).sum();
    assert_eq!(bytes, in_one * HEADS);
}
