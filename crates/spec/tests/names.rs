//! What passes the border as a name, and what does not.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a broken helper should fail its test"
)]

use pilotage_spec::{
    Digest, EnvironmentName, HttpPath, ProjectName, RelativePath, SecretSource, ServiceName, StrategyName,
    VariableName, Version,
};

/// What somebody might try to get past a name.
const HOSTILE: [&str; 22] = [
    "",
    " ",
    "production; rm -rf /",
    "../../etc",
    "..",
    ".",
    "a/../b",
    "a b",
    "a\tb",
    "a\nb",
    "a\0b",
    "$(id)",
    "`id`",
    "a|b",
    "a&b",
    "a>b",
    "a'b",
    "a\"b",
    "a\\b",
    "-rf",
    "аpi", // a Cyrillic letter that looks like `a`
    "ａｐｉ",
];

#[test]
fn hostile_texts_are_no_names() {
    for text in HOSTILE {
        assert!(text.parse::<ProjectName>().is_err(), "{text:?}");
        assert!(text.parse::<ServiceName>().is_err(), "{text:?}");
        assert!(text.parse::<EnvironmentName>().is_err(), "{text:?}");
        assert!(text.parse::<StrategyName>().is_err(), "{text:?}");
        assert!(text.parse::<VariableName>().is_err(), "{text:?}");
        assert!(text.parse::<HttpPath>().is_err(), "{text:?}");
        assert!(text.parse::<Version>().is_err(), "{text:?}");
        assert!(text.parse::<Digest>().is_err(), "{text:?}");
        assert!(text.parse::<SecretSource>().is_err(), "{text:?}");
    }
    // A path may be `.`, the project's folder itself, and hold letters of any script; nothing else of the list.
    let paths: Vec<&str> = HOSTILE.into_iter().filter(|text| text.parse::<RelativePath>().is_ok()).collect();
    assert_eq!(paths, [".", "аpi", "ａｐｉ"]);
}

#[test]
fn a_name_is_a_dns_label_of_at_most_63_characters() {
    for text in ["a", "7", "api", "api-2", "a--b", &"a".repeat(63)] {
        assert_eq!(text.parse::<ServiceName>().unwrap().as_str(), text);
    }
    for text in ["API", "a_b", "a.b", "-a", "a-", &"a".repeat(64)] {
        assert!(text.parse::<ServiceName>().is_err(), "{text}");
    }
}

#[test]
fn messages_name_the_kind_and_the_rule_and_do_not_repeat_escapes() {
    let error = |text: &str| text.parse::<EnvironmentName>().unwrap_err().to_string();
    assert_eq!(error(""), "environment name must not be empty");
    assert_eq!(error(&"a".repeat(64)), "environment name is 64 characters long; at most 63 are allowed");
    assert!(error("production; rm -rf /").contains("use lower-case letters, digits and `-`"));
    assert!(!error("\u{1b}[31m").contains('\u{1b}'));
    assert!(error(&"?".repeat(100_000)).len() < 300);
}

#[test]
fn variable_names_are_those_of_a_process_environment() {
    for text in ["A", "_", "DATABASE_URL", "a1", &"A".repeat(128)] {
        assert!(text.parse::<VariableName>().is_ok(), "{text}");
    }
    for text in ["1A", "A-B", "A=B", "Ä", &"A".repeat(129)] {
        assert!(text.parse::<VariableName>().is_err(), "{text}");
    }
}

#[test]
fn paths_stay_below_their_folder() {
    for text in ["web", "target/release/api", "./web", "a..b", ".hidden", "web.tar.gz", "größe/ü"] {
        assert!(text.parse::<RelativePath>().is_ok(), "{text}");
    }
    for text in ["/etc", "~/x", "a/..", "../a", "a/../../b", "a b", "a*", "-x", "a:b"] {
        assert!(text.parse::<RelativePath>().is_err(), "{text}");
    }
    for text in ["/", "/health", "/ready?deep=1&x=%20", "/a..b", "/~user"] {
        assert!(text.parse::<HttpPath>().is_ok(), "{text}");
    }
    for text in ["health", "/a/../b", "/..", "/a b", "/a#b", "/ü", "/\r\nHost: x", "http://x/"] {
        assert!(text.parse::<HttpPath>().is_err(), "{text}");
    }
}

#[test]
fn versions_are_semantic_and_ordered() {
    let version = |text: &str| text.parse::<Version>().unwrap();
    assert_eq!(version("v1.4.0"), version("1.4.0"));
    assert_eq!(version("v1.4.0").to_string(), "1.4.0");
    assert!(version("1.10.0") > version("1.9.0"));
    assert!(version("1.0.0-rc.1") < version("1.0.0"));
    for text in
        ["", "1", "1.0", "1.0.0.0", "latest", "v", "vv1.0.0", "V1.0.0", "01.0.0", "1.0.0 ", "1.0.0;id"]
    {
        let error = text.parse::<Version>().unwrap_err().to_string();
        assert!(error.contains("MAJOR.MINOR.PATCH"), "{text}: {error}");
    }
}

#[test]
fn digests_are_written_in_one_way() {
    let text = format!("sha256:{}", "0123456789abcdef".repeat(4));
    let digest: Digest = text.parse().unwrap();
    assert_eq!(digest.to_string(), text);
    assert_eq!(digest.short(), "0123456789ab");
    for wrong in [
        "0123456789abcdef".repeat(4),
        text.to_uppercase(),
        text.replace("sha256", "sha512"),
        format!("{text}0"),
        text.replace('f', "g"),
        "sha256:".to_owned() + &"é".repeat(32),
    ] {
        assert!(wrong.parse::<Digest>().is_err(), "{wrong}");
    }
}

#[test]
fn references_to_secrets_are_written_as_they_are_read() {
    for text in ["env:TOKEN", "file:token", "file:/run/secrets/token"] {
        assert_eq!(text.parse::<SecretSource>().unwrap().to_string(), text);
    }
    for text in
        ["TOKEN", "env:", "env:A B", "env:A;id", "file:", "file:../x", "file:/a/../b", "file://x", "vault:x"]
    {
        assert!(text.parse::<SecretSource>().is_err(), "{text}");
    }
    let error = "hunter2".parse::<SecretSource>().unwrap_err().to_string();
    assert!(!error.contains("hunter2"), "{error}");
}
