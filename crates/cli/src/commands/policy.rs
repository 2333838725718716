//! `pilotage policy test`.

use std::collections::BTreeMap;
use std::path::Path;

use pilotage_policy::{Case, CaseError, Condition, Outcome, Table};
use pilotage_server::read_project;
use pilotage_spec::{ConditionName, read_document};
use serde_json::{Value, json};

use crate::arguments::{Global, PolicyTest};
use crate::failure::{DONE, FAILED, Failure};
use crate::place::project_file;
use crate::printer::{Printer, Tone};
use crate::words::count;

/// A longer file is taken for a mistake, in bytes.
const SIZE_LIMIT_BYTES: u64 = 1 << 20;

pub fn test(asked: &PolicyTest, global: &Global, printer: &Printer) -> Result<u8, Failure> {
    let conditions = conditions(global)?;
    let table = Table::from_document(document(&asked.table)?)?;
    let folder = asked.table.parent().unwrap_or(Path::new("."));
    let mut wrong = 0;
    for case in &table.cases {
        let outcome = case.run(&conditions, input_of(case, folder)?)?;
        wrong += usize::from(outcome.wrong.is_some());
        show(&outcome, printer);
    }
    let cases = table.cases.len();
    match printer.json() {
        true => printer.object(&json!({ "cases": cases, "wrong": wrong })),
        false if wrong == 0 => printer.line(format!("{} right", count(cases, "case"))),
        false => printer.line(format!("{wrong} of {} wrong", count(cases, "case"))),
    }
    Ok(if wrong == 0 { DONE } else { FAILED })
}

/// The conditions of the project's file. Its reader has found them sound.
fn conditions(global: &Global) -> Result<BTreeMap<ConditionName, Condition>, Failure> {
    let project = read_project(&project_file(global)?)?;
    let compiled = |(name, condition): (ConditionName, pilotage_spec::PolicyCondition)| {
        let compiled = Condition::compile(&condition.when);
        compiled
            .map(|compiled| (name.clone(), compiled))
            .map_err(|error| Failure::usage(format!("condition `{name}`: {error}")))
    };
    project.conditions.into_iter().map(compiled).collect()
}

fn input_of(case: &Case, folder: &Path) -> Result<Option<Value>, Failure> {
    case.input_file.as_ref().map(|file| document(&folder.join(file.as_str()))).transpose()
}

fn document(path: &Path) -> Result<Value, Failure> {
    let unreadable = |reason: String| Failure::usage(format!("cannot read {}: {reason}", path.display()));
    let size = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?.len();
    if size > SIZE_LIMIT_BYTES {
        return Err(unreadable(format!("it has {size} bytes; at most {SIZE_LIMIT_BYTES} are read")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
    read_document(&path.display().to_string(), &text).map_err(|faults| Failure::usage(faults.to_string()))
}

fn show(outcome: &Outcome, printer: &Printer) {
    if printer.json() {
        printer.object(outcome);
        return;
    }
    let said = outcome.decision.word();
    let name = &outcome.name;
    let line = match &outcome.wrong {
        None => format!("{} {name}: {} says {said}", printer.paint(Tone::Good, "✓"), outcome.condition),
        Some(wrong) => format!("{} {name}: {}: {wrong}", printer.paint(Tone::Bad, "✗"), outcome.condition),
    };
    printer.line(line);
}

impl From<CaseError> for Failure {
    fn from(error: CaseError) -> Self {
        Self::usage(error.to_string())
    }
}
