//! What another implementation reads of ours, and we of its: the `h2` crate, spoken to over a connection in memory.

use h2::Reason;
use http::{HeaderName, HeaderValue, Request};
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::super::{Encoder, huffman};
use super::*;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;
const END_STREAM_AND_HEADERS: u8 = 5;

/// Fields in an order that does not depend on which stands between others of another name.
fn sorted(mut fields: Vec<Field>) -> Vec<Field> {
    fields.sort_by(|one, other| one.0.cmp(&other.0));
    fields
}

fn pseudo_fields() -> Vec<Field> {
    [(":method", "POST"), (":scheme", "http"), (":path", "/bench.Echo/Say"), (":authority", "a.test:80")]
        .map(|(name, value)| field(name, value))
        .to_vec()
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The fields of every request as a server of `h2` reads them, or why it ends the connection.
async fn read_by_h2(blocks: &[Vec<u8>]) -> Result<Vec<Vec<Field>>, Option<Reason>> {
    let (mut ours, theirs) = duplex(1 << 20);
    ours.write_all(&[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()).await.unwrap();
    for (block, stream) in blocks.iter().zip((1..).step_by(2)) {
        ours.write_all(&frame(HEADERS, END_STREAM_AND_HEADERS, stream, block)).await.unwrap();
    }
    let mut connection = h2::server::handshake(theirs).await.unwrap();
    let mut heads = Vec::new();
    let mut answers = Vec::new();
    while heads.len() < blocks.len() {
        let (request, answer) = connection.accept().await.unwrap().map_err(|error| error.reason())?;
        // Dropped, it would end the stream.
        answers.push(answer);
        let uri = request.uri();
        let mut fields = vec![
            field(":method", request.method().as_str()),
            field(":scheme", uri.scheme_str().unwrap()),
            field(":path", uri.path()),
            field(":authority", uri.authority().unwrap().as_str()),
        ];
        let map = request.headers().iter();
        fields
            .extend(map.map(|(name, value)| (name.as_str().as_bytes().to_vec(), value.as_bytes().to_vec())));
        heads.push(sorted(fields));
    }
    Ok(heads)
}

/// The header blocks that a client of `h2` writes for these requests.
async fn written_by_h2(heads: &[Vec<Field>]) -> Vec<Vec<u8>> {
    let (ours, theirs) = duplex(1 << 20);
    let (mut sender, connection) = h2::client::handshake(theirs).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut answers = Vec::new();
    for fields in heads {
        sender = sender.ready().await.unwrap();
        let mut request = Request::post("http://a.test:80/bench.Echo/Say").body(()).unwrap();
        for (name, value) in fields {
            let mut header = HeaderValue::from_bytes(value).unwrap();
            header.set_sensitive(name == b"x-secret");
            request.headers_mut().append(HeaderName::from_bytes(name).unwrap(), header);
        }
        answers.push(sender.send_request(request, true).unwrap());
    }
    let blocks = read_blocks(ours, heads.len()).await;
    connection.abort();
    blocks
}

async fn read_blocks(mut from: DuplexStream, count: usize) -> Vec<Vec<u8>> {
    from.read_exact(&mut [0; PREFACE.len()]).await.unwrap();
    let (mut blocks, mut block) = (Vec::new(), Vec::new());
    while blocks.len() < count {
        let mut head = [0; 9];
        from.read_exact(&mut head).await.unwrap();
        let mut payload =
            vec![0; usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2])];
        from.read_exact(&mut payload).await.unwrap();
        if let (HEADERS | CONTINUATION, flags) = (head[3], head[4]) {
            block.extend_from_slice(&payload);
            if flags & END_HEADERS != 0 {
                blocks.push(std::mem::take(&mut block));
            }
        }
    }
    blocks
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn any_head() -> impl Strategy<Value = Vec<Field>> {
    let name = prop_oneof![
        prop::sample::select(vec![
            "content-type",
            "cookie",
            "user-agent",
            "x-secret",
            "accept",
            "etag",
            "x-a"
        ])
        .prop_map(str::to_owned),
        "x-[a-z0-9_.-]{1,30}",
    ];
    // What `http` takes for a value; it is read and written as bytes.
    let byte = prop_oneof![b' '..=b'~', 0x80u8..=0xff, Just(b'\t')];
    let value = prop_oneof![
        prop::sample::select(vec!["", "a", "application/grpc"]).prop_map(|value| value.as_bytes().to_vec()),
        prop::collection::vec(byte, 0..200),
    ];
    prop::collection::vec((name.prop_map(String::into_bytes), value), 0..20)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn h2_reads_what_we_write(
        heads in prop::collection::vec((any_head(), prop::option::weighted(0.2, 0usize..5000)), 1..8),
    ) {
        let mut encoder = Encoder::new();
        let (mut blocks, mut expected) = (Vec::new(), Vec::new());
        for (fields, largest_table) in heads {
            largest_table.into_iter().for_each(|bytes| encoder.set_largest_table(bytes));
            let fields = [pseudo_fields(), fields].concat();
            let mut block = Vec::new();
            encoder.begin(&mut block);
            fields.iter().for_each(|(name, value)| encoder.encode(name, value, &mut block));
            blocks.push(block);
            expected.push(sorted(fields));
        }
        prop_assert_eq!(run(read_by_h2(&blocks)), Ok(expected));
    }

    #[test]
    fn we_read_what_h2_writes(heads in prop::collection::vec(any_head(), 1..8)) {
        let blocks = run(written_by_h2(&heads));
        let mut decoder = Decoder::new(4096);
        for (block, fields) in blocks.iter().zip(heads) {
            let read = decoded(&mut decoder, block).unwrap();
            prop_assert_eq!(sorted(read), sorted([pseudo_fields(), fields].concat()));
        }
    }
}

#[test]
fn h2_refuses_what_we_refuse() {
    let coded = |coded: &[u8]| [&[0x40, 1, b'a', 0x80 | u8::try_from(coded.len()).unwrap()], coded].concat();
    for block in [
        b"\x80".to_vec(),
        b"\xbe".to_vec(),
        b"\x40\x01a\x01b\xbf".to_vec(),
        b"\x82\x20".to_vec(),
        b"\x3f\xe2\x1f".to_vec(),
        b"\x40\x01a\x02b".to_vec(),
        b"\x40\x01a\x7f\xff\xff\xff\xff\xff\x01b".to_vec(),
        coded(&huffman::tests::encode([97, 256, 98])),
        coded(&[0b0001_1000]),
        coded(&[0b0001_1111, 0xff]),
    ] {
        assert!(decoded(&mut Decoder::new(4096), &block).is_err(), "{block:x?}");
        let refused = run(read_by_h2(std::slice::from_ref(&block)));
        // It ends the connection as we do, though it gives another reason.
        assert_eq!(refused, Err(Some(Reason::PROTOCOL_ERROR)), "{block:x?}");
    }
}
