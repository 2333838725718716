//! What is checked once the expression is parsed: its depth, its names, and how its loops are nested.

use cel::Program;
use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, operators};

use super::error::{ConditionError, shown};
use super::names::{FUNCTIONS, ROOTS, is_root, unknown_field};

/// The greatest depth of the parsed expression.
const DEPTH_LIMIT: usize = 100;

/// So many loops (`all`, `exists`, `map` …) can be within each other.
const LOOP_LIMIT: usize = 2;

/// The longest regular expression, in bytes.
const PATTERN_LIMIT_BYTES: usize = 256;

/// What macros are made of, beside the operators that are written.
const OPERATORS: [&str; 17] = [
    operators::CONDITIONAL,
    operators::LOGICAL_AND,
    operators::LOGICAL_OR,
    operators::LOGICAL_NOT,
    operators::SUBSTRACT,
    operators::ADD,
    operators::MULTIPLY,
    operators::DIVIDE,
    operators::MODULO,
    operators::EQUALS,
    operators::NOT_EQUALS,
    operators::GREATER_EQUALS,
    operators::LESS_EQUALS,
    operators::GREATER,
    operators::LESS,
    operators::NEGATE,
    operators::INDEX,
];

/// The regular expressions of a sound program; the first fault of another.
pub(super) fn check(text: &str, program: &Program) -> Result<Vec<String>, ConditionError> {
    let mut check = Check { text, program, names: Vec::new(), patterns: Vec::new() };
    check.expression(program.expression(), 0, 0)?;
    Ok(check.patterns)
}

struct Check<'a> {
    text: &'a str,
    program: &'a Program,
    /// What the loops around this place call their items.
    names: Vec<&'a str>,
    patterns: Vec<String>,
}

impl<'a> Check<'a> {
    fn expression(&mut self, node: &'a IdedExpr, depth: usize, loops: usize) -> Result<(), ConditionError> {
        if depth > DEPTH_LIMIT {
            return Err(self.fault(
                node,
                "the condition is nested too deep",
                "split it into several conditions",
            ));
        }
        let depth = depth + 1;
        match &node.expr {
            Expr::Literal(_) => Ok(()),
            Expr::Ident(name) => self.name(node, name),
            Expr::Select(select) => {
                if let Some((field, known)) = self.unknown_field(&node.expr) {
                    let mend = format!("its fields are {known}");
                    return Err(self.fault(node, format!("there is no field `{}`", shown(&field)), mend));
                }
                self.expression(&select.operand, depth, loops)
            }
            Expr::Call(call) => self.call(node, call, depth, loops),
            Expr::List(list) => self.all(list.elements.iter(), depth, loops),
            Expr::Map(map) => map.entries.iter().try_for_each(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => self.all([&entry.key, &entry.value], depth, loops),
                EntryExpr::StructField(_) => Err(self.no_types(node)),
            }),
            Expr::Comprehension(comprehension) => self.comprehension(node, comprehension, depth, loops),
            Expr::Struct(_) | Expr::Unspecified => Err(self.no_types(node)),
        }
    }

    fn all(
        &mut self,
        nodes: impl IntoIterator<Item = &'a IdedExpr>,
        depth: usize,
        loops: usize,
    ) -> Result<(), ConditionError> {
        nodes.into_iter().try_for_each(|node| self.expression(node, depth, loops))
    }

    fn name(&self, node: &IdedExpr, name: &str) -> Result<(), ConditionError> {
        if self.names.contains(&name) || is_root(name) {
            return Ok(());
        }
        let mend = format!("an expression begins with {ROOTS}; a text stands in quotes");
        Err(self.fault(node, format!("the name `{}` is not known", shown(name)), mend))
    }

    /// A field of the input that is not there. The names of loops hide those of the input.
    fn unknown_field(&self, expression: &Expr) -> Option<(String, String)> {
        let Expr::Select(select) = expression else { return None };
        let mut root = &select.operand.expr;
        while let Expr::Select(inner) = root {
            root = &inner.operand.expr;
        }
        let is_hidden = matches!(root, Expr::Ident(name) if self.names.contains(&name.as_str()));
        let (field, known) = unknown_field(select).filter(|_| !is_hidden)?;
        Some((field.to_owned(), known))
    }

    fn call(
        &mut self,
        node: &'a IdedExpr,
        call: &'a CallExpr,
        depth: usize,
        loops: usize,
    ) -> Result<(), ConditionError> {
        let name = call.func_name.as_str();
        let is_operator =
            OPERATORS.contains(&name) || matches!(name, operators::IN | operators::NOT_STRICTLY_FALSE);
        if !is_operator && !FUNCTIONS.contains(&name) {
            let mend = format!(
                "the functions are has, all, exists, exists_one, map, filter, {}",
                FUNCTIONS.join(", ")
            );
            return Err(self.fault(node, format!("the function `{}` is not known", shown(name)), mend));
        }
        if name == "matches" {
            self.pattern(node, call)?;
        }
        self.all(call.target.as_deref(), depth, loops)?;
        self.all(&call.args, depth, loops)
    }

    /// A pattern is a text that is written out, so that it is known to be one before a deployment depends on it.
    fn pattern(&mut self, node: &IdedExpr, call: &CallExpr) -> Result<(), ConditionError> {
        let Some(Expr::Literal(LiteralValue::String(pattern))) = call.args.last().map(|last| &last.expr)
        else {
            let mend = "write the pattern as a text: `plan.version.matches('^1[.]')`";
            return Err(self.fault(node, "the pattern of `matches` must be written out", mend));
        };
        let pattern = pattern.inner();
        if pattern.len() > PATTERN_LIMIT_BYTES {
            let mend = format!("write at most {PATTERN_LIMIT_BYTES} bytes");
            return Err(self.fault(node, "the pattern of `matches` is too long", mend));
        }
        self.patterns.push(pattern.to_owned());
        Ok(())
    }

    fn comprehension(
        &mut self,
        node: &IdedExpr,
        comprehension: &'a ComprehensionExpr,
        depth: usize,
        loops: usize,
    ) -> Result<(), ConditionError> {
        if loops >= LOOP_LIMIT {
            let mend = format!(
                "at most {LOOP_LIMIT} of `all`, `exists`, `map` and the like can be within each other"
            );
            return Err(self.fault(node, "loops are nested too deep", mend));
        }
        self.all([&comprehension.iter_range, &comprehension.accu_init], depth, loops)?;
        let before = self.names.len();
        self.names.push(&comprehension.accu_var);
        self.names.push(&comprehension.iter_var);
        self.names.extend(comprehension.iter_var2.as_deref());
        self.all([&comprehension.loop_cond, &comprehension.loop_step], depth, loops + 1)?;
        self.all([&comprehension.result], depth, loops)?;
        self.names.truncate(before);
        Ok(())
    }

    fn no_types(&self, node: &IdedExpr) -> ConditionError {
        self.fault(
            node,
            "messages of a type cannot be written in a condition",
            "write a mapping: `{'key': value}`",
        )
    }

    fn fault(&self, node: &IdedExpr, fault: impl Into<String>, mend: impl Into<String>) -> ConditionError {
        let offset = self.program.source_info().offset_for(node.id).map_or(0, |(start, _)| start);
        // The parser counts characters.
        let offset = self.text.char_indices().nth(offset as usize).map_or(self.text.len(), |(at, _)| at);
        ConditionError::at(self.text, offset, fault, mend)
    }
}
