//! What must hold for every input, tried on many.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a broken helper should fail its test"
)]
#![allow(clippy::disallowed_methods, reason = "the samples are files; the crate itself touches none")]

mod support;

use std::str::FromStr;
use std::sync::LazyLock;
use std::time::Duration;

use jsonschema::Validator;
use pilotage_spec::{
    Digest, EnvironmentName, Host, HttpPath, Network, PathPrefix, RelativePath, SecretSource, ServiceName,
    VariableName, Version, check, format_duration, json_schema, parse_duration, substitute,
};
use proptest::prelude::*;
use support::{corpus, yaml_as_json};

static SCHEMA: LazyLock<Validator> = LazyLock::new(|| jsonschema::draft202012::new(&json_schema()).unwrap());

static VALID: LazyLock<Vec<String>> =
    LazyLock::new(|| corpus("valid").iter().map(|path| std::fs::read_to_string(path).unwrap()).collect());

/// Words that mean something somewhere in the file, or look as if they did.
const WORDS: [&str; 56] = [
    "project",
    "services",
    "run",
    "artifact",
    "path",
    "port",
    "health",
    "live",
    "smoke",
    "env",
    "secret",
    "needs",
    "environments",
    "policy",
    "gradual",
    "strategies",
    "canary",
    "steps",
    "rolling",
    "recreate",
    "watch",
    "roll_back_when",
    "metrics",
    "above",
    "true",
    "off",
    "yes",
    "0",
    "-1",
    "80",
    "1e3",
    "010",
    "5%",
    "\"> 5%\"",
    "2x",
    "10s",
    "0s",
    "500m",
    "256Mi",
    "127.0.0.1",
    "\"env:A\"",
    "{}",
    "[]",
    "[a]",
    "{ a: b }",
    "\"\"",
    "$PORT",
    "\u{202e}",
    "route",
    "host",
    "/api",
    "shop.example.com",
    "edge",
    "passed",
    "10MiB",
    "0.0.0.0:443",
];

/// A text that is read or refused; either way with something to say, and without a panic.
fn assert_is_answered(text: &str) {
    let checked = check("pilotage.yaml", text);
    assert_eq!(checked.project.is_none(), checked.diagnostics.has_errors());
    let rendered = checked.diagnostics.render(false);
    assert!(rendered.chars().all(|c| !c.is_control() || c == '\n'), "{rendered:?}");
    checked.diagnostics.render(true);
    for diagnostic in &checked.diagnostics {
        assert!(diagnostic.line >= 1 && diagnostic.line <= text.split('\n').count());
        assert!(diagnostic.column >= 1 && !diagnostic.message.is_empty());
    }
}

/// A valid file with a few places of it changed.
fn mutated() -> impl Strategy<Value = String> {
    let change =
        (any::<prop::sample::Index>(), any::<prop::sample::Index>(), prop::sample::select(&WORDS[..]), 0..4);
    (any::<prop::sample::Index>(), prop::collection::vec(change, 1..4)).prop_map(|(file, changes)| {
        let mut text = file.get(&VALID).clone();
        for (at, length, word, kind) in changes {
            text = change_word(&text, at.index(text.len().max(1)), length.index(8), word, kind);
        }
        text
    })
}

