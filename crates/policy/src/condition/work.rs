//! How much work an expression is for an input: worked out from sizes alone, before anything is evaluated.
//!
//! Loops over lists that loops have made can grow by powers, and a few letters can double a text again and again. So the
//! expression is walked with the sizes of the values instead of the values. What is not known is taken for as large as it
//! can be; the sum is thus an upper bound, and an expression above the limit is never begun.

use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, operators};
use serde_json::Value;

/// The most work, in units of about one step of the interpreter.
const LIMIT: u64 = 1_000_000;

/// What a regular expression costs to prepare, in the same units.
const PATTERN_WORK: u64 = 20_000;

/// Bytes of a text that are as much work as one value.
const BYTES_PER_UNIT: u64 = 16;

/// Whether an expression can be evaluated within the limit.
pub(super) fn is_bounded(expression: &IdedExpr, input: &Value) -> bool {
    let mut scope = Scope { input, names: Vec::new() };
    let Worked { work, .. } = scope.expression(expression);
    work <= LIMIT
}

/// How large a value can be at most.
#[derive(Clone, Copy, Default)]
struct Extent<'a> {
    /// Items, or bytes of a text.
    length: u64,
    /// All values in it, itself included, with texts by their length.
    total: u64,
    /// The value itself, where it is a part of the input.
    known: Option<&'a Value>,
}

/// What an expression is worth, and what it costs.
#[derive(Clone, Copy)]
struct Worked<'a> {
    extent: Extent<'a>,
    work: u64,
}

impl<'a> Extent<'a> {
    const ONE: Self = Self { length: 0, total: 1, known: None };

    fn of(value: &'a Value) -> Self {
        let (length, below) = match value {
            Value::String(text) => (text.len() as u64, text.len() as u64 / BYTES_PER_UNIT),
            Value::Array(items) => (items.len() as u64, items.iter().map(|item| Self::of(item).total).sum()),
            Value::Object(fields) => {
                (fields.len() as u64, fields.values().map(|field| Self::of(field).total + 1).sum())
            }
            _ => (0, 0),
        };
        Self { length, total: below + 1, known: Some(value) }
    }

    /// Anything that is a part of this.
    fn part(self) -> Self {
        let items: Vec<Self> = match self.known {
            Some(Value::Array(items)) => items.iter().map(Self::of).collect(),
            // The keys of an object can be asked for too, and are texts.
            Some(Value::Object(fields)) => {
                let keys = fields.keys().map(|key| Self::text(key.len()));
                fields.values().map(Self::of).chain(keys).collect()
            }
            // A text inside has at most as many bytes as its units say.
            _ => return Self { length: self.total.saturating_mul(BYTES_PER_UNIT), known: None, ..self },
        };
        items.into_iter().fold(Self::ONE, Self::larger)
    }

    fn text(bytes: usize) -> Self {
        Self { length: bytes as u64, total: 1 + bytes as u64 / BYTES_PER_UNIT, known: None }
    }

    /// As large as the larger of the two in each respect.
    fn larger(self, other: Self) -> Self {
        Self { length: self.length.max(other.length), total: self.total.max(other.total), known: None }
    }

    /// Both one after the other.
    fn joined(self, other: Self) -> Self {
        let length = self.length.saturating_add(other.length);
        Self { length, total: self.total.saturating_add(other.total), known: None }
    }
}

struct Scope<'a> {
    input: &'a Value,
    names: Vec<(&'a str, Extent<'a>)>,
}

