//! A condition that can be worked out.

use std::sync::Arc;
use std::time::Duration;

use cel::common::ast::{Expr, IdedExpr, operators};
use cel::{Context, ExecutionError, ParseErrors, Program, Value as CelValue};
use serde_json::Value;

use super::decision::Decision;
use super::error::{ConditionError, shown};
use super::names::FUNCTIONS;
use super::{structure, text, value, work};
use crate::bounded;

/// How long one condition may take, to be read or to be worked out. The work itself is bounded to a small part of it.
const TIME_LIMIT: Duration = Duration::from_secs(2);

/// A condition whose text has been found sound.
#[derive(Debug, Clone)]
pub struct Condition {
    text: Arc<str>,
    program: Arc<Program>,
}

impl Condition {
    /// Reads an expression.
    ///
    /// # Errors
    /// Fails if the text is no expression, names what is not known, or is larger than any sensible condition; with the place.
    pub fn compile(text: &str) -> Result<Self, ConditionError> {
        text::check(text)?;
        let text: Arc<str> = text.into();
        let worker = Arc::clone(&text);
        let program = bounded::run(TIME_LIMIT, move || parse(&worker)).unwrap_or_else(|error| {
            Err(ConditionError::at(
                &text,
                0,
                format!("the condition cannot be read: {error}"),
                "write it in another way",
            ))
        })?;
        Ok(Self { text, program: Arc::new(program) })
    }

    /// The expression as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Works the condition out over a JSON document such as [`crate::Input`] makes.
    ///
    /// The caller waits for two seconds at most, whatever the text and the document are. Before that, the work is estimated
    /// from the sizes of the document alone, and not begun if it is too much.
    pub fn evaluate(&self, input: &Value) -> Decision {
        if let Err(reason) = value::check(input) {
            return Decision::Error { reason };
        }
        let (program, owned) = (Arc::clone(&self.program), input.clone());
        match bounded::run(TIME_LIMIT, move || evaluate(&program, &owned)) {
            Ok(Ok(None)) => Decision::Allow,
            Ok(Ok(Some(span))) => Decision::Deny { reason: format!("`{}` is false", self.part(span)) },
            Ok(Err(reason)) => Decision::Error { reason },
            Err(error) => Decision::Error { reason: error.to_string() },
        }
    }

