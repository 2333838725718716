//! From text to tree: YAML without what would make the file read differently from how it looks (anchors, aliases, tags,
//! several documents), and with limits on size and depth.

use std::collections::HashMap;
use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, StrInput};

use super::fault::Faults;
use super::node::{Entry, Kind, Node, Scalar, Span};
use super::syntax;
use crate::quote::quoted;

/// The greatest size of a file, in bytes.
const SIZE_LIMIT: usize = 1024 * 1024;

/// The greatest depth of nesting; the format itself needs less than ten.
const DEPTH_LIMIT: usize = 32;

/// The tree of a file, or `None` if its syntax is broken. Faults that leave a tree are only noted.
pub(crate) fn parse(text: &str, faults: &mut Faults) -> Option<Node> {
    if text.len() > SIZE_LIMIT {
        faults
            .error(
                &(0..0),
                format!("the file is too large: {} bytes; at most {SIZE_LIMIT} are read", text.len()),
            )
            .help("this is probably not the file that was meant")
            .hide();
        return None;
    }
    let options = granit_parser::options! {
        disallow_directives: true,
        emit_unresolved_aliases: true,
        emit_comments: false,
        flow_nesting_limit: DEPTH_LIMIT,
        block_nesting_limit: DEPTH_LIMIT,
    };
    let mut tree = Tree { parser: Parser::new_from_str_with_options(text, options), text, faults };
    tree.document()
}

struct Tree<'a> {
    parser: Parser<'a, StrInput<'a>>,
    text: &'a str,
    faults: &'a mut Faults,
}

impl<'a> Tree<'a> {
    fn document(&mut self) -> Option<Node> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => break,
                Event::DocumentStart(..) if root.is_some() => {
                    self.faults
                        .error(&span, "the file holds more than one document")
                        .label("a second document starts here")
                        .help("keep one project in a file; remove the `---`");
                    return None;
                }
                Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
                _ => root = self.node(event, span),
            }
        }
        match root {
            Some(Node { kind: Kind::Empty, .. }) | None => {
                if self.faults.errors() == 0 {
                    syntax::report_empty(self.faults);
                }
                None
            }
            root => root,
        }
    }

    /// The next event with its place in bytes, or `None` after a broken syntax has been noted.
    fn next(&mut self) -> Option<(Event<'a>, Span)> {
        loop {
            return match self.parser.next_event()? {
                Ok((Event::Comment(..), _)) => continue,
                Ok((event, span)) => Some((event, span.byte_range().unwrap_or(0..0))),
                Err(error) => {
                    let at = error.marker().byte_offset().unwrap_or(self.text.len());
                    syntax::report(&error, self.text, at, self.faults);
                    None
                }
            };
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span) -> Option<Node> {
        self.refuse_extras(&event, &span);
        let kind = match event {
            Event::Scalar(text, style, ..) => scalar(&text, style),
            Event::SequenceStart(..) => Kind::List(self.list()?),
            Event::MappingStart(..) => Kind::Map(self.map()?),
            _ => Kind::Refused,
        };
        Some(Node { origin: span.clone(), span, kind })
    }

    fn list(&mut self) -> Option<Vec<Node>> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Some(items),
                (event, span) => items.push(self.node(event, span)?),
            }
        }
    }

    fn map(&mut self) -> Option<Vec<Entry>> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut places: HashMap<String, Span> = HashMap::new();
        loop {
            let (event, key_span) = self.next()?;
            if event == Event::MappingEnd {
                return Some(entries);
            }
            let key = self.node(event, key_span.clone())?;
            let (event, span) = self.next()?;
            let mut value = self.node(event, span)?;
            value.origin = key_span.clone();
            if let Kind::Empty = value.kind {
                value.span = key_span.clone();
            }
            let Some(key) = self.key(key) else { continue };
            if let Some(first) = places.get(&key) {
                self.report_duplicate(&key, &key_span, first);
                continue;
            }
            places.insert(key.clone(), key_span.clone());
            entries.push(Entry { key, key_span, value });
        }
    }

    fn key(&mut self, node: Node) -> Option<String> {
        match node.kind {
            Kind::Scalar(scalar) => Some(scalar.text),
            Kind::Refused => None,
            kind => {
                self.faults
                    .error(&node.span, format!("a key must be a name, and this is {}", kind.name()))
                    .help("write `name: value`");
                None
            }
        }
    }

    fn report_duplicate(&mut self, key: &str, second: &Range<usize>, first: &Range<usize>) {
        self.faults
            .error(second, format!("{} is written twice", quoted(key)))
            .label("here again")
            .related(first, "first written here")
            .help("keep one of the two");
    }

    /// Anchors, aliases and tags: the node is kept, so that the rest can be checked.
    fn refuse_extras(&mut self, event: &Event<'_>, span: &Span) {
        let is_alias = matches!(event, Event::Alias(_) | Event::UnresolvedAlias(_));
        if is_alias || event.anchor_id().is_some() {
            self.faults
                .error(span, "anchors and aliases (`&name`, `*name`) are not supported")
                .help("write the value out at each place, or put the text in quotes if it is meant as it is");
        }
        if event.tag().is_some() {
            self.faults
                .error(span, "tags (`!name`) are not supported")
                .help("leave the tag out; put the text in quotes if it is meant as it is");
        }
    }
}

fn scalar(text: &str, style: ScalarStyle) -> Kind {
    let plain = style == ScalarStyle::Plain;
    if plain && matches!(text, "" | "~" | "null" | "Null" | "NULL") {
        return Kind::Empty;
    }
    Kind::Scalar(Scalar { text: text.to_owned(), plain })
}
