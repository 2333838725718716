//! RFC 7541, appendix C.

use super::*;

/// A block in hexadecimal digits, its fields, and what is in the table after it, newest first.
type Example<'e> = (&'e str, &'e [(&'e str, &'e str)], &'e [(&'e str, &'e str)], usize);

fn follow(decoder: &mut Decoder, examples: &[Example<'_>]) {
    for (block, fields, table, size) in examples {
        let fields: Vec<Field> = fields.iter().map(|(name, value)| field(name, value)).collect();
        assert_eq!(decoded(decoder, &bytes(block)), Ok(fields), "{block}");
        let table: Vec<_> = table.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        assert_eq!(decoder.table().all(), table, "{block}");
        assert_eq!(decoder.table().size(), *size, "{block}");
    }
}

fn bytes(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

/// A decoder whose peer has made its table smaller, as in the examples with answers.
fn with_table_of_256() -> Decoder {
    let mut decoder = Decoder::new(4096);
    decoded(&mut decoder, &[0x3f, 0xe1, 0x01]).unwrap();
    decoder
}

#[test]
fn each_representation() {
    let added = ("custom-key", "custom-header");
    for example in [
        ("400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572", &[added][..], &[added][..], 55),
        ("040c 2f73 616d 706c 652f 7061 7468", &[(":path", "/sample/path")], &[], 0),
        ("1008 7061 7373 776f 7264 0673 6563 7265 74", &[("password", "secret")], &[], 0),
        ("82", &[(":method", "GET")], &[], 0),
    ] {
        follow(&mut Decoder::new(4096), &[example]);
    }
}

#[test]
fn requests_with_and_without_huffman_code() {
    let plain = [
        "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        "8286 84be 5808 6e6f 2d63 6163 6865",
        "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
    ];
    let coded = [
        "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
        "8286 84be 5886 a8eb 1064 9cbf",
        "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
    ];
    let (get, host) = ((":method", "GET"), (":authority", "www.example.com"));
    let (cache, custom) = (("cache-control", "no-cache"), ("custom-key", "custom-value"));
    for blocks in [plain, coded] {
        let examples: [Example<'_>; 3] = [
            (blocks[0], &[get, (":scheme", "http"), (":path", "/"), host], &[host], 57),
            (blocks[1], &[get, (":scheme", "http"), (":path", "/"), host, cache], &[cache, host], 110),
            (
                blocks[2],
                &[get, (":scheme", "https"), (":path", "/index.html"), host, custom],
                &[custom, cache, host],
                164,
            ),
        ];
        follow(&mut Decoder::new(4096), &examples);
    }
}

#[test]
fn answers_with_and_without_huffman_code() {
    let plain = [
        "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 \
         3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        "4803 3330 37c1 c0bf",
        "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 \
         7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 \
         6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31",
    ];
    let coded = [
        "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad \
         1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
        "4883 640e ffc1 c0bf",
        "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 \
         e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
    ];
    let (found, moved) = ((":status", "302"), (":status", "307"));
    let (cache, location) = (("cache-control", "private"), ("location", "https://www.example.com"));
    let date = ("date", "Mon, 21 Oct 2013 20:13:21 GMT");
    let later = ("date", "Mon, 21 Oct 2013 20:13:22 GMT");
    let (gzip, cookie) = (
        ("content-encoding", "gzip"),
        ("set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"),
    );
    for blocks in [plain, coded] {
        let examples: [Example<'_>; 3] = [
            (blocks[0], &[found, cache, date, location], &[location, date, cache, found], 222),
            (blocks[1], &[moved, cache, date, location], &[moved, location, date, cache], 222),
            (
                blocks[2],
                &[(":status", "200"), cache, later, location, gzip, cookie],
                &[cookie, gzip, later],
                215,
            ),
        ];
        follow(&mut with_table_of_256(), &examples);
    }
}
