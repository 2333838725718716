//! Why a request came to nothing, and what follows from it.

use std::time::Duration;

use thiserror::Error;

use super::contract::{Fault, FaultKind, VERSION};

/// The most of an answer's line that is repeated in a message, in characters.
const SHOWN: usize = 160;

/// Why a request came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CommandFault {
    /// It was not started.
    #[error("it cannot be started: {0}; name a program on PATH, or its path from the project's folder")]
    NotStarted(String),
    /// It did not end.
    #[error(
        "it did not answer `{verb}` within {} s and was killed; let it answer `pending` and be asked again, or raise \
         `timeout`{said}", limit.as_secs_f32()
    )]
    TookTooLong {
        /// What it was asked.
        verb: &'static str,
        /// The time limit.
        limit: Duration,
        /// What it said last.
        said: Said,
    },
    /// More than an answer may have.
    #[error("its answer to `{verb}` is longer than {} MiB, and it was killed; list less", limit_bytes >> 20)]
    TooLong {
        /// What it was asked.
        verb: &'static str,
        /// The greatest length, in bytes.
        limit_bytes: usize,
    },
    /// It ended with a code that says that it failed, and no answer that says why.
    #[error("it ended with {how} at `{verb}` without an error in its answer{said}")]
    Ended {
        /// What it was asked.
        verb: &'static str,
        /// Its status.
        how: String,
        /// Whether asking again may help: it was killed, or ended with EX_TEMPFAIL (75, see sysexits.h).
        transient: bool,
        /// What it said last.
        said: Said,
    },
    /// What it wrote is no answer.
    #[error("its answer to `{verb}` cannot be read at line {line}, column {column}: {reason}: {text}{said}")]
    Malformed {
        /// What it was asked.
        verb: &'static str,
        /// The line of its output, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong there.
        reason: String,
        /// The line, cut if it is long.
        text: String,
        /// What it said last.
        said: Said,
    },
    /// It speaks another version of the contract.
    #[error(
        "it speaks version {found} of the contract, and {VERSION} is spoken here; use a version of it that fits this Pilotage"
    )]
    Version {
        /// Its version.
        found: u32,
    },
    /// The answer is to another question.
    #[error(
        "its answer to `{verb}` has no `{field}`; docs/command-target.md tells what each verb is answered by"
    )]
    Missing {
        /// What it was asked.
        verb: &'static str,
        /// What is not there.
        field: &'static str,
    },
    /// It says itself that it could not be done.
    #[error("{}{}", .0.message, Mend(.0.mend.as_deref()))]
    Refused(Fault),
    /// The work that it said is under way has not ended.
    #[error("after {} s it still says at `{verb}`: {message}", waited.as_secs())]
    StillPending {
        /// What it was asked.
        verb: &'static str,
        /// How long was waited.
        waited: Duration,
        /// What is waited for.
        message: String,
    },
}

impl CommandFault {
    /// Whether asking again may help.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::TookTooLong { .. } | Self::StillPending { .. } => true,
            Self::Ended { transient, .. } => *transient,
            Self::Refused(fault) => fault.kind == FaultKind::Transient,
            Self::NotStarted(_)
            | Self::TooLong { .. }
            | Self::Malformed { .. }
            | Self::Version { .. }
            | Self::Missing { .. } => false,
        }
    }

    /// An answer that is no JSON of the contract; `output` is what was written, without secrets.
    pub fn malformed(verb: &'static str, error: &serde_json::Error, output: &str, said: Said) -> Self {
        let line = error.line().max(1);
        let text = output.lines().nth(line - 1).unwrap_or_default();
        let reason = error.to_string();
        // serde_json says the place at the end, which is told here already.
        let reason = reason.rsplit_once(" at line ").map_or(reason.as_str(), |(reason, _)| reason).to_owned();
        Self::Malformed { verb, line, column: error.column().max(1), reason, text: shown(text), said }
    }
}

/// The line around what is wrong, fit for a message.
fn shown(text: &str) -> String {
    let visible = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let mut cut: String = text.trim().chars().take(SHOWN).map(visible).collect();
    if cut.is_empty() {
        cut.push_str("nothing was written");
    } else if text.chars().count() > SHOWN {
        cut.push('…');
    }
    cut
}

/// The last lines of a program's standard error, without secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said(pub Vec<String>);

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0.as_slice() {
            [] => Ok(()),
            lines => write!(f, "; it said: {}", lines.join(" / ")),
        }
    }
}

struct Mend<'a>(Option<&'a str>);

impl std::fmt::Display for Mend<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.map_or(Ok(()), |mend| write!(f, "; {mend}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::contract::Answer;

    fn fault(output: &str) -> String {
        let error = serde_json::from_str::<Answer>(output).unwrap_err();
        CommandFault::malformed("observe", &error, output, Said::default()).to_string()
    }

    #[test]
    fn a_malformed_answer_is_shown_where_it_is_wrong() {
        let text = fault("{\"contract\": 1,\n \"observation\": {\"instances\": [{\"name\": 7}]}}");
        assert_eq!(
            text,
            "its answer to `observe` cannot be read at line 2, column 41: invalid type: integer `7`, expected a string: \
             \"observation\": {\"instances\": [{\"name\": 7}]}}"
        );
        assert!(fault("").contains("nothing was written"), "{}", fault(""));
        let long = format!("\"{}", "x".repeat(100_000));
        assert!(fault(&long).len() < 400);
    }

    #[test]
    fn an_unknown_kind_of_error_is_not_guessed_at() {
        let text = fault(r#"{"contract": 1, "error": {"kind": "odd", "message": "?"}}"#);
        assert!(text.contains("unknown variant `odd`, expected one of `transient`"), "{text}");
    }
}