    /// A part of the text, in characters from and to, and further until no bracket is open.
    fn part(&self, (start, end): Span) -> String {
        let mut open = 0_i32;
        let mut part = String::new();
        for (at, c) in self.text.chars().enumerate().skip(start) {
            if at >= end && open <= 0 {
                break;
            }
            open += match c {
                '(' | '[' | '{' => 1,
                ')' | ']' | '}' => -1,
                _ => 0,
            };
            part.push(c);
        }
        shown(&part.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

fn parse(text: &str) -> Result<Program, ConditionError> {
    let program = Program::compile(text).map_err(|errors| syntax(text, &errors))?;
    for pattern in structure::check(text, &program)? {
        check_pattern(text, &pattern)?;
    }
    Ok(program)
}

/// What the parser says first, without its own drawing of the place.
fn syntax(text: &str, errors: &ParseErrors) -> ConditionError {
    let mend = "see https://cel.dev for the language, and docs/conditions.md for what a condition can use";
    let Some(first) = errors.errors.first() else {
        return ConditionError::at(text, 0, "this is not an expression", mend);
    };
    let fault = shown(first.msg.lines().next().unwrap_or_default());
    let place = |number: isize| usize::try_from(number).unwrap_or(0).max(1);
    ConditionError { fault, mend: mend.to_owned(), line: place(first.pos.0), column: place(first.pos.1) }
}

/// A pattern that cannot be compiled is found here, not when a deployment depends on it.
fn check_pattern(text: &str, pattern: &str) -> Result<(), ConditionError> {
    let offset = text.find(pattern).unwrap_or(0);
    let fault = |fault: String| {
        ConditionError::at(
            text,
            offset,
            fault,
            "write a regular expression as RE2 knows it, of moderate size",
        )
    };
    let mut context = Context::default();
    context.add_variable_from_value("pattern", pattern.to_owned());
    let trial = Program::compile("''.matches(pattern)").map_err(|error| fault(error.to_string()))?;
    trial
        .execute(&context)
        .map_err(|_| fault(format!("`{}` is not a pattern that can be used", shown(pattern))))?;
    Ok(())
}

/// Characters of the text, from and to.
type Span = (usize, usize);

/// `None` where the condition is true, else the part that is false.
fn evaluate(program: &Program, input: &Value) -> Result<Option<Span>, String> {
    if !work::is_bounded(program.expression(), input) {
        return Err("it would be too much work for this input".to_owned());
    }
    let mut context = Context::default();
    for (name, part) in input.as_object().into_iter().flatten() {
        context.add_variable_from_value(name.as_str(), value::convert(part));
    }
    match program.execute(&context) {
        Ok(CelValue::Bool(true)) => Ok(None),
        Ok(CelValue::Bool(false)) => Ok(Some(false_part(program, &context))),
        Ok(other) => Err(format!("it is neither true nor false, but of the type {}", other.type_of())),
        Err(error) => Err(reason(&error)),
    }
}

/// Of parts joined by `&&`, the first that is false by itself; else all of it.
fn false_part(program: &Program, context: &Context<'_, '_>) -> Span {
    let mut expression = program.expression();
    while let Some(parts) = conjuncts(expression) {
        let is_false = |part: &&IdedExpr| matches!(context.resolve(part), Ok(CelValue::Bool(false)));
        match parts.iter().find(is_false) {
            Some(part) => expression = part,
            None => break,
        }
    }
    extent(program, expression)
}

fn conjuncts(expression: &IdedExpr) -> Option<&[IdedExpr]> {
    match &expression.expr {
        Expr::Call(call) if call.func_name == operators::LOGICAL_AND => Some(&call.args),
        _ => None,
    }
}

/// From the first to the last character of an expression. The parser notes one place for each node, which for an operator
/// is that of the operator alone: what it stands between belongs to it too.
fn extent(program: &Program, expression: &IdedExpr) -> Span {
    if std::ptr::eq(expression, program.expression()) {
        return (0, program.source_info().source.chars().count());
    }
    let place = program.source_info().offset_for(expression.id);
    let own = place
        .map(|(start, end)| ((start as usize).saturating_sub(name_before(expression)), end as usize + 1));
    let parts = operands(expression).into_iter().map(|part| extent(program, part));
    own.into_iter()
        .chain(parts)
        .reduce(|(start, end), (from, to)| (start.min(from), end.max(to)))
        .unwrap_or((0, 0))
}

/// How long the name is that stands before the place of a call, which is its bracket.
fn name_before(expression: &IdedExpr) -> usize {
    match &expression.expr {
        Expr::Call(call) if FUNCTIONS.contains(&call.func_name.as_str()) => call.func_name.len(),
        _ => 0,
    }
}

fn operands(expression: &IdedExpr) -> Vec<&IdedExpr> {
    match &expression.expr {
        Expr::Call(call) => call.target.as_deref().into_iter().chain(&call.args).collect(),
        Expr::Select(select) => vec![&select.operand],
        Expr::Comprehension(comprehension) => vec![&comprehension.iter_range],
        _ => Vec::new(),
    }
}

/// In a few words, without the values that the interpreter would print: they can be long, and are not for a log.
fn reason(error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchKey(key) => format!("there is no field `{}`", shown(key)),
        ExecutionError::UndeclaredReference(name) => format!("there is no `{}`", shown(name)),
        ExecutionError::NoSuchOverload(error) => shown(&error.to_string()),
        ExecutionError::UnexpectedType { got, want } => {
            format!("a value is {}, and {} is needed", shown(got), shown(want))
        }
        ExecutionError::ValuesNotComparable(..) => "values of two types cannot be compared".to_owned(),
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
            "something is divided by zero".to_owned()
        }
        ExecutionError::Overflow(..) => "a number is too large".to_owned(),
        ExecutionError::IndexOutOfBounds(_) => "a list has no such item".to_owned(),
        ExecutionError::FunctionError { function, .. } => {
            format!("the function `{}` failed", shown(function))
        }
        _ => "it has no value: an operator or function does not go with what it is given".to_owned(),
    }
}
