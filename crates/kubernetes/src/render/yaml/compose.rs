//! From events to values.

use std::collections::HashMap;
use std::fmt;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};
use serde_json::Value;

use super::mapping::MappingBuilder;
use super::scalar;
use crate::render::RenderError;

/// The longest text that is read, in bytes.
const SIZE_LIMIT_BYTES: usize = 16 << 20;
/// The most values that a text may stand for, those behind aliases counted at each place.
const NODE_LIMIT: usize = 1_000_000;
/// The deepest nesting, that behind aliases counted too. Objects of Kubernetes need some twenty levels.
const DEPTH_LIMIT: usize = 64;

/// One document, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Document {
    /// What it says.
    pub(crate) value: Value,
    /// Where it stands.
    pub(crate) place: Place,
}

/// Where something stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The file, as messages call it.
    pub(crate) file: String,
    /// The number of the document in the file, from 1.
    pub(crate) document: usize,
    /// The line, from 1.
    pub(crate) line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, document {}, line {}", self.file, self.document, self.line)
    }
}

/// The documents of a text; empty ones are left out.
///
/// # Errors
/// The first fault of its syntax, with its place.
pub(crate) fn read_stream(file: &str, text: &str) -> Result<Vec<Document>, RenderError> {
    if text.len() > SIZE_LIMIT_BYTES {
        let reason = format!(
            "it has {} bytes, and {SIZE_LIMIT_BYTES} are the most that is read; is it the file that was meant?",
            text.len()
        );
        return Err(RenderError::input(file, reason));
    }
    let options = granit_parser::options! {
        emit_comments: false,
        flow_nesting_limit: DEPTH_LIMIT,
        block_nesting_limit: DEPTH_LIMIT,
    };
    let parser = Parser::new_from_str_with_options(text, options);
    Composer { parser, file, document: 0, anchors: HashMap::new(), nodes: 0 }.stream()
}

/// A value with what it weighs.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) value: Value,
    /// How many values it is made of, itself included.
    nodes: usize,
    /// How deep it is; 1 for a scalar.
    depth: usize,
}

impl Node {
    fn scalar(value: Value) -> Self {
        Self { value, nodes: 1, depth: 1 }
    }
}

struct Composer<'a> {
    parser: Parser<'a, StrInput<'a>>,
    file: &'a str,
    document: usize,
    /// What anchors of this document stand for; one that is not complete yet is missing.
    anchors: HashMap<usize, Node>,
    /// How many values there are already.
    nodes: usize,
}

