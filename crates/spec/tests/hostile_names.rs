//! No text gets past a name that could mean anything to a shell, a path, a URL, a header or a reader's eye.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a broken helper should fail its test")]

use std::str::FromStr;

use pilotage_spec::{
    AllowedUrl, ClusterName, ConditionName, EnvironmentName, HeaderName, HookName, Host, HttpPath, Namespace,
    PathPrefix, PrincipalName, ProjectName, RelativePath, RoleName, ServiceName, StrategyName,
    TicketSystemName, VariableName, WindowName,
};
use proptest::prelude::*;

/// Pieces that attacks are made of, mixed with what names are made of.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-z0-9-]{1,6}",
        1 => prop::sample::select(vec![
            "..", "../", "/", "\\", "%2e%2e", "\0", "\r\n", "\n", "\t", " ", "\u{a0}", "\u{202e}", "\u{200b}", "\u{feff}", "\u{1b}[31m",
            "$(id)", "`id`", "${IFS}", ";", "|", "&", "&&", ">", "<", "*", "?", "'", "\"", "#", "~", "!", "=", "@", ":", ",", "{{", "}}",
            "а", "е", "ѕ", "ｐ", "ı", "ſ", "é", "e\u{301}", "A", "_", ".", "--", "-", "://", "Host: x", "😀",
        ]).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

/// What every name that is accepted must be like, and that it is written as it was read.
fn is_sound<T: FromStr + ToString>(text: &str, allowed: impl Fn(char) -> bool) -> Result<(), TestCaseError> {
    if let Ok(name) = text.parse::<T>() {
        prop_assert_eq!(name.to_string(), text);
        prop_assert!(!text.is_empty() && text.chars().all(allowed), "{:?} was accepted", text);
        prop_assert!(!text.split('/').any(|part| part == ".."), "{:?} was accepted", text);
    }
    Ok(())
}

/// What a DNS label must be like besides.
fn is_label<T: FromStr + ToString>(text: &str) -> Result<(), TestCaseError> {
    is_sound::<T>(text, |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')?;
    if text.parse::<T>().is_ok() {
        prop_assert!(
            text.len() <= 63 && !text.starts_with('-') && !text.ends_with('-'),
            "{:?} was accepted",
            text
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn hostile_texts_never_become_names(text in hostile()) {
        is_label::<ProjectName>(&text)?;
        is_label::<ServiceName>(&text)?;
        is_label::<EnvironmentName>(&text)?;
        is_label::<StrategyName>(&text)?;
        is_label::<RoleName>(&text)?;
        is_label::<WindowName>(&text)?;
        is_label::<TicketSystemName>(&text)?;
        is_label::<ConditionName>(&text)?;
        is_label::<HookName>(&text)?;
        is_label::<ClusterName>(&text)?;
        is_label::<Namespace>(&text)?;
        let visible = |c: char| c.is_ascii_graphic();
        is_sound::<PrincipalName>(&text, visible)?;
        is_sound::<VariableName>(&text, |c| c.is_ascii_alphanumeric() || c == '_')?;
        is_sound::<HttpPath>(&text, visible)?;
        is_sound::<PathPrefix>(&text, visible)?;
        if text.parse::<HeaderName>().is_ok_and(|name| name.to_string() != "..") {
            is_sound::<HeaderName>(&text, visible)?;
        }
        is_sound::<Host>(&text, visible)?;
        let shell = |c: char| " \t\n\0$`;|&<>*?'\"\\(){}[]!~#".contains(c);
        is_sound::<RelativePath>(&text, |c| !c.is_control() && !shell(c) && !c.is_whitespace())?;
    }

    #[test]
    fn hostile_texts_never_open_the_list_of_servers(text in hostile()) {
        if let Ok(allowed) = text.parse::<AllowedUrl>() {
            let rest = text.split_once("://").map_or("/", |(_, rest)| rest);
            prop_assert!(!rest.contains(['@', '/', ' ', '#', '?']), "{:?} {}", text, allowed);
        }
    }
}

#[test]
fn clusters_and_namespaces_are_dns_labels() {
    for text in ["shop", "shop-eu-1", "7", &"a".repeat(63)] {
        assert_eq!(text.parse::<ClusterName>().unwrap().as_str(), text);
        assert_eq!(text.parse::<Namespace>().unwrap().as_str(), text);
    }
    for text in [
        "",
        "Shop",
        "shop_eu",
        "shop.eu",
        "-shop",
        "shop-",
        "kube-system/..",
        "shop;id",
        "ѕhop",
        "shop\n",
        &"a".repeat(64),
    ] {
        assert!(text.parse::<ClusterName>().is_err(), "{text:?}");
        let error = text.parse::<Namespace>().unwrap_err().to_string();
        assert!(error.starts_with("namespace ") && !error.contains('\n'), "{error}");
    }
}
