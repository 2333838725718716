//! The corpus of `fuzz/`, and mutations of it, fed to every target.

use std::fs;
use std::path::Path;

use super::{TARGETS, Target};

/// Mutated inputs of one target; enough to meet what is near the corpus in a second or so.
const MUTATIONS: u64 = 4_000;

/// Longest mutated input, so that splices do not grow for ever.
const LONGEST: usize = 4 * 1024;

/// Bytes that mean something to one of the parsers.
const WORDS: [&[u8]; 40] = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b"\t",
    b"\x0b",
    b"\x0c",
    b"\xff",
    b":",
    b",",
    b";",
    b"=",
    b"\"",
    b"\\",
    b"%2e",
    b"%2F",
    b"..",
    b"/",
    b"//",
    b"*",
    b"+",
    b"-",
    b"0",
    b"5",
    b"ffffffffffffffff",
    b"0x",
    b"Content-Length: 5\r\n",
    b"Content-Length: 0\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding : chunked\r\n",
    b"Host: a\r\n",
    b"Connection: close\r\n",
    b"HTTP/1.0",
    b"HTTP/1.1",
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"5\r\nhello\r\n0\r\n\r\n",
    b"for=",
    b"admin",
    b"10.0.0.9",
];

#[test]
fn every_target_has_a_corpus() {
    for (name, _) in TARGETS {
        assert!(seeds(name).len() >= 5, "{name}");
    }
}

#[test]
fn requests_are_read_as_others_read_them() {
    feed("requests");
    feed("chunked_body");
}

#[test]
fn answers_are_read_as_others_read_them() {
    feed("response");
}

#[test]
fn no_way_to_write_a_path_gets_past_a_rule() {
    feed("route_lookup");
}

#[test]
fn nobody_is_believed_who_is_not_trusted() {
    feed("forwarded");
    feed("client_cookie");
}

#[test]
fn deadlines_and_frames_are_read_as_others_read_them() {
    feed("grpc_timeout");
    feed("websocket_frames");
}

#[test]
fn compressed_heads_are_written_as_they_were_read() {
    feed("header_blocks");
}

#[test]
fn connections_are_the_same_however_their_bytes_come() {
    feed("http2_client");
    feed("http2_server");
}

#[test]
fn bodies_are_compared_alike_from_both_sides() {
    feed("compared_bodies");
}

#[test]
fn tables_and_messages_do_no_harm() {
    feed("routing_table");
    feed("control_message");
}

fn feed(name: &str) {
    let (_, target) = *TARGETS.iter().find(|(known, _)| *known == name).unwrap();
    let seeds = seeds(name);
    seeds.iter().for_each(|seed| try_one(name, target, seed));
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    for _ in 0..MUTATIONS {
        let mut input = chance.one_of(&seeds).clone();
        for _ in 0..=chance.below(4) {
            mutate(&mut input, &seeds, &mut chance);
        }
        input.truncate(LONGEST);
        try_one(name, target, &input);
    }
}

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(name);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    // The same order everywhere, so that a failure comes again.
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

fn try_one(name: &str, target: Target, input: &[u8]) {
    let _said = SaidWhenBroken { name, input };
    target(input);
}

/// Says what was fed when the target breaks, so that it can be added to the corpus.
struct SaidWhenBroken<'i> {
    name: &'i str,
    input: &'i [u8],
}

impl Drop for SaidWhenBroken<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{} was fed b\"{}\"", self.name, self.input.escape_ascii());
        }
    }
}

fn mutate(input: &mut Vec<u8>, seeds: &[Vec<u8>], chance: &mut Chance) {
    let at = chance.below(input.len() + 1);
    let end = (at + chance.below(12)).min(input.len());
    match chance.below(6) {
        0 => drop(input.splice(at..at, chance.one_of(&WORDS).iter().copied())),
        1 => drop(input.splice(at..end, chance.one_of(&WORDS).iter().copied())),
        2 => drop(input.drain(at..end)),
        3 => {
            let part = input[at..end].to_vec();
            drop(input.splice(at..at, part));
        }
        4 => {
            let other = chance.one_of(seeds);
            let from = chance.below(other.len() + 1);
            input.truncate(at);
            input.extend_from_slice(&other[from..]);
        }
        _ => {
            if let Some(byte) = input.get_mut(at) {
                *byte ^= 1 << chance.below(8);
            }
        }
    }
}

/// Numbers that are the same in every run (xorshift).
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }

    fn one_of<'o, T>(&mut self, of: &'o [T]) -> &'o T {
        &of[self.below(of.len())]
    }
}