fn change_word(text: &str, at: usize, length: usize, word: &str, kind: i32) -> String {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '%' | '/' | '-' | '$');
    let (start, end) = match kind {
        // A word for a word, a few characters for a word, a word more, a few characters less.
        0 => {
            let at = text.floor_char_boundary(at);
            let start = text[..at].rfind(|c| !is_part(c)).map_or(0, |at| text.ceil_char_boundary(at + 1));
            (start, text[at..].find(|c| !is_part(c)).map_or(text.len(), |end| at + end))
        }
        2 => (text.floor_char_boundary(at), text.floor_char_boundary(at)),
        _ => (text.floor_char_boundary(at), text.floor_char_boundary(at + length)),
    };
    let word = if kind == 3 { "" } else { word };
    format!("{}{word}{}", &text[..start], &text[end.max(start)..])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_answered(text in any::<String>()) {
        assert_is_answered(&text);
    }

    #[test]
    fn any_text_of_yaml_characters_is_answered(text in "[-a-c:{}\\[\\],&*!|>'\"%#? \t\r\n$0-1]{0,60}") {
        assert_is_answered(&text);
    }

    #[test]
    fn a_changed_file_is_answered(text in mutated()) {
        assert_is_answered(&text);
    }

    /// Editors must not mark what the reader accepts.
    #[test]
    fn what_the_reader_accepts_fits_the_schema(text in mutated()) {
        if check("pilotage.yaml", &text).project.is_some() {
            let errors: Vec<String> = SCHEMA.iter_errors(&yaml_as_json(&text)).map(|e| e.to_string()).collect();
            prop_assert!(errors.is_empty(), "{text}\n{errors:#?}");
        }
    }

    #[test]
    fn durations_survive_writing_and_reading(millis in 0..=366 * 86_400_000_u64) {
        let duration = Duration::from_millis(millis);
        prop_assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
    }

    #[test]
    fn versions_survive_writing_and_reading(
        (major, minor, patch) in (any::<u64>(), any::<u64>(), any::<u64>()),
        suffix in "(-[a-z][a-z0-9]{0,5})?(\\+[a-z0-9]{1,5})?",
    ) {
        let text = format!("{major}.{minor}.{patch}{suffix}");
        if let Ok(version) = text.parse::<Version>() {
            prop_assert_eq!(version.to_string(), text.clone());
            prop_assert_eq!(format!("v{text}").parse::<Version>(), Ok(version));
        } else {
            prop_assert!(text.len() > 64, "{text}");
        }
    }

    #[test]
    fn digests_survive_writing_and_reading(bytes in any::<[u8; 32]>()) {
        let digest = Digest::from_bytes(bytes);
        prop_assert_eq!(digest.to_string().parse::<Digest>(), Ok(digest));
    }

    #[test]
    fn names_that_are_accepted_are_harmless(text in "[-a-zA-Z0-9._/ ;$`'\"|&<>(){}\\\\\n\u{0}аё٣]{1,12}") {
        assert_harmless::<ServiceName>(&text, "");
        assert_harmless::<EnvironmentName>(&text, "");
        assert_harmless::<VariableName>(&text, "");
        assert_harmless::<Version>(&text, "");
        assert_harmless::<RelativePath>(&text, "/");
        assert_harmless::<Host>(&text, "*");
        assert_harmless::<SecretSource>(&format!("file:{text}"), "/:");
        if text.parse::<HttpPath>().is_ok() {
            prop_assert!(text.starts_with('/') && text.chars().all(|c| c.is_ascii_graphic()));
            prop_assert!(!text.split('?').next().unwrap().split('/').any(|segment| segment == ".."));
        }
    }

    #[test]
    fn paths_that_are_accepted_are_whole_segments(text in "/[-a-zA-Z0-9._/%?# ~]{0,12}") {
        if let Ok(path) = text.parse::<PathPrefix>() {
            prop_assert!(path.is_root() || !text.ends_with('/'));
            prop_assert!(!text[1..].split('/').any(|part| matches!(part, "." | "..")));
            prop_assert!(!text.contains("//") && !text.contains(['%', '?', '#', ' ']));
        }
    }

    #[test]
    fn networks_survive_writing_and_reading(bytes in any::<[u8; 16]>(), v4 in any::<bool>(), bits in 0..=128_u8) {
        let address: std::net::IpAddr = match v4 {
            true => std::net::Ipv4Addr::new(bytes[0], bytes[1], bytes[2], bytes[3]).into(),
            false => bytes.into(),
        };
        let text = format!("{address}/{bits}");
        match text.parse::<Network>() {
            Ok(network) => prop_assert_eq!(network.to_string().parse::<Network>(), Ok(network)),
            Err(_) => prop_assert!(v4 && bits > 32, "{}", text),
        }
    }

    #[test]
    fn names_survive_writing_and_reading(text in "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?") {
        let name: ServiceName = text.parse().unwrap();
        prop_assert_eq!(name.as_str(), &text);
        prop_assert_eq!(name.to_string().parse::<ServiceName>(), Ok(name));
    }

    #[test]
    fn substitution_of_escaped_text_gives_the_text(text in any::<String>()) {
        let escaped = text.replace('$', "$$");
        prop_assert_eq!(substitute(&escaped, |_| None), Ok(text));
    }
}

/// What is accepted holds no shell or control character, no white space and no way up; `/` only where allowed.
fn assert_harmless<T: FromStr>(text: &str, also_allowed: &str) {
    if T::from_str(text).is_err() {
        return;
    }
    let harmless = |c: char| c.is_alphanumeric() || "-_.+@=,".contains(c) || also_allowed.contains(c);
    assert!(text.chars().all(harmless), "{text:?}");
    assert!(!text.split(['/', ':']).any(|segment| segment == ".."), "{text:?}");
}
