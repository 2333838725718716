//! The reader of `pilotage.yaml`, in three steps: text to tree (`parse`), tree to what is written (`file`, built from
//! `shape`s), and that to a project in which every name is known and every default filled in (`resolve`).

mod amounts;
mod document;
mod fault;
mod file;
mod node;
mod number;
mod parse;
mod resolve;
mod scripts;
mod shape;
mod syntax;
mod urls;
mod values;
mod walk;
mod web;

pub use amounts::{AmountError, parse_multiple, parse_percentage};
pub use document::read_document;
pub(crate) use file::project as grammar;
use file::strategy as strategy_shape;
pub(crate) use shape::Shape;

use fault::Faults;

use crate::diagnostic::Diagnostics;
use crate::{Digest, ExpressionFault, Project};

/// What reading a file gives.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The project, unless there are errors.
    pub project: Option<Project>,
    /// Errors and warnings.
    pub diagnostics: Diagnostics,
}

/// Reads a file. `file_name` is how messages call it, `text` what is in it.
///
/// # Errors
/// Every fault that was found, each with its place and how to mend it.
pub fn read(file_name: &str, text: &str) -> Result<Project, Diagnostics> {
    let Checked { project, diagnostics } = check(file_name, text);
    project.ok_or(diagnostics)
}

/// Tells whether an expression of a condition can be used.
pub type ExpressionCheck<'a> = dyn Fn(&str) -> Result<(), ExpressionFault> + 'a;

/// Reads a file and tells all there is to say about it, warnings too. Expressions are taken as they are.
pub fn check(file_name: &str, text: &str) -> Checked {
    check_with(file_name, text, &|_| Ok(()))
}

/// Reads a file and tells all there is to say about it, its expressions by the word of `expression`.
pub fn check_with(file_name: &str, text: &str, expression: &ExpressionCheck<'_>) -> Checked {
    let mut faults = Faults::default();
    let project = parse::parse(text, &mut faults)
        .and_then(|tree| {
            let draft = grammar().read(&tree, &mut faults)?;
            let approved: Vec<Digest> =
                draft.approved_scripts.iter().filter_map(|(_, digest)| digest.clone()).collect();
            // What is refused already is not refused once more.
            if faults.errors() == 0 {
                urls::check(&tree, &draft.allowed_urls, &mut faults);
                scripts::check(&tree, &approved, &mut faults);
            }
            Some(draft)
        })
        .and_then(|draft| resolve::resolve(draft, expression, &mut faults))
        .filter(|_| faults.errors() == 0);
    if project.is_none() && faults.errors() == 0 {
        // No path leads here; should one ever, the caller still gets an error rather than silence.
        faults
            .error(&(0..0), "the file could not be read")
            .help("report this, with the file, as a bug of the reader");
    }
    Checked { project, diagnostics: Diagnostics::new(file_name, text, faults.into_list()) }
}
