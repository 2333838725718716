//! Broken YAML, said in words that help.

use granit_parser::{ErrorKind, ScanError};

use super::fault::Faults;

/// The smallest useful file, shown to whoever has an empty one.
const SMALLEST: &str = "write at least `project`, and under `services` a name with `run` and `artifact`; `pilotage init` does it";

/// Notes that there is nothing in the file.
pub(crate) fn report_empty(faults: &mut Faults) {
    faults.error(&(0..0), "the file is empty").help(SMALLEST);
}

/// Notes what the parser stumbled over, at a byte of the text.
pub(crate) fn report(error: &ScanError, text: &str, at: usize, faults: &mut Faults) {
    let at = text.floor_char_boundary(at);
    let length = text[at..].chars().next().filter(|c| *c != '\n').map_or(0, char::len_utf8);
    let (message, help) = words(error.kind());
    let message = message
        .map_or_else(|| format!("this is not valid YAML: {error}", error = error.info()), str::to_owned);
    faults.error(&(at..at + length), message).help(help);
}

/// Fault and mend. Without a fault, the parser's own words are used.
fn words(kind: &ErrorKind) -> (Option<&'static str>, &'static str) {
    use ErrorKind as E;
    match kind {
        E::TabNotAllowed
        | E::TabInBlockIndentation
        | E::TabInIndentation
        | E::TabAtBlockScalarStart
        | E::TabInPlainScalar
        | E::InvalidBlockEntryWhitespace
        | E::InvalidMappingValueWhitespace => {
            (Some("a tab stands where YAML allows only spaces"), "indent with spaces")
        }
        E::RecursionLimitExceeded => {
            (Some("the nesting is too deep"), "no part of this file needs more than ten levels")
        }
        E::DirectiveDisallowed => (Some("directives (`%…`) are not supported"), "remove this line"),
        E::UnclosedQuotedScalar | E::DocumentIndicatorInQuotedScalar | E::InvalidQuotedScalarIndent => (
            Some("a quote is not closed, here or in the lines above"),
            "close it, or double a single quote that belongs to the text",
        ),
        E::UnclosedFlowCollection { open: '[' }
        | E::UnexpectedEofFlowSequence
        | E::ExpectedFlowSequenceSeparator => {
            (Some("a `[` is not closed, or a comma is missing in it"), "write `[first, second]`")
        }
        E::UnclosedFlowCollection { .. }
        | E::UnexpectedEofFlowMapping
        | E::UnexpectedEofImplicitFlowMapping
        | E::ExpectedFlowMappingSeparator => {
            (Some("a `{` is not closed, or a comma is missing in it"), "write `{ key: value, key: value }`")
        }
        E::MismatchedFlowCollectionEnd { .. } | E::MisplacedFlowCollectionEnd => {
            (Some("a bracket closes what was not opened"), "every `[` needs its `]`, every `{` its `}`")
        }
        E::SimpleKeyExpected | E::InvalidSimpleKey => {
            (Some("a `:` is missing after a key"), "write `key: value`, with a space after the colon")
        }
        E::MappingValueNotAllowed => (
            Some("a `:` stands where no key can be"),
            "let keys that belong together start in the same column, look for a missing `:` in the line above, and put a \
             text that holds `: ` in quotes",
        ),
        E::UnknownQuotedScalarEscape => {
            (Some("an unknown escape in double quotes"), "write `\\\\` for a backslash, or use single quotes")
        }
        E::InvalidBlockScalarHeader => (
            Some("an unquoted `>` or `|` starts a text of several lines"),
            "put a limit in quotes: `\"> 5%\"`",
        ),
        E::UnexpectedCharacter { .. } => {
            (Some("this character cannot start a value"), "put the text in quotes")
        }
        E::InvalidIndentation | E::ExpectedBlockMappingKey | E::ExpectedBlockSequenceEntry => {
            (Some("the indentation does not fit"), "let keys that belong together start in the same column")
        }
        _ => (None, "check the indentation, the quotes and the colons of this line and the one above it"),
    }
}
