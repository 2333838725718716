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

    fn push(&mut self, severity: Severity, span: &Range<usize>, message: String) -> &mut Fault {
        if self.list.len() > LIMIT {
            self.list.truncate(LIMIT);
        }
        self.list.push(Fault {
            severity,
            span: span.clone(),
            message,
            label: String::new(),
            help: None,
            related: None,
            secret: false,
        });
        let last = self.list.len() - 1;
        &mut self.list[last]
    }

    /// The list; where it is too long, its end says so.
    pub fn into_list(mut self) -> Vec<Fault> {
        if self.list.len() > LIMIT {
            self.list.truncate(LIMIT);
            if let Some(last) = self.list.last_mut() {
                last.help = Some("there are more faults; mend these first".to_owned());
            }
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

    /// Keeps the line itself out of the message, since it may hold a secret.
    pub fn secret(&mut self) -> &mut Self {
        self.secret = true;
        self
    }
}
