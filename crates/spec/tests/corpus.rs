//! Every sample file, by the reader and by the JSON Schema: the two must agree wherever a schema can say it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a broken helper should fail its test"
)]
#![allow(clippy::disallowed_methods, reason = "the samples are files; the crate itself touches none")]

mod support;

use std::path::Path;

use jsonschema::Validator;
use pilotage_spec::{Severity, check, json_schema, read};
use support::{corpus, yaml_as_json};

fn schema() -> Validator {
    jsonschema::draft202012::new(&json_schema()).unwrap()
}

/// Compares what the reader says about a file with what is on record.
fn assert_diagnostics(folder: &str, path: &Path, text: &str) {
    let name = path.file_stem().unwrap().to_str().unwrap();
    let error = read("pilotage.yaml", text).expect_err(&format!("{} was accepted", path.display()));
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("corpus/snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(format!("{folder}-{name}"), error.render(false)));
}

#[test]
fn valid_files_are_read_and_fit_the_schema() {
    let schema = schema();
    for path in corpus("valid") {
        let text = std::fs::read_to_string(&path).unwrap();
        let checked = check("pilotage.yaml", &text);
        assert!(checked.diagnostics.is_empty(), "{}:\n{}", path.display(), checked.diagnostics);
        assert!(checked.project.is_some());
        let errors: Vec<String> = schema
            .iter_errors(&yaml_as_json(&text))
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{}: {errors:#?}", path.display());
    }
}

#[test]
fn files_of_a_wrong_structure_are_refused_by_reader_and_schema() {
    let schema = schema();
    for path in corpus("invalid/structure") {
        let text = std::fs::read_to_string(&path).unwrap();
        assert_diagnostics("structure", &path, &text);
        assert!(!schema.is_valid(&yaml_as_json(&text)), "the schema accepts {}", path.display());
    }
}

#[test]
fn files_whose_parts_do_not_fit_together_are_refused_by_the_reader() {
    for path in corpus("invalid/meaning") {
        let text = std::fs::read_to_string(&path).unwrap();
        assert_diagnostics("meaning", &path, &text);
    }
}

#[test]
fn files_that_are_not_plain_yaml_are_refused_by_the_reader() {
    for path in corpus("invalid/syntax") {
        let text = std::fs::read_to_string(&path).unwrap();
        assert_diagnostics("syntax", &path, &text);
    }
}

#[test]
fn warnings_do_not_hinder_and_do_not_repeat_the_secret() {
    let text = "project: shop\nservices:\n  web:\n    run: [./web]\n    artifact: web\n    env:\n      \
                DB_PASSWORD: hunter2\n      DB_URL: postgres://shop:hunter2@db/shop\n      TOKEN_TTL: 60\n";
    let checked = check("pilotage.yaml", text);
    assert!(checked.project.is_some());
    let lines: Vec<(usize, Severity)> = checked.diagnostics.iter().map(|d| (d.line, d.severity)).collect();
    assert_eq!(lines, [(7, Severity::Warning), (8, Severity::Warning)]);
    for color in [false, true] {
        assert!(!checked.diagnostics.render(color).contains("hunter2"));
    }
}
