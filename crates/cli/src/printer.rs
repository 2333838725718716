//! The one way out: results to standard output, everything else to standard error.

use std::io::{self, Write};

use serde::Serialize;

use crate::arguments::{Global, Output};
use crate::failure::Failure;
use crate::terminal;

/// What a word is like. Colour only repeats what glyph and word say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// It went well.
    Good,
    /// It went wrong.
    Bad,
    /// It moves, or wants attention.
    Moving,
    /// Of minor interest.
    Quiet,
    /// As it is.
    Plain,
}

/// Writes what a command has to say.
#[derive(Debug, Clone)]
pub struct Printer {
    json: bool,
    color: bool,
    quiet: bool,
}

impl Printer {
    /// A printer as the command line wants it.
    pub fn new(global: &Global) -> Self {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            json: global.output == Output::Json,
            color: !global.no_color && !no_color && terminal::shows_results(),
            quiet: global.quiet,
        }
    }

    /// A printer for programs, where the command line could not be read to its end.
    pub fn for_programs() -> Self {
        Self { json: true, color: false, quiet: false }
    }

    /// The same without narration.
    #[must_use]
    pub fn silent(&self) -> Self {
        Self { quiet: true, ..self.clone() }
    }

    /// Whether results are for programs.
    pub fn json(&self) -> bool {
        self.json
    }

    /// Whether colours may be used.
    pub fn color(&self) -> bool {
        self.color
    }

    /// Whether a view that redraws itself may be shown.
    pub fn live(&self) -> bool {
        !self.json && !self.quiet && terminal::shows_results()
    }

    /// A line of the result.
    pub fn line(&self, text: impl AsRef<str>) {
        self.raw(&format!("{}\n", text.as_ref()));
    }

    /// A part of the result as it is. A reader that has gone away ends the program, as it ends others.
    pub fn raw(&self, text: &str) {
        let mut output = io::stdout().lock();
        let written = output.write_all(text.as_bytes()).and_then(|()| output.flush());
        if written.is_err_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
            std::process::exit(i32::from(crate::failure::DONE));
        }
    }

    /// One JSON object of the result, on a line.
    pub fn object(&self, value: &impl Serialize) {
        // What is printed are trees of our own types, which always serialize.
        self.line(serde_json::to_string(value).unwrap_or_default());
    }

    /// A line of narration. Programs get none: what they read there is JSON.
    pub fn say(&self, text: impl AsRef<str>) {
        if self.narrates() {
            self.aside(text.as_ref());
        }
    }

    /// Whether anybody wants to know more than the result.
    pub fn narrates(&self) -> bool {
        !self.quiet && !self.json
    }

    /// A question, which a person who is asked must see.
    pub fn ask(&self, text: impl AsRef<str>) {
        self.aside(text.as_ref());
    }

    /// A line of advice.
    pub fn hint(&self, text: impl AsRef<str>) {
        self.say(format!("hint: {}", text.as_ref()));
    }

    /// What went wrong: for programs as the one object on standard error, of the same shape as the API's.
    pub fn failure(&self, failure: &Failure) {
        if self.json {
            // A tree of our own types, which always serializes.
            self.aside(&serde_json::to_string(&failure.body()).unwrap_or_default());
            return;
        }
        // Diagnostics of the file say themselves that they are errors.
        let own = ["error:", "warning:"].iter().any(|start| failure.message.starts_with(start));
        let label = if own { "" } else { "error: " };
        self.aside(&format!("{label}{}", failure.message));
        for hint in &failure.hints {
            self.aside(&format!("hint: {hint}"));
        }
    }

    /// A word in its colour.
    pub fn paint(&self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Good => "32",
            Tone::Bad => "31",
            Tone::Moving => "36",
            Tone::Quiet => "2",
            Tone::Plain => return text.to_owned(),
        };
        if self.color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn aside(&self, text: &str) {
        // Nobody can be told that nobody can be told.
        let _ = writeln!(io::stderr().lock(), "{text}");
    }
}
