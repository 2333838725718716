//! Comparing the answer to a copy with the one that the user got. No input or output: bytes in, a verdict out.
//!
//! `answer` keeps answers aside and looks at them briefly; `json` reads bodies; `pointer` says what of them may differ.

mod answer;
mod json;
mod pointer;

pub(crate) use answer::{Comparison, Glance, KeptAnswer, KeptBody};
pub(crate) use json::difference;
pub(crate) use pointer::Pointer;
