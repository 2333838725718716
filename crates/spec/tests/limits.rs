//! Files that are meant to hurt: each is answered, soon and in few words.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a broken helper should fail its test"
)]

use std::fmt::Write;

use pilotage_spec::{Diagnostics, check, read};

const MEBIBYTE: usize = 1024 * 1024;

fn refused(text: &str) -> Diagnostics {
    let diagnostics = read("pilotage.yaml", text).unwrap_err();
    let rendered = diagnostics.render(false);
    assert!(diagnostics.len() <= 51, "{} diagnostics", diagnostics.len());
    assert!(rendered.len() < 200_000, "{} bytes are said", rendered.len());
    diagnostics
}

/// As many repetitions as fit into the greatest size.
fn filled(start: &str, part: impl Fn(usize) -> String, end: &str) -> String {
    let mut text = start.to_owned();
    for index in 0.. {
        let part = part(index);
        if text.len() + part.len() + end.len() > MEBIBYTE {
            break;
        }
        text.push_str(&part);
    }
    text + end
}

#[test]
fn a_file_of_ten_megabytes_is_not_read() {
    let text = "project: a\n".to_owned() + &"# padding\n".repeat(MEBIBYTE);
    let diagnostics = refused(&text);
    assert_eq!(diagnostics.len(), 1);
    assert!(diagnostics.to_string().contains("too large"), "{diagnostics}");
}

#[test]
fn deep_nesting_is_refused() {
    for (open, close) in [("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", "")] {
        let text = format!("{}x{}", open.repeat(100_000), close.repeat(100_000));
        assert!(refused(&text).to_string().contains("nesting is too deep"), "{open}");
    }
    let mut steps = String::new();
    for depth in 0..1000 {
        writeln!(steps, "{}a:", " ".repeat(depth)).unwrap();
    }
    assert!(refused(&steps).to_string().contains("nesting is too deep"));
}

#[test]
fn an_alias_bomb_is_refused_without_being_built() {
    let mut text = "project: a\nservices:\n  a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..40 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
        writeln!(text, "  a{level}: &a{level} [{aliases}]").unwrap();
    }
    assert!(refused(&text).to_string().contains("aliases"));
}

#[test]
fn many_faults_are_counted_and_the_first_ones_listed() {
    for text in [
        filled("", |index| format!("key-{index}: {index}\n"), ""),
        filled("", |_| "same: 1\n".to_owned(), ""),
    ] {
        let diagnostics = refused(&text);
        let last = diagnostics.iter().last().unwrap();
        assert!(last.message.starts_with("and more"), "{}", last.message);
    }
    refused(&filled("project: a\nservices: {", |index| format!("k{index}: , "), "}\n"));
}

#[test]
fn long_lists_and_lines_are_answered() {
    let service = "project: a\nservices:\n  a:\n    artifact: a\n";
    for text in [
        filled(&format!("{service}    needs: ["), |index| format!("s{index},"), "]\n    run: [a]\n"),
        filled(&format!("{service}    run: ["), |index| format!("$V{index},"), "]\n"),
        filled(&format!("{service}    run: [\""), |index| format!("$V{index}"), "\"]\n"),
        filled(&format!("{service}    run: [a]\n    port: "), |_| "9".to_owned(), "\n"),
        filled(&format!("{service}    run: [a]\n    stop_grace: "), |_| "1s".to_owned(), "\n"),
        filled("project: a\nservices: { ", |_| "ü".to_owned(), " }\n"),
        filled("project: \"", |_| "\\".to_owned(), "\n"),
        filled(
            "project: a\nservices:\n",
            |index| format!("  s{index}: {{ run: [a], artifact: a, port: 80 }}\n"),
            "",
        ),
    ] {
        refused(&text);
    }
}

#[test]
fn a_project_at_the_limits_is_read() {
    let mut text = "project: a\nservices:\n".to_owned();
    for index in 0..250 {
        let needs = if index == 0 { String::new() } else { format!("s{}", index - 1) };
        writeln!(
            text,
            "  s{index}: {{ run: [a, $A, $PORT], artifact: a, env: {{ A: b }}, needs: [{needs}] }}"
        )
        .unwrap();
    }
    text.push_str("environments:\n");
    for index in 0..250 {
        writeln!(text, "  e{index}: {{ listen: 127.0.0.{index} }}").unwrap();
    }
    let checked = check("pilotage.yaml", &text);
    assert!(checked.diagnostics.is_empty(), "{}", checked.diagnostics);
    let project = checked.project.unwrap();
    assert_eq!((project.services.len(), project.environments.len()), (250, 250));
}

#[test]
fn control_characters_of_the_file_do_not_reach_the_terminal() {
    for text in
        ["project: \u{1b}[31m\n", "\u{1b}]0;x\u{7}: 1\n", "project: \"\\e[31m\"\n", "project: a\u{202e}b\n"]
    {
        let rendered = refused(text).render(false);
        assert!(rendered.chars().all(|c| c == '\n' || !c.is_control()), "{rendered:?}");
        assert!(!rendered.contains('\u{202e}'), "{rendered:?}");
    }
}

#[test]
fn line_ends_and_a_byte_order_mark_do_not_shift_places() {
    let text = "\u{feff}project: ü\r\nservices:\r\n  a: { run: [a], artifact: a, prt: 1 }\r\n";
    let diagnostics = refused(text);
    let places: Vec<(usize, usize)> = diagnostics.iter().map(|d| (d.line, d.column)).collect();
    assert_eq!(places, [(1, 10), (3, 31)]);
}
