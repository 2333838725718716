//! The faults found so far: reading goes on after each, so that one run shows them all.

use std::ops::Range;

use crate::diagnostic::{Fault, Severity};

/// More faults than this are not listed: nobody reads them, and the first ones cause the others.
const LIMIT: usize = 50;

/// A collector of faults.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    list: Vec<Fault>,
    errors: usize,
    /// Takes the words about a fault that is not listed any more.
    unlisted: Fault,
    unlisted_count: usize,
}

impl Faults {
    /// Notes an error at a place; the result is there to be explained further.
    pub fn error(&mut self, span: &Range<usize>, message: impl Into<String>) -> &mut Fault {
        self.errors += 1;
        self.push(Severity::Error, span, message.into())
    }

    /// Notes a warning at a place.
    pub fn warning(&mut self, span: &Range<usize>, message: impl Into<String>) -> &mut Fault {
        self.push(Severity::Warning, span, message.into())
    }

    /// How many errors there are.
    pub fn errors(&self) -> usize {
        self.errors
    }

    /// Whether further faults are only counted: time to leave costly checks out.
    pub fn is_full(&self) -> bool {
        self.list.len() >= LIMIT
    }

    /// Keeps the lines of all faults that `read` notes out of the messages.
    pub fn hidden<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.list.len();
        let value = read(self);
        for fault in &mut self.list[before..] {
            fault.hide();
        }
        value
    }

    fn push(&mut self, severity: Severity, span: &Range<usize>, message: String) -> &mut Fault {
        let fault = Fault { severity, span: span.clone(), message, ..Fault::default() };
        if self.is_full() {
            self.unlisted_count += 1;
            self.unlisted = fault;
            return &mut self.unlisted;
        }
        let index = self.list.len();
        self.list.push(fault);
        &mut self.list[index]
    }

    /// The list; where it is too long, its end says so.
    pub fn into_list(mut self) -> Vec<Fault> {
        if self.unlisted_count > 0 {
            let last = self.list.iter().map(|fault| fault.span.start).max().unwrap_or(0);
            let mut rest = Fault { span: last..last, ..Fault::default() };
            rest.message = format!("and more: {} faults are not listed", self.unlisted_count);
            rest.help("mend the listed ones first; they may cause the others").hide();
            self.list.push(rest);
        }
        self.list
    }
}

impl Fault {
    /// Says at the place itself what would be right there.
    pub fn label(&mut self, label: impl Into<String>) -> &mut Self {
        self.label = label.into();
        self
    }

    /// Says how to mend it.
    pub fn help(&mut self, help: impl Into<String>) -> &mut Self {
        self.help = Some(help.into());
        self
    }

    /// Shows another place that explains this one.
    pub fn related(&mut self, span: &Range<usize>, label: impl Into<String>) -> &mut Self {
        self.related = Some((span.clone(), label.into()));
        self
    }

    /// Keeps the line itself out of the message: it may hold a secret, or says nothing.
    pub fn hide(&mut self) -> &mut Self {
        self.hidden = true;
        self
    }
}
