//! Tables of cases: inputs, and what a condition is to say of each.

use std::collections::BTreeMap;

use pilotage_spec::ConditionName;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use crate::{Condition, Decision, fields, without};

/// More cases than this are not run.
const CASES_LIMIT: usize = 1_000;

/// A list of cases, as it is written in a file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Table {
    /// In the order of the file.
    pub cases: Vec<Case>,
}

/// One case.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// The condition of the project's file that is asked.
    pub condition: ConditionName,
    /// The input, or what differs from that of `input_file`.
    #[serde(default)]
    pub input: Option<Value>,
    /// A file with an input, beside that of the table.
    #[serde(default)]
    pub input_file: Option<pilotage_spec::RelativePath>,
    /// What the condition is to say.
    pub expect: Expectation,
}

/// What a condition is to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Expectation {
    /// The deployment may pass.
    Allow,
    /// It may not.
    Deny,
    /// Nothing can be said, and so it may not.
    Error,
}

/// What a case showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The case's name.
    pub name: String,
    /// The condition that was asked.
    pub condition: ConditionName,
    /// What it was to say.
    pub expect: Expectation,
    /// What it said.
    #[serde(flatten)]
    pub decision: Decision,
    /// What is wrong with that, if anything is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wrong: Option<String>,
}

/// Why cases cannot be run.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CaseError {
    /// The file is no table.
    #[error(
        "this is not a table of cases: {0}; each case has name, condition, input or input_file, and expect: allow, deny or error"
    )]
    Table(String),
    /// There are too many.
    #[error("the table has {0} cases; at most {CASES_LIMIT} are run: split it")]
    TooMany(usize),
    /// A case without anything to be asked about.
    #[error("the case `{0}` has neither `input` nor `input_file`")]
    NoInput(String),
    /// A case asks a condition that the project does not have.
    #[error("the case `{case}` asks the condition `{condition}`, which is not in the project's file")]
    Unknown {
        /// The case.
        case: String,
        /// The condition.
        condition: ConditionName,
    },
}

impl Table {
    /// A table from its document: a list of cases.
    ///
    /// # Errors
    /// Fails if the document is not such a list.
    pub fn from_document(document: Value) -> Result<Self, CaseError> {
        let table: Self =
            serde_json::from_value(document).map_err(|error| CaseError::Table(error.to_string()))?;
        match table.cases.len() {
            0 => Err(CaseError::Table("it has no cases".to_owned())),
            count if count > CASES_LIMIT => Err(CaseError::TooMany(count)),
            _ => Ok(table),
        }
    }
}

impl Case {
    /// Asks the condition. `file` is the document of `input_file`, where there is one.
    ///
    /// A refusal is asked for again with every field of the input taken out in turn: none may make a pass of it.
    ///
    /// # Errors
    /// Fails if there is no input, or no such condition.
    pub fn run(
        &self,
        conditions: &BTreeMap<ConditionName, Condition>,
        file: Option<Value>,
    ) -> Result<Outcome, CaseError> {
        let unknown = || CaseError::Unknown { case: self.name.clone(), condition: self.condition.clone() };
        let condition = conditions.get(&self.condition).ok_or_else(unknown)?;
        let input = match (file, self.input.clone()) {
            (Some(file), Some(changes)) => merged(file, changes),
            (Some(input), None) | (None, Some(input)) => input,
            (None, None) => return Err(CaseError::NoInput(self.name.clone())),
        };
        let decision = condition.evaluate(&input);
        let wrong = self.wrong(&decision).or_else(|| opened_by_deletion(condition, &decision, &input));
        Ok(Outcome {
            name: self.name.clone(),
            condition: self.condition.clone(),
            expect: self.expect,
            decision,
            wrong,
        })
    }

    fn wrong(&self, decision: &Decision) -> Option<String> {
        let expected = match self.expect {
            Expectation::Allow => "allow",
            Expectation::Deny => "deny",
            Expectation::Error => "error",
        };
        let said = decision.word();
        (said != expected).then(|| match decision.reason() {
            Some(reason) => format!("expected {expected}, and it says {said}: {reason}"),
            None => format!("expected {expected}, and it says {said}"),
        })
    }
}

fn opened_by_deletion(condition: &Condition, decision: &Decision, input: &Value) -> Option<String> {
    if decision.allows() {
        return None;
    }
    let opens = |place: &String| condition.evaluate(&without(input, place)).allows();
    fields(input).into_iter().find(opens).map(|place| {
        format!(
            "without the field {place} it would allow; what is not known must never let a deployment pass"
        )
    })
}

/// A document with changes laid over it, as in RFC 7396, but that `null` is a value like any other.
fn merged(document: Value, changes: Value) -> Value {
    match (document, changes) {
        (Value::Object(mut document), Value::Object(changes)) => {
            for (name, change) in changes {
                let merged = match document.remove(&name) {
                    Some(old) => merged(old, change),
                    None => change,
                };
                document.insert(name, merged);
            }
            Value::Object(document)
        }
        (_, changes) => changes,
    }
}