impl<'a> Composer<'a> {
    fn stream(mut self) -> Result<Vec<Document>, RenderError> {
        let mut documents = Vec::new();
        loop {
            let (event, line) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(documents),
                Event::DocumentStart(..) => {
                    self.document += 1;
                    self.anchors.clear();
                }
                Event::StreamStart | Event::DocumentEnd => {}
                event => {
                    let value = self.node(event, line)?.value;
                    if !value.is_null() {
                        documents.push(Document { value, place: self.place(line) });
                    }
                }
            }
        }
    }

    /// The next event, and its line.
    fn next(&mut self) -> Result<(Event<'a>, usize), RenderError> {
        loop {
            return match self.parser.next_event() {
                Some(Ok((Event::Comment(..), _))) => continue,
                Some(Ok((event, span))) => Ok((event, line(&span))),
                Some(Err(error)) => Err(self.broken(&error)),
                None => Ok((Event::StreamEnd, 0)),
            };
        }
    }

    fn node(&mut self, event: Event<'a>, line: usize) -> Result<Node, RenderError> {
        let anchor = event.anchor_id();
        let node = match event {
            Event::Scalar(text, style, _, tag) => {
                let plain = style == ScalarStyle::Plain;
                let value = scalar::value(&text, plain, core_type(tag.as_deref()));
                self.weigh(line, Node::scalar(value.map_err(|reason| self.error(line, reason))?))?
            }
            Event::SequenceStart(_, _, tag) => {
                self.check_tag(tag.as_deref(), "seq", line)?;
                self.list(line)?
            }
            Event::MappingStart(_, _, tag) => {
                self.check_tag(tag.as_deref(), "map", line)?;
                self.map(line)?
            }
            Event::Alias(id) => return self.alias(id, line),
            _ => {
                return Err(self.error(line, "something stands here that is no value; check the indentation"));
            }
        };
        if let Some(id) = anchor {
            self.anchors.insert(id, node.clone());
        }
        Ok(node)
    }

    fn alias(&mut self, id: usize, line: usize) -> Result<Node, RenderError> {
        let Some(node) = self.anchors.get(&id) else {
            return Err(self.error(line, "an alias stands inside of what it stands for; write the value out"));
        };
        // Before it is copied: aliases of aliases grow by doubling.
        self.nodes = self.nodes.saturating_add(node.nodes);
        self.check_nodes(line)?;
        Ok(self.anchors.get(&id).cloned().unwrap_or_else(|| Node::scalar(Value::Null)))
    }

    fn list(&mut self, start: usize) -> Result<Node, RenderError> {
        let (mut items, mut nodes, mut depth) = (Vec::new(), 1, 1);
        loop {
            let (event, line) = self.next()?;
            if event == Event::SequenceEnd {
                return self.weigh(start, Node { value: Value::Array(items), nodes, depth });
            }
            let item = self.node(event, line)?;
            nodes += item.nodes;
            depth = depth.max(item.depth + 1);
            items.push(item.value);
        }
    }

    fn map(&mut self, start: usize) -> Result<Node, RenderError> {
        let (mut fields, mut nodes, mut depth) = (MappingBuilder::default(), 1, 1);
        loop {
            let (event, line) = self.next()?;
            if event == Event::MappingEnd {
                return self.weigh(start, Node { value: Value::Object(fields.finish()), nodes, depth });
            }
            let (key, plain) = self.key(event, line)?;
            let (event, value_line) = self.next()?;
            let value = self.node(event, value_line)?;
            nodes += value.nodes;
            depth = depth.max(value.depth + 1);
            let added = fields.add(key, plain, line, value.value);
            added.map_err(|reason| self.error(line, reason))?;
        }
    }

    /// The text of a key, and whether it stands without quotes.
    fn key(&mut self, event: Event<'a>, line: usize) -> Result<(String, bool), RenderError> {
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let text = text.into_owned();
                if anchor != 0 {
                    self.anchors.insert(anchor, Node::scalar(Value::String(text.clone())));
                }
                Ok((text, style == ScalarStyle::Plain))
            }
            Event::Alias(id) => match self.alias(id, line)?.value {
                Value::String(text) => Ok((text, false)),
                _ => Err(self.error(line, "a key must be a text; write it out")),
            },
            _ => Err(self
                .error(line, "a key must be a text, and this is a list or a mapping; write `name: value`")),
        }
    }

    /// Counts a value itself; what it is made of has been counted.
    fn weigh(&mut self, line: usize, node: Node) -> Result<Node, RenderError> {
        self.nodes += 1;
        self.check_nodes(line)?;
        if node.depth > DEPTH_LIMIT {
            return Err(
                self.error(line, format!("the nesting is deeper than {DEPTH_LIMIT} levels; make it flatter"))
            );
        }
        Ok(node)
    }

    fn check_nodes(&self, line: usize) -> Result<(), RenderError> {
        if self.nodes > NODE_LIMIT {
            let reason = format!(
                "the file stands for more than {NODE_LIMIT} values, those behind aliases counted at each place; split it, or \
                 use fewer aliases"
            );
            return Err(self.error(line, reason));
        }
        Ok(())
    }

    fn check_tag(&self, tag: Option<&Tag>, expected: &str, line: usize) -> Result<(), RenderError> {
        match core_type(tag) {
            Ok(None) => Ok(()),
            Ok(Some(name)) if name == expected => Ok(()),
            _ => Err(self.error(line, scalar::UNKNOWN_TAG)),
        }
    }

    fn place(&self, line: usize) -> Place {
        Place { file: self.file.to_owned(), document: self.document.max(1), line }
    }

    fn error(&self, line: usize, reason: impl Into<String>) -> RenderError {
        RenderError::input(self.place(line), reason)
    }

    fn broken(&self, error: &ScanError) -> RenderError {
        use granit_parser::ErrorKind;
        let line = error.marker().line();
        match error.kind() {
            ErrorKind::RecursionLimitExceeded => {
                self.error(line, format!("the nesting is deeper than {DEPTH_LIMIT} levels; make it flatter"))
            }
            _ => self.error(
                line,
                format!(
                    "this is not valid YAML: {}; check indentation, quotes and colons of this line and the one above it",
                    error.info()
                ),
            ),
        }
    }
}

/// The name of a type of YAML's core schema; an error for any other tag.
fn core_type(tag: Option<&Tag>) -> Result<Option<String>, ()> {
    match tag {
        None => Ok(None),
        Some(tag) => tag.core_suffix().map(|name| Some(name.to_owned())).ok_or(()),
    }
}

fn line(span: &Span) -> usize {
    span.start.line()
}
