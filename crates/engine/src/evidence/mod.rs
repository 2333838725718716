//! The statistics that the judge stands on: functions of counts, without policy.
//!
//! Start reading at [`ErrorTest`], which compares the failures of two versions. [`LimitTest`] holds one version to an absolute
//! limit, [`LatencyCutOff`] makes failures out of slow requests, [`Bursts`] makes one failure out of a client's many,
//! [`AbTest`] names a winner. [`ThresholdRule`] and [`kayenta`] are what other tools do, to be compared
//! with and for teams that move over.

mod ab_test;
mod bursts;
mod counts;
mod error_test;
pub mod kayenta;
mod latency;
mod limit_test;
mod mixture;
pub mod prediction;
mod renewed;
mod risk_ratio;
mod special;
#[cfg(test)]
mod tests;
mod threshold_rule;

pub use ab_test::{AbError, AbIncrement, AbStanding, AbTest};
pub use bursts::Bursts;
pub use counts::{CountError, Gathered, Increment};
pub use error_test::{ErrorSettings, ErrorTest, SettingsError, Standing};
pub use latency::{Bucket, LatencyCutOff};
pub use limit_test::{LimitError, LimitStanding, LimitTest};
pub use renewed::{RenewedErrorTest, RenewedLimitTest};
pub use risk_ratio::{Interval, RiskRatio};
pub use threshold_rule::ThresholdRule;
