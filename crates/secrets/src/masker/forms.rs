//! The forms in which a secret appears.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::SHORTEST_BYTES;
use crate::Secret;
use crate::base64::{ALPHABETS, at_end, inside};

/// A longer secret is looked for in pieces of this length, so that a stream never holds back much more.
const PIECE_BYTES: usize = 1024;
/// A line that is shorter says little by itself, and is part of many a text that is no secret.
const SHORTEST_LINE_BYTES: usize = 8;

/// Every form of these secrets that is long enough to be looked for.
pub(super) fn of_all<'a>(secrets: impl Iterator<Item = &'a Secret>) -> Vec<Vec<u8>> {
    let mut forms = BTreeSet::new();
    for secret in secrets {
        for part in parts(secret.expose()) {
            add_forms(part, &mut forms);
        }
    }
    forms.into_iter().collect()
}

/// The secret itself, what is left without white space around it, and each of its lines. Each cut into pieces if it is long.
fn parts(secret: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = secret.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    // The armor of a key is the same for all keys.
    let telling = lines.filter(|line| line.len() >= SHORTEST_LINE_BYTES && !line.starts_with(b"-----"));
    let wholes = [secret, secret.trim_ascii()].into_iter().chain(telling);
    wholes.flat_map(|whole| whole.chunks(PIECE_BYTES)).filter(|part| part.len() >= SHORTEST_BYTES)
}

fn add_forms(part: &[u8], forms: &mut BTreeSet<Vec<u8>>) {
    let mut add = |form: Vec<u8>| {
        if form.len() >= SHORTEST_BYTES {
            forms.insert(form);
        }
    };
    add(part.to_vec());
    for alphabet in ALPHABETS {
        for offset in 0..3 {
            add(inside(part, offset, alphabet));
            add(at_end(part, offset, alphabet));
        }
    }
    for digits in DIGITS {
        add(part.iter().flat_map(|byte| hex(*byte, digits)).collect());
        for kept in URL_KEPT {
            add(url_escaped(part, kept, digits));
        }
    }
    if let Ok(text) = std::str::from_utf8(part) {
        text_forms(text).into_iter().for_each(|form| add(form.into_bytes()));
    }
}

/// The digits of hexadecimal numbers, in both cases.
const DIGITS: [&[u8; 16]; 2] = [b"0123456789abcdef", b"0123456789ABCDEF"];

fn hex(byte: u8, digits: &[u8; 16]) -> [u8; 2] {
    [digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]]
}

/// What is not escaped in URLs beside letters and digits: by RFC 3986 (section 2.3), by JavaScript's `encodeURIComponent` and
/// `encodeURI`, and by forms (WHATWG URL Standard, section 5.2), where a space becomes a `+`; and if everything is escaped.
const URL_KEPT: [Option<&[u8]>; 5] =
    [Some(b"-._~"), Some(b"-._~!'()*"), Some(b"-._~!'()*;/?:@&=+$,#"), Some(b"-._* "), None];

fn url_escaped(part: &[u8], kept: Option<&[u8]>, digits: &[u8; 16]) -> Vec<u8> {
    let mut form = Vec::with_capacity(part.len() * 3);
    for byte in part {
        match kept {
            Some(kept) if *byte == b' ' && kept.contains(byte) => form.push(b'+'),
            Some(kept) if byte.is_ascii_alphanumeric() || kept.contains(byte) => form.push(*byte),
            _ => {
                form.push(b'%');
                form.extend(hex(*byte, digits));
            }
        }
    }
    form
}

/// Forms that only texts have.
fn text_forms(text: &str) -> Vec<String> {
    let json = json_escaped(text, |_| false);
    let ascii = json_escaped(text, |c| !c.is_ascii());
    vec![
        // Once more escaped, as JSON within JSON.
        json_escaped(&json, |_| false),
        json.replace('/', "\\/"),
        ascii.replace('/', "\\/"),
        upper_escapes(&ascii),
        ascii,
        // As Go escapes by default.
        json_escaped(text, |c| matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}')),
        json,
        // Rust escapes marks that join the letter before them everywhere, at the beginning alone, or, where something stands
        // before the secret, nowhere.
        unquoted(&format!("{text:?}")),
        text.escape_debug().to_string(),
        format!("a{text}").escape_debug().skip(1).collect(),
        // The ways of a shell.
        text.replace('\'', r"'\''"),
        text.replace('\'', "'\"'\"'"),
        with_backslashes(text, |c| matches!(c, '"' | '$' | '`' | '\\' | '!')),
        with_backslashes(text, |c| matches!(c, '"' | '$' | '`' | '\\')),
        with_backslashes(text, |c| c.is_ascii() && !c.is_ascii_alphanumeric() && !"-._/:=@%+,".contains(c)),
        with_backslashes(text, |c| c.is_ascii() && !c.is_ascii_alphanumeric() && !"-._/:@%+".contains(c)),
        with_backslashes(text, |c| matches!(c, '\'' | '\\')).replace('\n', "\\n"),
        // HTML and XML.
        html_escaped(text, "&#39;", "&quot;"),
        html_escaped(text, "&apos;", "&quot;"),
        html_escaped(text, "&#x27;", "&quot;"),
        html_escaped(text, "&#39;", "&#34;"),
        html_escaped(text, "'", "&quot;"),
        html_escaped(text, "'", "\""),
    ]
}

fn unquoted(text: &str) -> String {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text).to_owned()
}

/// The inside of a JSON string (RFC 8259, section 7); what else is to be escaped becomes `\u` and UTF-16.
fn json_escaped(text: &str, also: impl Fn(char) -> bool) -> String {
    let mut form = String::with_capacity(text.len() * 2);
    for c in text.chars() {
        match c {
            '"' => form.push_str("\\\""),
            '\\' => form.push_str("\\\\"),
            '\n' => form.push_str("\\n"),
            '\r' => form.push_str("\\r"),
            '\t' => form.push_str("\\t"),
            '\u{8}' => form.push_str("\\b"),
            '\u{c}' => form.push_str("\\f"),
            c if c < ' ' || also(c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a text cannot fail.
                    let _ = write!(form, "\\u{unit:04x}");
                }
            }
            c => form.push(c),
        }
    }
    form
}

/// The same with `\u00E4` instead of `\u00e4`.
fn upper_escapes(json: &str) -> String {
    let mut form = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find("\\u") {
        let end = (at + 6).min(rest.len());
        let (before, escape) = (rest.get(..at + 2), rest.get(at + 2..end));
        let (Some(before), Some(escape)) = (before, escape) else { break };
        form.push_str(before);
        form.push_str(&escape.to_ascii_uppercase());
        rest = &rest[end..];
    }
    form + rest
}

fn with_backslashes(text: &str, special: impl Fn(char) -> bool) -> String {
    let mut form = String::with_capacity(text.len() * 2);
    for c in text.chars() {
        if special(c) {
            form.push('\\');
        }
        form.push(c);
    }
    form
}

fn html_escaped(text: &str, apostrophe: &str, quote: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    escaped.replace('\'', apostrophe).replace('"', quote)
}
