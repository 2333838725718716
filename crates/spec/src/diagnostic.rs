//! What is wrong with a file: where, what and how to mend it.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde::Serialize;

use crate::source::Source;

/// How much a diagnostic matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The file cannot be used.
    #[default]
    Error,
    /// The file can be used, but probably does not do what was meant.
    Warning,
}

/// One fault of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// How much it matters.
    pub severity: Severity,
    /// The file, as it was named to the reader.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// The fault.
    pub message: String,
    /// The mend.
    pub help: Option<String>,
    #[serde(skip)]
    excerpt: Option<Excerpt>,
}

/// The part of the file that is shown: whole lines.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Excerpt {
    text: String,
    first_line: usize,
    /// Byte ranges within `text`, each with a label; the first is the fault itself.
    marks: Vec<(Range<usize>, String)>,
}

/// A fault as the reader notes it, before lines are counted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fault {
    pub severity: Severity,
    /// Bytes of the file.
    pub span: Range<usize>,
    pub message: String,
    /// Stands at the marked place; says what would be right there.
    pub label: String,
    pub help: Option<String>,
    /// Another place that explains this one.
    pub related: Option<(Range<usize>, String)>,
    /// The line is not repeated: it may hold a secret.
    pub hidden: bool,
}

/// The faults of one file, in the order of their lines. Serializes as a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    pub(crate) fn new(file: &str, text: &str, mut faults: Vec<Fault>) -> Self {
        faults.sort_by_key(|fault| fault.span.start);
        let source = Source::new(text);
        Self { list: faults.into_iter().map(|fault| Diagnostic::new(file, &source, fault)).collect() }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Each of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.list.iter()
    }

    /// Whether one of them is an error.
    pub fn has_errors(&self) -> bool {
        self.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// All of them as text for people, with the lines in question; in colour by ANSI escapes if wanted.
    pub fn render(&self, color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let texts: Vec<String> = self.iter().map(|diagnostic| diagnostic.render(&renderer)).collect();
        texts.join("\n\n")
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}

impl Diagnostic {
    fn new(file: &str, source: &Source<'_>, fault: Fault) -> Self {
        let span = source.within(&fault.span);
        Self {
            severity: fault.severity,
            file: file.to_owned(),
            line: source.line(span.start),
            column: source.column(span.start),
            excerpt: Excerpt::new(source, span, &fault),
            message: fault.message,
            help: fault.help,
        }
    }

    fn render(&self, renderer: &Renderer) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group = Group::with_title(level.primary_title(self.message.as_str()));
        group = match &self.excerpt {
            Some(excerpt) => group.element(excerpt.snippet(&self.file)),
            None => group.element(Origin::path(self.file.as_str()).line(self.line).char_column(self.column)),
        };
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        renderer.render(&[group])
    }
}

impl Excerpt {
    /// The lines from the first to the last marked place, unless they must not or cannot be shown.
    fn new(source: &Source<'_>, span: Range<usize>, fault: &Fault) -> Option<Self> {
        /// A line of more bytes than this helps nobody.
        const LONGEST_LINE: usize = 1000;
        let mut marks = vec![(span, fault.label.clone())];
        if let Some((place, label)) = &fault.related {
            marks.push((source.within(place), label.clone()));
        }
        let lines: Vec<Range<usize>> =
            marks.iter().map(|(place, _)| source.line_around(place.start)).collect();
        let too_long = lines.iter().any(|line| line.len() > LONGEST_LINE);
        if fault.hidden || source.text().is_empty() || too_long {
            return None;
        }
        let start = lines.iter().map(|line| line.start).min()?;
        let end = lines.iter().map(|line| line.end).max()?;
        for (place, _) in &mut marks {
            *place = place.start - start..place.end - start;
        }
        Some(Self { text: source.text()[start..end].to_owned(), first_line: source.line(start), marks })
    }

    fn snippet<'a>(&'a self, file: &'a str) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
        let marks = self.marks.iter().enumerate().map(|(index, (place, label))| {
            let kind = if index == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
            let label = (!label.is_empty()).then_some(label.as_str());
            kind.span(place.clone()).label(label)
        });
        Snippet::source(self.text.as_str()).path(file).line_start(self.first_line).annotations(marks)
    }
}
