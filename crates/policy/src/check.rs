//! The project's file together with its conditions.

use pilotage_spec::{Checked, Diagnostics, ExpressionFault, Project};

use crate::Condition;

/// Reads a project's file and tells all there is to say about it, its conditions included.
pub fn check(file_name: &str, text: &str) -> Checked {
    pilotage_spec::check_with(file_name, text, &expression)
}

/// Reads a project's file, its conditions included.
///
/// # Errors
/// Every fault that was found, each with its place and how to mend it.
pub fn read(file_name: &str, text: &str) -> Result<Project, Diagnostics> {
    let Checked { project, diagnostics } = check(file_name, text);
    project.ok_or(diagnostics)
}

fn expression(text: &str) -> Result<(), ExpressionFault> {
    match Condition::compile(text) {
        Ok(_) => Ok(()),
        Err(error) => Err(ExpressionFault {
            message: format!(
                "{}, at line {}, column {} of the condition",
                error.fault, error.line, error.column
            ),
            help: error.mend,
        }),
    }
}
