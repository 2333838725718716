//! What the encoder makes of which field.

use super::super::Encoder;
use super::*;

fn encoded(encoder: &mut Encoder, fields: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    encoder.begin(&mut out);
    fields.iter().for_each(|(name, value)| encoder.encode(name.as_bytes(), value.as_bytes(), &mut out));
    out
}

#[test]
fn what_was_sent_before_is_one_byte() {
    let mut encoder = Encoder::new();
    let first = encoded(&mut encoder, &GRPC);
    let second = encoded(&mut encoder, &GRPC);
    assert_eq!(second, b"\x83\x86\x04\x0f/bench.Echo/Say\xc2\xc1\xc0\xbf\xbe");
    assert_eq!(encoded(&mut encoder, &GRPC), second);
    let mut decoder = Decoder::new(4096);
    let fields: Vec<Field> = GRPC.iter().map(|(name, value)| field(name, value)).collect();
    for block in [first, second] {
        assert_eq!(decoded(&mut decoder, &block).as_ref(), Ok(&fields));
    }
}

#[test]
fn names_are_written_in_lower_case_and_known_in_any() {
    let mut encoder = Encoder::new();
    assert_eq!(encoded(&mut encoder, &[("X-Custom", "Aa")]), b"\x40\x08x-custom\x02Aa");
    assert_eq!(encoded(&mut encoder, &[("x-custom", "Aa")]), [0xbe]);
    assert_eq!(encoded(&mut encoder, &[("X-CUSTOM", "aa")]), b"\x7e\x02aa");
    assert_eq!(encoded(&mut encoder, &[("Content-Length", "5")]), b"\x0f\x0d\x015");
    assert_eq!(encoded(&mut encoder, &[("X-Request-Id", "5")]), b"\x00\x0cx-request-id\x015");
}

#[test]
fn secrets_are_in_no_table() {
    for name in ["cookie", "set-cookie", "Authorization", "proxy-authorization", "x-api-key"] {
        let mut encoder = Encoder::new();
        let once = encoded(&mut encoder, &[(name, "s3cret")]);
        assert_eq!(once[0] & 0xf0, 0x10, "{name} is never indexed");
        assert_eq!(encoded(&mut encoder, &[(name, "s3cret")]), once);
        assert_eq!(encoder.table().size(), 0);
    }
}

#[test]
fn what_differs_each_time_pushes_nothing_out() {
    let mut encoder = Encoder::new();
    let long = "v".repeat(129);
    for (name, value) in [
        ("date", "now"),
        ("content-length", "7"),
        (":path", "/a"),
        ("traceparent", "00-1"),
        ("server", &long),
    ] {
        assert_eq!(encoded(&mut encoder, &[(name, value)])[0] & 0xf0, 0, "{name}");
    }
    assert_eq!(encoder.table().size(), 0);
    encoded(&mut encoder, &[("server", &long[1..])]);
    assert_ne!(encoder.table().size(), 0);
}

#[test]
fn the_static_table_is_used() {
    let mut encoder = Encoder::new();
    let fields = [(":status", "404"), (":path", "/"), ("accept-encoding", "gzip, deflate"), ("cookie", "")];
    assert_eq!(encoded(&mut encoder, &fields), [0x8d, 0x84, 0x90, 0xa0]);
    assert_eq!(encoded(&mut encoder, &[(":status", "418")]), b"\x48\x03418");
}

#[test]
fn sizes_of_the_table_are_told_with_the_next_block() {
    let mut encoder = Encoder::new();
    encoder.set_largest_table(65_536);
    assert_eq!(encoded(&mut encoder, &[]), b"", "no more than we have is used");
    encoded(&mut encoder, &[("a", "b")]);
    encoder.set_largest_table(0);
    encoder.set_largest_table(100);
    assert_eq!(encoded(&mut encoder, &[]), [0x20, 0x3f, 69], "the smallest one, and the last");
    assert_eq!(encoder.table().len(), 0);
    assert_eq!(encoded(&mut encoder, &[]), b"");
    encoder.set_largest_table(0);
    assert_eq!(encoded(&mut encoder, &[("a", "b"), ("a", "b")]), b"\x20\x00\x01a\x01b\x00\x01a\x01b");
    encoder.set_largest_table(4096);
    assert_eq!(encoded(&mut encoder, &[("a", "b"), ("a", "b")]), b"\x3f\xe1\x1f\x40\x01a\x01b\xbe");
    encoder.set_largest_table(100);
    encoder.set_largest_table(4096);
    assert_eq!(encoded(&mut encoder, &[]), [0x3f, 69, 0x3f, 0xe1, 0x1f], "what we dropped, the peer has to");
}
