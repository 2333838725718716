//! The judge: from what was measured to pass, fail or inconclusive.
//!
//! [`Evidence`] is fed with looks at counters, a [`Reading`] holds it beside all else that was measured, and [`judge()`] draws a
//! [`Judgement`] with a [`Finding`] for each criterion.

mod comparison;
mod criteria;
mod errors;
mod gather;
mod goal;
mod latency;
mod look;
mod metric;
mod reading;
mod scores;
mod series;
mod shadow;
mod slow;
#[cfg(test)]
mod tests;
mod thresholds;
mod trial;
mod verdict;
mod weigh;
mod words;

pub use comparison::{Alone, Comparison, Counts};
pub use criteria::{Case, judge};
pub use gather::{Evidence, error_settings};
pub(crate) use gather::{alone_limit, rate_alpha};
pub use goal::{GoalCounts, GoalReading};
pub use look::{Look, Side};
pub use reading::{Counted, InstanceReading, Known, MetricReading, MirrorReading, Reading};
pub use series::Series;
pub use slow::{Frozen, SlowRequests};
pub use trial::Trial;
pub use verdict::{Finding, Judgement, Verdict, Weight};
