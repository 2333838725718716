//! Why something could not be measured.

use std::error::Error;
use std::fmt::Display;

/// Why something could not be measured, in words for the person at the terminal; nothing else reads it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Fault(String);

impl Fault {
    pub fn new(words: impl Into<String>) -> Self {
        Self(words.into())
    }
}

/// Says what was being done when an error came.
pub trait During<T> {
    fn during(self, what: impl Display) -> Result<T, Fault>;
}

impl<T, E: Error> During<T> for Result<T, E> {
    fn during(self, what: impl Display) -> Result<T, Fault> {
        self.map_err(|error| Fault::new(format!("{what}: {error}")))
    }
}
