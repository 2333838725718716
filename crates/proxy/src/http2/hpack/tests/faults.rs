//! Blocks that cannot be read.

use super::super::huffman;
use super::*;

fn fault(block: &[u8]) -> HpackFault {
    decoded(&mut Decoder::new(4096), block).unwrap_err()
}

#[test]
fn fields_that_are_in_no_table() {
    assert_eq!(fault(&[0x80]), HpackFault::NoSuchField(0));
    assert_eq!(fault(&[0x80 | 62]), HpackFault::NoSuchField(62));
    assert_eq!(fault(&[0xff, 0x80, 0x01]), HpackFault::NoSuchField(255));
    for (prefix, bits) in [(0x40, 6), (0x00, 4), (0x10, 4)] {
        let mut block = Vec::new();
        super::super::integer::write(62, bits, prefix, &mut block);
        block.extend_from_slice(b"\x01a");
        assert_eq!(fault(&block), HpackFault::NoSuchField(62), "{block:x?}");
    }
    // Sixty-two is there after the first field, sixty-three is not.
    assert_eq!(fault(b"\x40\x01a\x01b\xbe\xbf"), HpackFault::NoSuchField(63));
}

#[test]
fn blocks_that_end_too_soon() {
    let whole = b"\x40\x03abc\x83\x1c\x64\x9f\x41\x03def\xff\x00";
    assert_eq!(fault(&[whole, &[0x41, 0x7f][..]].concat()), HpackFault::NoSuchField(127));
    for block in
        [&b"\xff"[..], b"\x40", b"\x40\x01", b"\x40\x01a", b"\x40\x01a\x02b", b"\x40\x81", b"\x41", b"\x3f"]
    {
        assert_eq!(fault(block), HpackFault::Truncated, "{block:x?}");
    }
}

#[test]
fn numbers_that_are_too_large() {
    let longest = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    for before in [&b""[..], b"\x40", b"\x41", b"\x40\x01a", b"\x00", b"\x10\x01a"] {
        let block = [before, &longest].concat();
        assert_eq!(fault(&block), HpackFault::IntegerTooLarge, "{block:x?}");
    }
    let length = [0x40, 0x7f, 0xff, 0xff, 0xff, 0x7f];
    assert_eq!(fault(&length), HpackFault::Truncated, "nothing is allocated for a length that is only said");
}

#[test]
fn strings_that_are_coded_wrongly() {
    let field = |coded: &[u8]| [&[0x40, 1, b'a', 0x80 | u8::try_from(coded.len()).unwrap()], coded].concat();
    assert_eq!(fault(&field(&[0b0001_1000])), HpackFault::Padding);
    assert_eq!(fault(&field(&[0b0001_1111, 0xff])), HpackFault::Padding);
    assert_eq!(fault(&field(&huffman::tests::encode([97, 256, 98]))), HpackFault::EndOfString);
}

#[test]
fn table_sizes_come_first_and_are_allowed() {
    assert_eq!(fault(&[0x3f, 0xe2, 0x1f]), HpackFault::TableTooLarge(4097));
    assert_eq!(fault(&[0x82, 0x20]), HpackFault::LateSizeUpdate);
    assert_eq!(fault(&[0x20, 0x82, 0x20]), HpackFault::LateSizeUpdate);
    let mut decoder = Decoder::new(4096);
    assert_eq!(decoded(&mut decoder, b"\x40\x01a\x01b\xbe").unwrap().len(), 2);
    assert_eq!(decoded(&mut decoder, b"\x20\x3f\xe1\x1f"), Ok(vec![]), "to nothing and back to 4096");
    assert_eq!(decoded(&mut decoder, b"\xbe"), Err(HpackFault::NoSuchField(62)));
}

/// A table that may be larger is so only when the peer says that it uses it; one that was told to be smaller is at once.
#[test]
fn the_table_begins_as_large_as_both_know() {
    assert_eq!(Decoder::new(65_536).table().largest(), 4096);
    assert_eq!(Decoder::new(100).table().largest(), 100);
    let mut decoder = Decoder::new(65_536);
    decoded(&mut decoder, &[0x3f, 0xe1, 0xff, 0x03]).unwrap();
    assert_eq!(decoder.table().largest(), 65_536);
    assert_eq!(decoded(&mut decoder, &[0x3f, 0xe2, 0xff, 0x03]), Err(HpackFault::TableTooLarge(65_537)));
}

#[test]
fn a_field_larger_than_the_table_empties_it() {
    let mut decoder = Decoder::new(100);
    decoded(&mut decoder, b"\x40\x01a\x01b").unwrap();
    let large = [&b"\x7e\x7f\x01"[..], &[b'v'; 128]].concat();
    let fields = decoded(&mut decoder, &large).unwrap();
    assert_eq!(fields, [(b"a".to_vec(), vec![b'v'; 128])], "it is a field all the same");
    assert_eq!(decoder.table().size(), 0);
}

#[test]
fn a_name_outlives_the_field_it_is_taken_from() {
    let mut decoder = Decoder::new(80);
    decoded(&mut decoder, b"\x40\x04name\x04long").unwrap();
    let fields = decoded(&mut decoder, b"\x7e\x14aaaaaaaaaaaaaaaaaaaa\xbe").unwrap();
    let same = field("name", "aaaaaaaaaaaaaaaaaaaa");
    assert_eq!(fields, [same.clone(), same]);
}

#[test]
fn nothing_that_was_sent_is_shown() {
    let mut decoder = Decoder::new(4096);
    decoded(&mut decoder, b"\x57\x06s3cret\x17\x06s3cret").unwrap();
    let shown = format!("{decoder:?}");
    assert!(shown.contains("size: 51") && !shown.contains("s3cret") && !shown.contains("115, 51"), "{shown}");
}
