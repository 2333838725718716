//! The judge: from what was measured to pass, fail or inconclusive.

mod reading;
#[cfg(test)]
mod tests;
mod thresholds;
mod verdict;

pub use reading::{Counted, InstanceReading, Known, MetricReading, Reading};
pub use thresholds::judge;
pub use verdict::{Finding, Judgement, Verdict};