impl<'a> Scope<'a> {
    fn expression(&mut self, node: &'a IdedExpr) -> Worked<'a> {
        match &node.expr {
            Expr::Literal(LiteralValue::String(text)) => {
                Worked { extent: Extent::text(text.inner().len()), work: 1 }
            }
            Expr::Ident(name) => Worked { extent: self.name(name), work: 1 },
            Expr::Select(select) => {
                let operand = self.expression(&select.operand);
                let extent = match operand.extent.known {
                    Some(value) => value.get(&select.field).map_or(Extent::ONE, Extent::of),
                    None => operand.extent.part(),
                };
                Worked { extent, work: operand.work.saturating_add(extent.total) }
            }
            Expr::Call(call) => self.call(call),
            Expr::List(list) => self.collection(list.elements.iter()),
            Expr::Map(map) => {
                let entries = map.entries.iter().filter_map(|entry| match &entry.expr {
                    EntryExpr::MapEntry(entry) => Some([&entry.key, &entry.value]),
                    EntryExpr::StructField(_) => None,
                });
                self.collection(entries.flatten())
            }
            Expr::Comprehension(comprehension) => self.comprehension(comprehension),
            Expr::Literal(_) | Expr::Struct(_) | Expr::Unspecified => Worked { extent: Extent::ONE, work: 1 },
        }
    }

    fn name(&self, name: &str) -> Extent<'a> {
        let own = self.names.iter().rev().find(|(known, _)| *known == name).map(|(_, extent)| *extent);
        own.or_else(|| self.input.get(name).map(Extent::of)).unwrap_or(Extent::ONE)
    }

    /// A list or mapping that is written out: its parts are copied into it.
    fn collection(&mut self, nodes: impl Iterator<Item = &'a IdedExpr>) -> Worked<'a> {
        let mut sum = Worked { extent: Extent::ONE, work: 1 };
        for node in nodes {
            let part = self.expression(node);
            sum.extent.length = sum.extent.length.saturating_add(1);
            sum.extent.total = sum.extent.total.saturating_add(part.extent.total);
            sum.work = sum.work.saturating_add(part.work).saturating_add(part.extent.total);
        }
        sum
    }

    fn call(&mut self, call: &'a CallExpr) -> Worked<'a> {
        let operands: Vec<Worked<'a>> =
            call.target.as_deref().into_iter().chain(&call.args).map(|node| self.expression(node)).collect();
        let extents = operands.iter().map(|operand| operand.extent);
        let all = extents.clone().fold(Extent::default(), Extent::joined);
        let work = operands
            .iter()
            .fold(all.total.saturating_add(1), |sum, operand| sum.saturating_add(operand.work));
        let worked = |extent: Extent<'a>, work: u64| Worked { extent, work };
        match call.func_name.as_str() {
            operators::CONDITIONAL => {
                let branches = extents.skip(1).fold(Extent::ONE, Extent::larger);
                worked(branches, work.saturating_add(branches.total))
            }
            operators::INDEX => {
                let part = operands.first().map_or(Extent::ONE, |operand| operand.extent.part());
                worked(part, work.saturating_add(part.total))
            }
            operators::ADD => worked(all, work),
            "matches" => worked(Extent::ONE, work.saturating_add(PATTERN_WORK)),
            // Every number in writing is shorter than this.
            "string" => worked(all.joined(Extent::text(400)), work),
            _ => worked(Extent::ONE, work),
        }
    }

    /// A loop: what is done for the largest item, as often as there are items.
    fn comprehension(&mut self, comprehension: &'a ComprehensionExpr) -> Worked<'a> {
        let range = self.expression(&comprehension.iter_range);
        let start = self.expression(&comprehension.accu_init);
        let item = range.extent.part();
        let before = self.names.len();
        self.names.push((&comprehension.iter_var, item));
        self.names.extend(comprehension.iter_var2.as_deref().map(|name| (name, item)));
        // What a step adds: each macro uses what there is so far once, and adds to it or replaces it.
        self.names.push((&comprehension.accu_var, Extent::default()));
        let condition = self.expression(&comprehension.loop_cond);
        let step = self.expression(&comprehension.loop_step);
        self.names.pop();
        let rounds = range.extent.length;
        let grown = Extent {
            length: start.extent.length.saturating_add(rounds.saturating_mul(step.extent.length)),
            total: start.extent.total.saturating_add(rounds.saturating_mul(step.extent.total)),
            known: None,
        };
        self.names.push((&comprehension.accu_var, grown));
        let result = self.expression(&comprehension.result);
        self.names.truncate(before);
        let round = [condition.work, step.work, item.total, step.extent.total, 1];
        let round = round.into_iter().fold(0, u64::saturating_add);
        let parts = [range.work, start.work, rounds.saturating_mul(round), result.work, result.extent.total];
        Worked { extent: result.extent, work: parts.into_iter().fold(0, u64::saturating_add) }
    }
}
