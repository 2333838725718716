//! The file as a tree in which every node knows its place. Scalars stay texts: `yes`, `010` and `1.10` mean themselves.

use std::ops::Range;

/// Bytes of the file.
pub(crate) type Span = Range<usize>;

/// A value of the file.
#[derive(Debug)]
pub(crate) struct Node {
    /// Where it stands; for a mapping or list where it begins.
    pub span: Span,
    /// The key it is the value of, or its own place.
    pub origin: Span,
    pub kind: Kind,
}

/// What a node is.
#[derive(Debug)]
pub(crate) enum Kind {
    /// Nothing is written, or `null` or `~`.
    Empty,
    /// Something that has been refused already: no further fault is worth a word.
    Refused,
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A text as written.
#[derive(Debug)]
pub(crate) struct Scalar {
    pub text: String,
    /// Without quotes: only such a text can be a number or `true`.
    pub plain: bool,
}

/// A key with its value.
#[derive(Debug)]
pub(crate) struct Entry {
    pub key: String,
    pub key_span: Span,
    pub value: Node,
}

/// A value together with its place.
#[derive(Debug, Clone)]
pub(crate) struct Spanned<T> {
    pub value: T,
    pub span: Span,
}

impl Kind {
    /// What it is called in messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Empty => "nothing",
            Self::Refused => "a reference",
            Self::Scalar(_) => "a single value",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}
