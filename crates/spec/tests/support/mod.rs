//! What several tests need.

use std::path::{Path, PathBuf};

use granit_parser::{Event, Parser, ScalarStyle, StrInput};
use serde_json::{Map, Value, json};

/// The files of a folder of the corpus, by name.
pub fn corpus(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(folder);
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    files
}

/// The file as an editor's language server sees it: YAML 1.2 with the core schema, as JSON.
pub fn yaml_as_json(text: &str) -> Value {
    let mut parser = Parser::new_from_str(text);
    loop {
        match next(&mut parser) {
            Event::StreamStart | Event::DocumentStart(..) => {}
            event => return value(event, &mut parser),
        }
    }
}

fn value<'a>(event: Event<'a>, parser: &mut Parser<'a, StrInput<'a>>) -> Value {
    match event {
        Event::Scalar(text, ScalarStyle::Plain, ..) => scalar(&text),
        Event::Scalar(text, ..) => json!(text),
        Event::SequenceStart(..) => {
            let mut items = Vec::new();
            loop {
                match next(parser) {
                    Event::SequenceEnd => return Value::Array(items),
                    event => items.push(value(event, parser)),
                }
            }
        }
        Event::MappingStart(..) => {
            let mut entries = Map::new();
            loop {
                match next(parser) {
                    Event::MappingEnd => return Value::Object(entries),
                    Event::Scalar(key, ..) => {
                        let event = next(parser);
                        entries.insert(key.into_owned(), value(event, parser));
                    }
                    other => panic!("a key that is no scalar: {other:?}"),
                }
            }
        }
        other => panic!("not in a value: {other:?}"),
    }
}

fn next<'a>(parser: &mut Parser<'a, StrInput<'a>>) -> Event<'a> {
    loop {
        match parser.next_event().unwrap().unwrap().0 {
            Event::Comment(..) => {}
            event => return event,
        }
    }
}

fn scalar(text: &str) -> Value {
    let is_number = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'));
    match text {
        "" | "~" | "null" => Value::Null,
        "true" => json!(true),
        "false" => json!(false),
        _ => match (text.parse::<i64>(), text.parse::<f64>()) {
            (Ok(number), _) => json!(number),
            (_, Ok(number)) if is_number && number.is_finite() => json!(number),
            _ => json!(text),
        },
    }
}
