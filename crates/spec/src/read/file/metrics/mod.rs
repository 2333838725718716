//! Metrics of a team's own, and how they are drawn together.

mod metric;
mod score;
mod source;

pub(super) use metric::metrics;
pub(super) use score::score;
pub(super) use source::{pointer, query, source};
