//! Nothing of a known secret gets past the masker, however it is written and wherever it is cut.

use std::collections::HashSet;
use std::sync::Arc;

use super::encodings::{self, ENCODINGS};
use pilotage_secrets::{Known, Masker, Secret};
use proptest::prelude::*;

const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49\nAwEHBG0wawIBAQQgevZzL1gdAFr88hb2\n-----END PRIVATE KEY-----\n";

fn masker(secrets: &[&str]) -> Arc<Masker> {
    let secrets: Vec<Secret> = secrets.iter().map(|secret| Secret::new(*secret)).collect();
    Arc::new(Masker::new(&secrets))
}

fn in_pieces(masker: &Arc<Masker>, text: &[u8], cuts: &[usize]) -> Vec<u8> {
    let (mut stream, mut output, mut rest) = (masker.stream(), Vec::new(), text);
    for cut in cuts {
        let (piece, after) = rest.split_at((*cut).min(rest.len()));
        stream.push(piece, &mut output);
        rest = after;
    }
    stream.push(rest, &mut output);
    stream.finish(&mut output);
    output
}

#[test]
fn a_secret_is_masked_wherever_errors_diffs_urls_and_headers_put_it() {
    let secret = "p4ss/w0rd \"+&$'ä";
    let masker = masker(&[secret]);
    for text in [
        format!("FATAL: password authentication failed for user \"shop\" with {secret}"),
        format!("-  password: {secret}\n+  password: changed\n"),
        format!("GET https://shop:{}@db.example.com/?q=1", encodings::percent(secret.as_bytes())),
        format!("Authorization: Basic {}", encodings::base64(format!("shop:{secret}").as_bytes())),
        format!("{{\"error\":\"{}\"}}", encodings::json(secret)),
        format!("+ psql --password='{}'", encodings::single_quoted(secret)),
        format!("data: {}", encodings::hex(secret.as_bytes())),
        format!("panicked at {secret:?}"),
    ] {
        let masked = masker.text(&text).into_owned();
        assert_ne!(masked, text);
        assert!(masked.contains("[masked]"), "{masked}");
        for part in ["p4ss", "w0rd", "cDRzcy93MHJk", "70347373"] {
            assert!(!masked.contains(part), "{masked}");
        }
    }
}

#[test]
fn a_secret_of_several_lines_is_masked_line_by_line_too() {
    let masker = masker(&[KEY]);
    assert_eq!(masker.text(KEY), "[masked]");
    let line = "[out] MIGHAgEAMBMGByqGSM49AgEGCCqGSM49";
    assert_eq!(masker.text(line), "[out] [masked]");
    assert_eq!(masker.text("-----BEGIN PRIVATE KEY-----"), "-----BEGIN PRIVATE KEY-----");
    let json = format!("{{\"key\":\"{}\"}}", encodings::json(KEY));
    assert_eq!(masker.text(&json), "{\"key\":\"[masked]\"}");
}

#[test]
fn what_overlaps_is_masked_as_one() {
    let masker = masker(&["abcdef", "defghi", "cde9"]);
    assert_eq!(masker.text("xabcdefghix"), "x[masked]x");
    assert_eq!(masker.text("xabcdefx defghix"), "x[masked]x [masked]x");
    assert_eq!(masker.text("abcdefabcdef"), "[masked][masked]");
    assert_eq!(masker.text("abcde9"), "ab[masked]");
    let nested = self::masker(&["inner", "the inner part"]);
    assert_eq!(nested.text("the inner part, inner"), "[masked], [masked]");
    let repeated = self::masker(&["aaaa"]);
    assert_eq!(repeated.text(&"a".repeat(100_000)), "[masked]");
}

#[test]
fn what_is_too_short_to_be_told_from_anything_is_left_alone() {
    let masker = masker(&["", "a", "abc", "1234"]);
    assert_eq!(masker.text("a abc 1234"), "a abc [masked]");
    assert!(self::masker(&["", "abc"]).is_empty());
    assert_eq!(Masker::default().text("anything"), "anything");
}

#[test]
fn a_name_stays_readable_though_somebody_has_it_for_a_password() {
    let masker = masker(&["staging", "Tr0ub4dor&3", "a-long-passphrase-of-words"]);
    assert_eq!(masker.field("staging"), "staging");
    assert_eq!(masker.field("registry/staging-api"), "registry/staging-api");
    assert_eq!(masker.field("wrong password staging"), "wrong password [masked]");
    assert_eq!(masker.field("Tr0ub4dor&3"), "[masked]");
    assert_eq!(masker.field("a-long-passphrase-of-words"), "[masked]");
    assert_eq!(masker.text("staging"), "[masked]");
}

#[test]
fn nothing_is_held_back_that_cannot_become_a_secret() {
    let masker = masker(&["hunter22"]);
    let (mut stream, mut output) = (masker.stream(), Vec::new());
    stream.push(b"all of this is certain\n", &mut output);
    assert_eq!(output, b"all of this is certain\n");
    stream.push(b"and this up to here: hunt", &mut output);
    assert!(output.ends_with(b"up to here: "));
    stream.push(b"er", &mut output);
    assert!(output.ends_with(b"up to here: "));
    stream.push(b"s do!", &mut output);
    assert!(output.ends_with(b"up to here: hunters do!"));
    stream.finish(&mut output);
    stream.push(b"hunter22", &mut output);
    stream.finish(&mut output);
    assert!(output.ends_with(b"hunters do![masked]"));
}

#[test]
fn memory_stays_bounded_however_long_a_secret_and_a_text_are() {
    let secret: String = (0..12_000_u32).map(|i| char::from(b'a' + (i * i % 23) as u8)).collect();
    let masker = masker(&[&secret]);
    let (mut stream, mut output, mut longest) = (masker.stream(), Vec::new(), 0);
    let text = format!("{secret}{}{secret}", "a".repeat(20_000));
    for (count, piece) in text.as_bytes().chunks(7).enumerate() {
        stream.push(piece, &mut output);
        longest = longest.max(stream.held_bytes());
        assert!(output.len() < count * 7 + 4096);
    }
    stream.finish(&mut output);
    assert!(longest <= 8 * 1024, "{longest}");
    let text = String::from_utf8(output).unwrap();
    let parts: HashSet<&[u8]> = secret.as_bytes().windows(40).collect();
    assert!(!text.as_bytes().windows(40).any(|found| parts.contains(found)));
}

#[test]
fn what_is_learned_later_is_masked_from_then_on_in_every_clone() {
    let known = Known::default();
    let other = known.clone();
    assert_eq!(other.text("hunter22"), "hunter22");
    known.learn(&[Secret::new("hunter22")]);
    known.learn(&[Secret::new("hunter22"), Secret::new("another-one")]);
    assert_eq!(other.text("hunter22 another-one"), "[masked] [masked]");
    // Rotation does not make it grow for ever.
    let many: Vec<Secret> = (0..1100).map(|n| Secret::new(format!("secret-number-{n}"))).collect();
    known.learn(&many);
    assert_eq!(other.text("secret-number-1099"), "[masked]");
    assert_eq!(other.text("hunter22"), "hunter22");
}

#[test]
fn marks_that_join_the_letter_before_them_are_masked_as_debug_writes_them() {
    let secret = "\0\u{591}\0x";
    let masker = masker(&[secret]);
    for text in [
        format!("{secret:?}"),
        secret.escape_debug().to_string(),
        format!("a{secret}").escape_debug().to_string(),
    ] {
        assert!(masker.text(&text).contains("[masked]"), "{text}");
    }
}

/// Secrets of letters that often overlap, of what is escaped, and of any bytes.
fn secret() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        "[ab]{4,12}".prop_map(String::into_bytes),
        "[ -~äß€🦀\n\t]{4,40}".prop_map(String::into_bytes),
        proptest::collection::vec(any::<u8>(), 4..40),
    ]
}

/// What every naive search over the same secrets would find and put together.
fn masked_naively(secrets: &[Vec<u8>], text: &[u8]) -> Vec<u8> {
    let mut covered = vec![false; text.len()];
    let mut joined = vec![false; text.len() + 1];
    for secret in secrets {
        for at in 0..(text.len() + 1).saturating_sub(secret.len()) {
            if text[at..].starts_with(secret) {
                covered[at..at + secret.len()].fill(true);
                joined[at + 1..at + secret.len()].fill(true);
            }
        }
    }
    let mut output = Vec::new();
    for at in 0..text.len() {
        match covered[at] {
            false => output.push(text[at]),
            true if !joined[at] => output.extend(b"[masked]"),
            true => {}
        }
    }
    output
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_encoding_of_a_secret_survives(
        secret in secret(),
        others in proptest::collection::vec(secret(), 0..3),
        before in "[ -~]{0,9}",
        after in "[ -~]{0,9}",
    ) {
        let mut secrets: Vec<Secret> = others.into_iter().map(Secret::new).collect();
        secrets.push(Secret::new(secret.clone()));
        let masker = Arc::new(Masker::new(&secrets));
        for (name, encode) in ENCODINGS {
            let Some(encoded) = encode(&secret) else { continue };
            let text = [before.as_bytes(), &encoded, after.as_bytes()].concat();
            let masked = in_pieces(&masker, &text, &[]);
            prop_assert!(!masked.windows(encoded.len()).any(|part| part == encoded), "{name}");
        }
        // What stands around a secret is encoded along with it.
        for behind in ["", "x", "yz", "..."] {
            for ahead in ["", "x", "yz", "..."] {
                let whole = [ahead.as_bytes(), &secret, behind.as_bytes()].concat();
                for encoded in [encodings::base64(&whole), encodings::base64_url(&whole)] {
                    let masked = masker.text(&encoded).into_owned();
                    // Not one whole digit of the secret's own is left: at most those that it shares with others.
                    prop_assert!(masked.contains("[masked]"), "{encoded}");
                    let left = masked.replace("[masked]", "").trim_end_matches('=').len();
                    prop_assert!(left <= (ahead.len() + behind.len()) * 4 / 3 + 4, "{encoded} {masked}");
                }
            }
        }
    }

    #[test]
    fn how_a_text_is_cut_makes_no_difference(
        secrets in proptest::collection::vec("[ab]{4,9}", 1..4),
        text in "[ab ]{0,200}",
        cuts in proptest::collection::vec(0_usize..9, 0..60),
    ) {
        let known: Vec<Secret> = secrets.iter().map(|secret| Secret::new(secret.as_str())).collect();
        let masker = Arc::new(Masker::new(&known));
        let whole = in_pieces(&masker, text.as_bytes(), &[]);
        prop_assert_eq!(&in_pieces(&masker, text.as_bytes(), &cuts), &whole);
        let at_once = masker.text(&text).into_owned();
        prop_assert_eq!(at_once.as_bytes(), &whole);
        let secrets: Vec<Vec<u8>> = secrets.into_iter().map(String::into_bytes).collect();
        prop_assert_eq!(whole, masked_naively(&secrets, text.as_bytes()));
    }
}
